package natt

import (
	"context"
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// course is a way for ESP in UDP, of which each is tried.
type course struct {
	name  string
	setup lab.Setup
	ipv6  bool
	own   bool // between the members' own addresses
}

var courses = []course{
	{name: "in tunnel mode", setup: inTunnel()},
	{name: "in tunnel mode between the members' own addresses", setup: betweenGateways(), own: true},
	{name: "in transport mode", setup: inUDP(policy.ModeUDPTransport, policy.PreserveAbsent)},
	{name: "in tunnel mode for IPv6", setup: six(inTunnel()), ipv6: true},
	{name: "in tunnel mode for IPv6 between the members' own addresses", setup: six(betweenGateways()), ipv6: true, own: true},
	{name: "in transport mode for IPv6", setup: six(inUDP(policy.ModeUDPTransport, policy.PreserveAbsent)), ipv6: true},
}

// six is a setup for the hosts' IPv6 traffic.
func six(s lab.Setup) lab.Setup {
	usual := s.Group
	s.IPv6 = true
	s.Group = func(g *policy.Group) {
		usual(g)
		g.SAs[0].Selector = policy.Selector{Source: lab.Protected6, Destination: lab.Protected6}
	}
	return s
}

// with is a setup whose group uses the algorithms of a transform.
func with(s lab.Setup, t policy.Transform) lab.Setup {
	usual := s.Group
	s.Group = func(g *policy.Group) {
		usual(g)
		mode, keep := g.SAs[0].Transform.Mode, g.SAs[0].Transform.Preservation
		g.SAs[0].Transform = t
		g.SAs[0].Transform.Mode, g.SAs[0].Transform.Preservation = mode, keep
	}
	return s
}

var _ = Describe("ESP in UDP between group members (RFC 3948)", kit.Subject("natt"), kit.DUT(rule.Both), kit.Scene(kit.DataPlane), func() {
	for _, t := range []policy.Transform{lab.GCM(), lab.CBC()} {
		for _, c := range courses {
			It(fmt.Sprintf("carries traffic before and after a rekey under %s %s", t.Name(), c.name), kit.Exhaustive,
				kit.Requirement("RFC3948-2.1-01", "RFC3948-2.1-02", "RFC3948-2.1-04"), func(ctx SpecContext) {
					carries(ctx, c, with(c.setup, t))
				})
		}
	}

	It("carries TCP of the hosts through a tunnel in UDP", kit.Requirement("RFC3948-3.1.2-02"), kit.Needs(lab.NeedKernel), func(ctx SpecContext) {
		fetches(ctx, inTunnel())
	})

	It("opens ESP in UDP to its own address on the LAN", kit.Requirement("RFC3948-2.1-01"), kit.Needs(lab.NeedKernel), func(ctx SpecContext) {
		l := kit.Lab(ctx, inTunnel())
		kit.Precondition(l.Up(ctx), "every member registers")
		since := kit.Now(l)
		Expect(kit.PingTo(ctx, l, 2, lab.LANGateway(1), 2).Received).To(Equal(2), "the member answers a host behind the other one")
		Expect(sentInUDP(l, since)).To(HaveLen(4))
	})

	It("carries TCP of the hosts in transport mode in UDP", kit.Requirement("RFC3948-3.1.2-01"), kit.Needs(lab.NeedKernel), func(ctx SpecContext) {
		fetches(ctx, inUDP(policy.ModeUDPTransport, policy.PreserveAbsent))
	})
})

// fetches has one host load a file from the other.
func fetches(ctx context.Context, setup lab.Setup) {
	GinkgoHelper()
	const octets = 256 << 10
	l := kit.Lab(ctx, setup)
	kit.Precondition(l.Up(ctx), "every member registers")
	since := kit.Now(l)
	got, err := l.Hosts[0].(lab.Transferrer).Fetch(ctx, l.Hosts[1], octets)
	Expect(err).NotTo(HaveOccurred())
	Expect(got).To(BeEquivalentTo(octets), "octets arrive intact")
	Expect(len(sentInUDP(l, since))).To(BeNumerically(">", octets/lab.MTU), "all of it in UDP")
}

// carries registers both members, has their hosts talk, rekeys, and has them talk under the new SA. All that crosses the WAN is ESP
// in UDP as it should be.
func carries(ctx context.Context, c course, setup lab.Setup) {
	GinkgoHelper()
	l := kit.Lab(ctx, setup)
	host, member := lab.HostAddr, lab.MemberAddr
	if c.ipv6 {
		host, member = lab.HostAddr6, lab.MemberAddr6
	}
	ends := []netip.Addr{host(1), host(2)}
	if c.own {
		ends = []netip.Addr{member(1), member(2)}
	}
	Expect(l.Up(ctx)).To(Succeed(), "every member registers")
	talk := func() []out {
		GinkgoHelper()
		since := kit.Now(l)
		Expect(kit.PingTo(ctx, l, 1, host(2), 2).Received).To(Equal(2), "answers")
		all := sentInUDP(l, since)
		Expect(all).To(HaveLen(4))
		for _, o := range all {
			Expect([]netip.Addr{o.from.Addr(), o.to.Addr()}).To(ConsistOf(ends[0], ends[1]))
			Expect([]uint16{o.from.Port(), o.to.Port()}).To(Equal([]uint16{port, port}))
			Expect(o.checksum == 0).To(Equal(!c.ipv6), "a UDP checksum of zero")
			Expect(!c.ipv6 || sumOf(o.outer) == 0).To(BeTrue(), "over IPv6 it is right")
		}
		return all
	}
	before := talk()
	result, err := l.KS.Rekey(ctx, control.RekeyArgs{KEK: true})
	Expect(err).NotTo(HaveOccurred(), "the key server rekeys")
	for i := range l.GM {
		Expect(kit.Has(ctx, l, i+1, result.SPIs[0])).To(BeTrue(), "member %d has the new SA", i+1)
	}
	for _, o := range talk() {
		spi, _, _ := o.outer.SPI()
		was, _, _ := before[0].outer.SPI()
		Expect(kit.SPI(spi)).To(Equal(result.SPIs[0]))
		Expect(spi).NotTo(Equal(was))
	}
}

var _ = Describe("Policy of ESP in UDP at a key server (RFC 3947 §5.1)", kit.Subject("natt"), kit.DUT(rule.KS), func() {
	for _, c := range []struct {
		name string
		mode policy.Mode
	}{{"UDP tunnel (3)", policy.ModeUDPTunnel}, {"UDP transport (4)", policy.ModeUDPTransport}} {
		It("hands out "+c.name+" where the group's policy has it", kit.Requirement("RFC3947-5.1-01"), func(ctx SpecContext) {
			setup := inUDP(c.mode, policy.PreserveAbsent)
			setup.Hosts, setup.Members = false, 1
			l := kit.Lab(ctx, setup)
			kit.Precondition(l.Up(ctx), "the member registers")
			second := kit.MessagesSince(l, 0, core.Pull2.String())
			Expect(second).NotTo(BeEmpty())
			Expect(kit.Value(second[0], "SA/SAT/Encapsulation Mode")).To(Equal(c.name))
		})
	}
})

var _ = Describe("ESP in UDP at a group member (RFC 3948 §2.1, §3.1)", kit.Subject("natt"), kit.DUT(rule.GM), func() {
	It("sends ESP in UDP from and to the port of NAT traversal", kit.Requirement("RFC3948-2.1-01"), func(ctx SpecContext) {
		s := device(ctx, inTunnel())
		for _, o := range s.leaves(s.outward(0)) {
			Expect([]uint16{o.from.Port(), o.to.Port()}).To(Equal([]uint16{port, port}))
			Expect([]netip.Addr{o.from.Addr(), o.to.Addr()}).To(Equal([]netip.Addr{h1, h2}), "the preserved addresses")
		}
	})

	It("sends no UDP checksum over IPv4", kit.Requirement("RFC3948-2.1-02"), func(ctx SpecContext) {
		s := device(ctx, inTunnel())
		for _, o := range s.leaves(s.outward(0)) {
			Expect(o.checksum).To(BeZero())
		}
	})

	It("takes ESP in UDP with a checksum as well as without", kit.Requirement("RFC3948-2.1-03"), func(ctx SpecContext) {
		for _, w := range ways {
			s := device(ctx, w.setup)
			for _, option := range []tester.ESPOption{tester.ESPChecksum(), tester.ESPInUDP()} {
				inner, packet := s.honest(w.route(option)...)
				Expect(s.takes(inner, packet)).NotTo(BeNil())
			}
		}
	})

	It("takes ESP in UDP from the port that a NAT has given its sender", kit.Requirement("RFC3948-2.1-01"), func(ctx SpecContext) {
		s := device(ctx, throughNAT.setup)
		inner, packet := s.honest(throughNAT.route(tester.ESPPorts(translated.Port(), port), tester.OuterSource(translated.Addr()))...)
		Expect(s.takes(inner, packet)).NotTo(BeNil())
	})

	It("never begins ESP in UDP with four octets of zero", kit.Requirement("RFC3948-2.1-04"), func(ctx SpecContext) {
		s := device(ctx, inTunnel())
		since := kit.Now(s.Lab)
		kit.Precondition(s.Hosts[0].Send(s.outward(0).Bytes()), "the host sends")
		var data []byte
		Expect(s.Wait(ctx, lab.Patience, func() bool {
			for _, f := range kit.WANSince(s.Lab, since) {
				if ip, ok := lab.ParseIPv4(f.Packet); ok && ip.Source == h1 {
					_, _, data, _ = ip.UDP()
				}
			}
			return data != nil
		})).To(BeTrue(), "something leaves in UDP")
		Expect(len(data)).To(BeNumerically(">", 8))
		Expect(data[:marker]).NotTo(Equal(make([]byte, marker)))
	})

	for _, other := range []uint16{848, 500, 4501} {
		It(fmt.Sprintf("drops ESP in UDP to port %d", other), kit.Requirement("RFC3948-2.1-01"), kit.Negative, func(ctx SpecContext) {
			for _, w := range ways {
				s := device(ctx, w.setup)
				_, forged := s.honest(w.route(tester.ESPPorts(port, other))...)
				s.drops([][]byte{forged}, w.route()...)
			}
		})
	}

	for _, c := range []struct {
		name        string
		requirement string
		options     []tester.ESPOption
	}{
		{"takes ESP behind the marker of key management for no ESP", "RFC3948-2.1-04", []tester.ESPOption{tester.ESPMarker()}},
		{"takes ESP with an SPI of zero for no ESP", "RFC3948-2.1-04", []tester.ESPOption{tester.ESPSPI(0)}},
		{"drops ESP in UDP that was altered", "RFC4303-3.4.4.2-01", []tester.ESPOption{tester.ESPFlip(-1)}},
		{"drops ESP in UDP of an SA that it does not have", "RFC4303-3.4.2-01", []tester.ESPOption{tester.ESPSPI(0x4d2)}},
	} {
		It(c.name, kit.Requirement(c.requirement), kit.Negative, func(ctx SpecContext) {
			for _, w := range ways {
				s := device(ctx, w.setup)
				_, forged := s.honest(w.route(c.options...)...)
				s.drops([][]byte{forged}, w.route()...)
			}
		})
	}

	It("drops ESP in UDP of which only the beginning is left", kit.Requirement("RFC4303-3.4.4.2-01"), kit.Negative, func(ctx SpecContext) {
		for _, w := range ways {
			s := device(ctx, w.setup)
			var forged [][]byte
			for _, octets := range []int{0, 1, 3, 4, 7, 8, 15, 16, 40} {
				_, packet := s.honest(w.route(tester.ESPCut(octets))...)
				forged = append(forged, packet)
			}
			s.drops(forged, w.route()...)
		}
	})

	It("gets rekeys on the port where ESP arrives too", kit.Requirement("RFC3948-2.1-04"), kit.Feature("ack"), func(ctx SpecContext) {
		setup := inTunnel()
		setup.NAT, setup.Hosts = []int{1}, false
		s := begin(ctx, setup)
		kit.Reached(s.registered(ctx), "the member registers")
		Expect(s.rekeys(ctx)).To(BeTrue(), "it acknowledges a rekey")
		Expect(s.rekeys(ctx)).To(BeTrue(), "and the next one, which comes when it has SAs of ESP in UDP")
	})

	It("takes no notice of keepalives between packets of ESP", kit.Requirement("RFC3948-2.3-02"), func(ctx SpecContext) {
		for _, w := range ways {
			s := device(ctx, w.setup)
			since := kit.Now(s.Lab)
			for range 5 {
				for _, to := range []netip.Addr{h1, lab.MemberAddr(1)} {
					alive, err := lab.UDPPacket(netip.AddrPortFrom(h2, port), netip.AddrPortFrom(to, port), 64, []byte{0xff})
					Expect(err).NotTo(HaveOccurred())
					s.inject(alive)
				}
				inner, packet := s.honest(w.route()...)
				Expect(s.takes(inner, packet)).NotTo(BeNil(), "ESP right behind")
			}
			Expect(s.delivered(since)).To(HaveLen(5), "no keepalive is delivered")
			if !s.GM[0].Tells("REGISTERED") {
				continue // it was seen to be registered by packets of which it has refused some
			}
			for _, id := range []rule.ID{"RFC3947-4-03", "RFC4301-5.2-01", "RFC4303-3.4.2-01"} {
				kit.ExpectRefused(ctx, s.GM[0], id, BeZero(), "nothing is refused")
			}
		}
	})

	It("drops a packet in UDP whose inner source is not of the policy", kit.Requirement("RFC3948-3.1.1-01"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, throughNAT.setup)
		inner := s.inward()
		inner.Source = netip.MustParseAddr("172.16.0.9")
		from := throughNAT.route(tester.ESPPorts(translated.Port(), port), tester.OuterSource(translated.Addr()))
		s.drops([][]byte{s.keys.Packet(inner.Bytes(), from...)}, from...)
	})

	for _, c := range []struct {
		name     string
		protocol uint8
	}{{"TCP", protocolTCP}, {"UDP", protocolUDP}} {
		It("delivers "+c.name+" in transport mode with a right checksum though a NAT has changed its source", kit.Requirement("RFC3948-3.1.2-01"),
			func(ctx SpecContext) {
				s := device(ctx, inTransport())
				p := s.segment(c.protocol)
				got := s.takes(p, s.inPacket(p, tester.ESPPorts(translated.Port(), port), tester.OuterSource(translated.Addr())))
				Expect(got).NotTo(BeNil(), "it is delivered")
				Expect(got.Source).To(Equal(translated.Addr()), "from where the NAT has its sender")
				none := c.protocol == protocolUDP && got.Payload[6] == 0 && got.Payload[7] == 0
				Expect(none || sumOf(got.Packet()) == 0).To(BeTrue(), "the host's IP stack takes it")
			})
	}

	It("delivers UDP in transport mode that has no checksum", kit.Requirement("RFC3948-3.1.2-01"), func(ctx SpecContext) {
		s := device(ctx, inTransport())
		p := s.segment(protocolUDP)
		p.Payload[6], p.Payload[7] = 0, 0
		got := s.takes(p, s.inPacket(p, tester.OuterSource(translated.Addr())))
		Expect(got).NotTo(BeNil(), "it is delivered")
		Expect(got.Payload[6] == 0 && got.Payload[7] == 0 || sumOf(got.Packet()) == 0).To(BeTrue(), "the host's IP stack takes it")
	})

	It("lets the host see that the checksum of TCP in tunnel mode is wrong", kit.Requirement("RFC3948-3.1.2-02"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, inTunnel())
		wrong, right := s.segment(protocolTCP), s.segment(protocolTCP)
		wrong.Payload[sumAt(protocolTCP)] ^= 0x40
		since := kit.Now(s.Lab)
		s.inject(s.keys.Packet(wrong.Bytes(), tester.ESPInUDP()))
		got := s.takes(right, s.keys.Packet(right.Bytes(), tester.ESPInUDP()))
		kit.Control(got != nil && sumOf(got.Packet()) == 0, "a segment whose checksum is right is delivered as it is")
		for _, p := range s.delivered(since) {
			if string(p.Payload[20:]) == string(wrong.Payload[20:]) {
				Expect(sumOf(p.Packet())).NotTo(BeZero(), "the host's IP stack drops it")
			}
		}
	})

	It("treats DSCP, ECN, DF and TTL of the outer header as it does without UDP", kit.Requirement("RFC4301-5.1.2.1-02", "RFC4301-5.1.2.1-03", "RFC4301-8.1-01"),
		func(ctx SpecContext) {
			s := device(ctx, inTunnel())
			p := s.outward(0)
			p.TOS, p.DontFragment, p.TTL = 46<<2|2, true, 9
			since := kit.Now(s.Lab)
			s.leaves(p)
			for _, f := range kit.WANSince(s.Lab, since) {
				if ip, ok := lab.ParseIPv4(f.Packet); ok && ip.Source == h1 {
					Expect(ip.TOS).To(Equal(p.TOS))
					Expect(ip.DontFragment).To(BeTrue())
					Expect(ip.TTL).To(BeNumerically(">", 9), "its own")
				}
			}
			for _, w := range ways {
				s := device(ctx, w.setup)
				inner := s.inward()
				inner.TOS = 2
				got := s.takes(inner, s.keys.Packet(inner.Bytes(), w.route(tester.ESPInUDP(), tester.OuterTOS(3))...))
				Expect(got).NotTo(BeNil())
				Expect(got.TOS).To(BeEquivalentTo(3), "congestion on the way is marked on the packet inside")
			}
		})

	It("leaves room for the UDP header", kit.Requirement("RFC4301-8.2.1-01"), func(ctx SpecContext) {
		s := device(ctx, inTunnel())
		mtu := s.tooBig(lab.MTU)
		fits := s.outward(mtu)
		fits.DontFragment = true
		for _, o := range s.leaves(fits) {
			Expect(o.size).To(BeNumerically("<=", lab.MTU))
		}
		Expect(s.tooBig(mtu + 1)).To(Equal(mtu))
	})

	for _, c := range []struct {
		name string
		when policy.Fragmentation
	}{{"before", policy.FragmentBefore}, {"after", policy.FragmentAfter}} {
		It("carries pings of 3000 octets that are fragmented "+c.name+" they are put into UDP", kit.Requirement("RFC4301-8.2.1-02"), func(ctx SpecContext) {
			setup := inTunnel()
			usual := setup.Member
			setup.Member = func(i int, m *policy.Member) { usual(i, m); m.DataPath.Fragment = c.when }
			l := kit.Lab(ctx, setup)
			kit.Precondition(l.Up(ctx), "every member registers")
			since := kit.Now(l)
			probe, err := l.Hosts[0].Ping(ctx, h2, lab.Ping{Count: 2, Size: 3000})
			kit.Precondition(err, "the host pings")
			l.Wait(ctx, lab.Patience, probe.Done)
			Expect(probe.Stop()).To(Equal(lab.PingResult{Sent: 2, Received: 2}))
			for _, o := range sentInUDP(l, since) {
				Expect(o.size).To(BeNumerically("<=", lab.MTU))
			}
		})
	}

	It("uses no SA of ESP in UDP if it does not take part in NAT traversal", kit.Requirement("RFC2407-4.5.3-01"), kit.Negative, func(ctx SpecContext) {
		setup := inTunnel()
		usual, member := setup.Group, setup.Member
		setup.Member = func(i int, c *policy.Member) { member(i, c); c.Phase1.NATTraversal = false }
		setup.Group = func(g *policy.Group) {
			usual(g)
			plain := g.SAs[0]
			plain.Transform.Mode, plain.Selector.Protocol, g.SAs[0].Selector.Protocol = policy.ModeTunnel, protocolICMP, protocolUDP
			g.SAs = append(g.SAs, plain)
		}
		s := device(ctx, setup)
		since := kit.Now(s.Lab)
		p := s.segment(protocolUDP)
		p.Source, p.Destination = h1, h2
		kit.Precondition(s.Hosts[0].Send(p.Bytes()), "the host sends")
		kit.Control(kit.SendingSPI(ctx, s.Lab, 1, 2) != 0, "a packet for an SA that is not in UDP leaves in ESP")
		for _, f := range kit.WANSince(s.Lab, since) {
			ip, ok := lab.ParseIPv4(f.Packet)
			Expect(ok && ip.Source == h1 && ip.Protocol == protocolUDP).To(BeFalse(), "the other one does not leave, in whatever form")
		}
		kit.ExpectRefused(ctx, s.GM[0], "RFC2407-4.5.3-01", BeNumerically(">", 0), "the device counts a refusal")
	})
})

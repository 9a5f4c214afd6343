package dataplane

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// The IPv6 addresses of the hosts.
var (
	h1v6 = lab.HostAddr6(1)
	h2v6 = lab.HostAddr6(2)
)

// six has the group protect IPv6 with that transform, and nothing else.
func six(t policy.Transform) lab.Setup {
	return lab.Setup{IPv6: true, Group: func(g *policy.Group) {
		g.SAs[0].Transform = t
		g.SAs[0].Selector = policy.Selector{Source: lab.Protected6, Destination: lab.Protected6}
	}, Member: func(_ int, m *policy.Member) {
		m.DataPath.Transport = t.Mode == policy.ModeTransport
		for i := 1; i <= 2; i++ {
			m.DataPath.Peers = append(m.DataPath.Peers, policy.TunnelPeer{Network: lab.MemberLAN6(i), Gateway: lab.MemberAddr6(i)})
		}
	}}
}

func sixPreserving(p policy.Preservation) lab.Setup {
	t := lab.GCM()
	t.Preservation = p
	return six(t)
}

var _ = Describe("IPv6 in ESP (RFC 4301 §5.1.2.2, RFC 5374 §3.1)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	for _, c := range []struct {
		name      string
		transform policy.Transform
		octets    []int // of ping data; no more than a path takes, since nobody fragments a packet of IPv6 on its way
	}{
		{"tunnel mode with AES-GCM", lab.GCM(), []int{56, 1300}},
		{"tunnel mode with AES-CBC", lab.CBC(), []int{56, 1300}},
		{"transport mode with AES-GCM", inTransport(lab.GCM()), []int{56, 1300, 3000}},
		{"transport mode with AES-CBC", inTransport(lab.CBC()), []int{56, 1300, 3000}},
	} {
		for _, octets := range c.octets {
			It(fmt.Sprintf("carries pings of %d octets over IPv6 to the other host and back in %s", octets, c.name),
				kit.Requirement("RFC4301-4.1-01"), func(ctx SpecContext) {
					pair(ctx, six(c.transform)).pings6(octets)
				})
		}
	}

	It("carries pings over IPv4 and over IPv6 in a group of both", kit.Requirement("RFC6407-5.5.1-05"), func(ctx SpecContext) {
		s := pair(ctx, lab.Setup{IPv6: true, Group: lab.Protect6})
		s.pings(56)
		s.pings6(56)
	})

	for _, c := range []struct {
		name                string
		value               policy.Preservation
		source, destination netip.Addr
	}{
		{"None", policy.PreserveNone, lab.MemberAddr6(1), lab.MemberAddr6(2)},
		{"Source-Only", policy.PreserveSource, h1v6, lab.MemberAddr6(2)},
		{"Destination-Only", policy.PreserveDestination, lab.MemberAddr6(1), h2v6},
		{"Source-and-Destination", policy.PreserveBoth, h1v6, h2v6},
		{"nothing", policy.PreserveAbsent, h1v6, h2v6},
	} {
		It("keeps the IPv6 addresses that the SA preserves: "+c.name, kit.Requirement("RFC5374-5.1-01", "RFC5374-4.1.2-02", "RFC5374-3.1-01"),
			func(ctx SpecContext) {
				out := device(ctx, sixPreserving(c.value)).protected6(nil)
				Expect([]netip.Addr{out.Outer.Source, out.Outer.Destination}).To(Equal([]netip.Addr{c.source, c.destination}))
			})

		It("carries pings over IPv6 to the other host and back when the SA preserves: "+c.name,
			kit.Requirement("RFC5374-5.1-01", "RFC6407-5.5.1.1.1-02"), func(ctx SpecContext) {
				pair(ctx, sixPreserving(c.value)).pings6(56)
			})
	}

	const versions = "RFC5374-4.1.2-01"
	It("uses no SA that preserves addresses of an IP version that it does not speak outside",
		kit.Requirement(versions, "RFC5374-3.1-03", "RFC5374-5.1-02"), kit.Negative, func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: lab.Protect6}) // without an IPv6 address
			kit.Control(s.leaves1(s.packet()).ESP != nil, "the SA of the version that it speaks is used")
			Expect(kit.Installed(ctx, s.Lab, 1)).To(HaveLen(1), "no other SA is in use")
			kit.ExpectRefused(ctx, s.GM[0], versions, BeNumerically(">", 0), "the device counts a refusal for %s", versions)
		})

	It("does not copy the flow label to the outer header", kit.Requirement("RFC4301-5.1.2.2-01"), func(ctx SpecContext) {
		out := device(ctx, six(lab.GCM())).protected6(func(p *lab.IPv6) { p.FlowLabel = 0x12345 })
		Expect(out.Outer.FlowLabel).NotTo(Equal(uint32(0x12345)), "outer")
		Expect(out.Inner.FlowLabel).To(Equal(uint32(0x12345)), "inner")
	})

	It("keeps extension headers inside", kit.Requirement("RFC4301-5.1.2.1-04"), func(ctx SpecContext) {
		options := lab.Extension{Type: 60, Data: []byte{1, 4, 0, 0, 0, 0}} // destination options, of padding only
		out := device(ctx, six(lab.GCM())).protected6(func(p *lab.IPv6) { p.Extensions = []lab.Extension{options} })
		Expect(out.Outer.Extensions).To(BeEmpty(), "outer")
		Expect(out.Inner.Extensions).To(Equal([]lab.Extension{options}), "inner")
	})

	It("copies the traffic class and gives the outer header a hop limit of its own", kit.Requirement("RFC4301-5.1.2.1-01", "RFC4301-5.1.2.1-02",
		"RFC4301-5.1.2.1-03"), func(ctx SpecContext) {
		s := device(ctx, six(lab.GCM()))
		for _, hops := range []uint8{5, 200} {
			out := s.protected6(func(p *lab.IPv6) { p.HopLimit, p.TrafficClass = hops, dscpEF|ect0 })
			Expect(out.Outer.TrafficClass).To(Equal(uint8(dscpEF | ect0)))
			Expect(out.Outer.HopLimit).To(BeElementOf(uint8(64), uint8(63)))
			Expect(out.Inner.HopLimit).To(Equal(hops-1), "inner")
		}
	})

	It("puts ESP behind the headers that routers read in transport mode", kit.Requirement("RFC4301-4.1-01", "RFC5374-3-01"), func(ctx SpecContext) {
		s := device(ctx, six(inTransport(lab.GCM())))
		options := lab.Extension{Type: 0, Data: []byte{1, 4, 0, 0, 0, 0}} // hop-by-hop options, of padding only
		out := s.protected6(func(p *lab.IPv6) { p.Extensions, p.FlowLabel = []lab.Extension{options}, 0x12345 })
		Expect(out.Outer.Extensions).To(Equal([]lab.Extension{options}))
		Expect(out.Outer.FlowLabel).To(Equal(uint32(0x12345)), "the header is the packet's own")
		Expect(out.ESP.Next).To(Equal(uint8(17)))
	})

	It("marks congestion that the outer header met, and decrements the hop limit, of a packet that it has opened",
		kit.Requirement("RFC4301-5.1.2.1-03", "RFC4301-5.1.2.1-01"), func(ctx SpecContext) {
			s := device(ctx, six(lab.GCM()))
			p := s.back6()
			p.TrafficClass, p.HopLimit = dscpEF|ect0, 63
			got := s.takes6(p, s.forged6(p, func(outer *lab.IPv6) { outer.TrafficClass = ce }))
			Expect(got).NotTo(BeNil(), "it is delivered")
			Expect(got.TrafficClass).To(Equal(uint8(dscpEF | ce)))
			Expect(got.HopLimit).To(Equal(uint8(62)))
		})

	for _, c := range []struct {
		name  string
		alter func(outer *lab.IPv6)
	}{
		{"source", func(outer *lab.IPv6) { outer.Source = lab.HostAddr6(2).Next() }},
		{"destination", func(outer *lab.IPv6) { outer.Destination = lab.HostAddr6(1).Next() }},
	} {
		It("drops an IPv6 packet whose outer "+c.name+" is not the inner one", kit.Requirement("RFC5374-5.2-02"), kit.Negative,
			func(ctx SpecContext) {
				s := device(ctx, six(lab.GCM()))
				bad, good := s.back6(), s.back6()
				before := kit.Now(s.Lab)
				s.inject(s.forged6(bad, c.alter))
				kit.Control(s.takes6(good, s.forged6(good, nil)) != nil, "an honest one is delivered")
				Expect(arrived6(s.onLAN6(before), bad)).To(BeNil())
			})
	}

	It("takes no clear IPv6 packet that the group protects", kit.Requirement("RFC4301-5.2-01"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, six(lab.GCM()))
		bad, good := s.back6(), s.back6()
		before := kit.Now(s.Lab)
		s.inject(bad.Bytes())
		kit.Control(s.takes6(good, s.forged6(good, nil)) != nil, "one in ESP is delivered")
		Expect(arrived6(s.onLAN6(before), bad)).To(BeNil())
	})

	It("puts an ESP packet of IPv6 together that its sender fragmented", kit.Requirement("RFC4303-3.4.1-01"), func(ctx SpecContext) {
		s := device(ctx, six(lab.GCM()))
		p := s.back6()
		p.Payload = append(p.Payload, make([]byte, 1200)...)
		pieces := lab.Fragment(s.forged6(p, nil), 700)
		Expect(s.takes6(p, pieces[1], pieces[0])).NotTo(BeNil())
	})

	It("tells the sender of an IPv6 packet the greatest size that fits, and never fragments it", kit.Requirement("RFC4301-8.2.1-03", "RFC4303-3.3.4-01"),
		func(ctx SpecContext) {
			s := device(ctx, six(lab.GCM()))
			mtu := s.tooBig6(1500)
			Expect(mtu).To(And(BeNumerically("<", 1500-60), BeNumerically(">", 1500-100)))
			out := s.protected6(func(p *lab.IPv6) { p.Payload = append(p.Payload, make([]byte, mtu-len(p.Bytes()))...) })
			Expect(len(out.Outer.Bytes())).To(BeNumerically("<=", lab.MTU), "a packet of that size leaves whole")
			Expect(s.tooBig6(mtu+1)).To(Equal(mtu), "one octet more is too much")
		})

	It("tells a sender of IPv6 the MTU of the path when a router has said that an ESP packet is too big",
		kit.Requirement("RFC4301-8.2.2-01", "RFC4301-8.2.1-03"), func(ctx SpecContext) {
			const narrow = 1380
			s := device(ctx, six(lab.GCM()))
			about := s.protected6(nil).Outer
			icmp := append([]byte{2, 0, 0, 0, 0, 0, narrow >> 8, narrow & 0xff}, about.Bytes()...)
			p := lab.IPv6{Source: lab.KeyServerAddr6, Destination: about.Source, Protocol: 58, Payload: icmp}
			binary.BigEndian.PutUint16(p.Payload[2:], checksum6(p))
			s.inject(p.Bytes())
			s.Pass(ctx, moment)
			Expect(s.tooBig6(1400)).To(And(BeNumerically("<", narrow-60), BeNumerically(">", narrow-100)))
		})
})

// sent6 is an IPv6 packet of hosts as it crosses the WAN.
type sent6 struct {
	Outer lab.IPv6
	ESP   *tester.ESPContent // nil: in clear
	Inner lab.IPv6
}

// packet6 makes a UDP packet from h1 to h2 that its receiver takes no notice of, since its checksum is wrong.
func (s *scene) packet6() lab.IPv6 {
	p := lab.IPv6{Source: h1v6, Destination: h2v6, Protocol: 17, HopLimit: 64, Payload: s.ports(4000, 5000)}
	binary.BigEndian.PutUint16(p.Payload[4:], uint16(len(p.Payload)))
	p.Payload[6] = 0xbd
	return p
}

// back6 makes one from h2 to h1.
func (s *scene) back6() lab.IPv6 {
	p := s.packet6()
	p.Source, p.Destination = p.Destination, p.Source
	return p
}

func same6(a, b lab.IPv6) bool {
	return a.Source == b.Source && a.Destination == b.Destination && a.Protocol == b.Protocol && slices.Equal(a.Payload, b.Payload)
}

// protected6 has h1 send a packet, altered, and returns it as it leaves in ESP.
func (s *scene) protected6(alter func(*lab.IPv6)) sent6 {
	GinkgoHelper()
	p := s.packet6()
	if alter != nil {
		alter(&p)
	}
	before := kit.Now(s.Lab)
	kit.Precondition(s.Hosts[0].Send(p.Bytes()), "the host sends")
	var found *sent6
	Expect(s.Wait(s.ctx, lab.Patience, func() bool {
		for _, out := range s.onWAN6(before) {
			if same6(out.Inner, p) {
				found = &out
			}
		}
		return found != nil
	})).To(BeTrue(), "the packet leaves the device")
	Expect(found.ESP).NotTo(BeNil(), "it leaves in ESP")
	return *found
}

// onWAN6 returns the IPv6 packets of hosts that crossed the WAN since the mark, put together from fragments. ESP that the
// group's keys do not open ends the spec as failed.
func (s *scene) onWAN6(m kit.Mark) (all []sent6) {
	GinkgoHelper()
	var parts lab.Reassembler
	for _, f := range kit.WANSince(s.Lab, m) {
		ip, ok := lab.ParseIPv6(f.Packet)
		if ok {
			Expect(len(f.Packet)).To(BeNumerically("<=", lab.MTU))
			ip, ok = parts.Add6(ip)
		}
		switch {
		case !ok:
		case ip.Protocol == lab.ProtocolESP:
			all = append(all, s.open6(ip))
		case lab.Protected6.Contains(ip.Source) && lab.Protected6.Contains(ip.Destination):
			all = append(all, sent6{Outer: ip, Inner: ip})
		}
	}
	return all
}

func (s *scene) open6(outer lab.IPv6) sent6 {
	GinkgoHelper()
	spi, _, ok := outer.SPI()
	Expect(ok).To(BeTrue(), "ESP has an SPI and a sequence number")
	keys := s.keysOf(kit.SPI(spi))
	Expect(keys).NotTo(BeNil(), "the SPI %08x is the group's", spi)
	content, err := keys.Open(lab.IPv4{Protocol: lab.ProtocolESP, Payload: outer.Payload}.Bytes()) // ESP does not see the header
	Expect(err).NotTo(HaveOccurred(), "what crosses the WAN can be opened with the group's keys")
	inner, ok := lab.ParseIPv6(content.Inner)
	if !ok || content.Next != nextIPv6 {
		inner = outer
		inner.Protocol, inner.Payload = content.Next, content.Inner
	}
	return sent6{Outer: outer, ESP: &content, Inner: inner}
}

// nextIPv6 is the Next Header of an IPv6 packet in tunnel mode (RFC 4303 §2.6).
const nextIPv6 = 41

// forged6 protects a packet as h2's member does with both addresses preserved, but for what is altered of the outer header.
func (s *scene) forged6(inner lab.IPv6, alter func(outer *lab.IPv6)) []byte {
	GinkgoHelper()
	esp, ok := lab.ParseIPv4(s.group().Packet(inner.Bytes(), tester.ESPNext(nextIPv6)))
	kit.Reached(ok, "the tester makes ESP")
	outer := lab.IPv6{Source: inner.Source, Destination: inner.Destination, TrafficClass: inner.TrafficClass,
		Protocol: lab.ProtocolESP, Payload: esp.Payload}
	if alter != nil {
		alter(&outer)
	}
	return outer.Bytes()
}

// takes6 puts packets on the WAN and returns the inner one as the host gets it, nil if it does not within a little while.
func (s *scene) takes6(inner lab.IPv6, packets ...[]byte) (got *lab.IPv6) {
	before := kit.Now(s.Lab)
	s.inject(packets...)
	s.Wait(s.ctx, lab.Patience, func() bool {
		got = arrived6(s.onLAN6(before), inner)
		return got != nil
	})
	return got
}

// onLAN6 returns the IPv6 packets that the device delivered to its LAN since the mark.
func (s *scene) onLAN6(m kit.Mark) (all []lab.IPv6) {
	for _, f := range s.Frames()[m:] {
		if ip, ok := lab.ParseIPv6(f.Packet); ok && f.Link == lab.LANName(1) && ip.Source != h1v6 {
			all = append(all, ip)
		}
	}
	return all
}

func arrived6(lan []lab.IPv6, p lab.IPv6) *lab.IPv6 {
	for i := range lan {
		if same6(lan[i], p) {
			return &lan[i]
		}
	}
	return nil
}

// tooBig6 has h1 send a packet that is too big, and returns the MTU that it is told.
func (s *scene) tooBig6(octets int) int {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	p := s.packet6()
	p.Payload = append(p.Payload, make([]byte, octets-len(p.Bytes()))...)
	kit.Precondition(s.Hosts[0].Send(p.Bytes()), "the host sends")
	var told lab.IPv6
	Expect(s.Wait(s.ctx, lab.Patience, func() bool {
		for _, ip := range s.onLAN6(before) {
			if ip.Protocol == 58 && len(ip.Payload) >= 8 && ip.Payload[0] == 2 {
				told = ip
			}
		}
		return told.Payload != nil
	})).To(BeTrue(), "the host is told that %d octets are too many", octets)
	Expect(told.Destination).To(Equal(h1v6))
	Expect(checksum6(told)).To(BeZero(), "under a right checksum")
	quoted, ok := lab.ParseIPv6(append(told.Payload[8:len(told.Payload):len(told.Payload)], make([]byte, octets)...))
	Expect(ok && quoted.Source == h1v6 && quoted.Destination == h2v6).To(BeTrue(), "and which packet that was")
	Expect(s.onWAN6(before)).To(BeEmpty(), "nothing of it leaves")
	return int(binary.BigEndian.Uint32(told.Payload[4:]))
}

// checksum6 is that of a payload behind the pseudo-header, 0 if it holds a right one (RFC 8200 §8.1).
func checksum6(p lab.IPv6) uint16 {
	pseudo := slices.Concat(p.Source.AsSlice(), p.Destination.AsSlice())
	pseudo = binary.BigEndian.AppendUint32(pseudo, uint32(len(p.Payload)))
	return lab.Checksum(slices.Concat(pseudo, []byte{0, 0, 0, p.Protocol}, p.Payload))
}

// pings6 is pings over IPv6.
func (s *scene) pings6(octets int) {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	probe, err := s.Hosts[0].Ping(s.ctx, s.Hosts[1].Addr6(), lab.Ping{Count: 2, Size: octets})
	kit.Precondition(err, "the host pings")
	s.Wait(s.ctx, lab.Patience, probe.Done)
	Expect(probe.Stop()).To(Equal(lab.PingResult{Sent: 2, Received: 2}))
	all := s.onWAN6(before)
	Expect(len(all)).To(BeNumerically(">=", 4), "requests and answers cross the WAN")
	for _, out := range all {
		Expect(out.ESP).NotTo(BeNil())
	}
}

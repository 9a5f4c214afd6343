package dataplane

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// inTransport is a transform in transport mode.
func inTransport(t policy.Transform) policy.Transform {
	t.Mode, t.Preservation = policy.ModeTransport, policy.PreserveAbsent
	return t
}

// asHost has a member take SAs in transport mode.
func asHost(_ int, m *policy.Member) { m.DataPath.Transport = true }

// transporting is a group and a device in transport mode.
func transporting(t policy.Transform) lab.Setup {
	return lab.Setup{Group: withTransform(inTransport(t)), Member: asHost}
}

var _ = Describe("Transport mode (RFC 4303 §3.1.1, RFC 5374 §3)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	const mode = "RFC5374-3-02"

	It("uses no SA in transport mode, being a security gateway, and sends nothing of its flows in clear", kit.Requirement(mode),
		kit.Negative, func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: func(g *policy.Group) {
				udp, icmp := g.SAs[0], g.SAs[0]
				udp.Selector.Protocol, udp.Transform = 17, inTransport(lab.GCM())
				icmp.Selector.Protocol = 1
				g.SAs = []policy.SAPolicy{udp, icmp}
			}})
			transit, next := s.udp(4000, 5000), s.packet()
			all := s.leaves(transit, next)
			kit.Control(find(all, next).ESP != nil, "a packet for the SA in tunnel mode leaves in ESP")
			Expect(find(all, transit)).To(BeNil(), "the other one does not leave, in whatever form")
			kit.ExpectRefused(ctx, s.GM[0], mode, BeNumerically(">", 0), "the device counts a refusal for %s", mode)
		})

	for _, c := range []struct {
		name      string
		transform policy.Transform
	}{{"AES-GCM", lab.GCM()}, {"AES-CBC", lab.CBC()}} {
		It("protects what is behind the IP header and leaves the header: "+c.name, kit.Requirement("RFC5374-3-01", "RFC4301-4.1-01"),
			func(ctx SpecContext) {
				s := device(ctx, transporting(c.transform))
				p := s.packet()
				p.TOS, p.DontFragment, p.Options = dscpEF|ect0, true, []byte{0x94, 4, 0, 0}
				out := s.leaves1(p)
				Expect(out.ESP).NotTo(BeNil(), "it leaves in ESP")
				Expect(out.ESP.Next).To(Equal(p.Protocol), "the Next Header is the packet's protocol")
				Expect(out.ESP.Inner).To(Equal(p.Payload))
				kept := out.Outer
				kept.Protocol, kept.Payload, kept.TTL = p.Protocol, p.Payload, p.TTL
				Expect(kept).To(Equal(p), "all of the header is as it was, but for protocol and TTL")
				Expect(out.Outer.TTL).To(BeNumerically("<", p.TTL), "it is forwarded")
			})

		It("gives a packet that it receives back its protocol: "+c.name, kit.Requirement("RFC5374-3-01", "RFC4301-4.1-01"),
			func(ctx SpecContext) {
				s := device(ctx, transporting(c.transform))
				p := s.back()
				got := s.takes(p, s.transport(p))
				Expect(got).NotTo(BeNil(), "it is delivered")
				Expect(got.Protocol).To(Equal(p.Protocol))
			})

		for _, octets := range []int{56, 1400, 3000} {
			It(fmt.Sprintf("carries pings of %d octets to the other host and back in transport mode: %s", octets, c.name),
				kit.Requirement("RFC5374-3-01", "RFC4301-4.1-01"), func(ctx SpecContext) {
					s := pair(ctx, transporting(c.transform))
					s.pings(octets)
				})
		}
	}

	It("drops a packet in transport mode whose protocol the SA does not cover", kit.Requirement("RFC4301-5.2-01"), kit.Negative,
		func(ctx SpecContext) {
			setup := transporting(lab.GCM())
			setup.Group = func(g *policy.Group) {
				g.SAs[0].Transform = inTransport(lab.GCM())
				toPort5000(g)
			}
			s := device(ctx, setup)
			good, bad := s.udp(4000, 5000), s.back()
			good.Source, good.Destination = h2, h1
			before, refused := kit.Now(s.Lab), kit.Refused(ctx, s.GM[0], "RFC4301-5.2-01")
			s.inject(s.transport(bad))
			kit.Control(s.takes(good, s.transport(good)) != nil, "one of the protocol is delivered")
			Expect(arrived(s.onLAN(before), bad)).To(BeNil())
			kit.ExpectRefused(ctx, s.GM[0], "RFC4301-5.2-01", Equal(refused+1))
		})

	It("puts fragments together before it protects them, and fragments the protected packet", kit.Requirement("RFC4301-4.1-01", "RFC4303-3.1.1-01"),
		func(ctx SpecContext) {
			setup := transporting(lab.GCM())
			s := device(ctx, setup)
			p := sized(s.udp(4000, 5000), 2400)
			p.ID = 4711
			before := kit.Now(s.Lab)
			for _, piece := range lab.Fragment(p.Bytes(), lab.MTU) {
				kit.Precondition(s.Hosts[0].Send(piece), "the host sends")
			}
			Expect(s.Wait(ctx, lab.Patience, func() bool { return find(s.onWAN(before), p) != nil })).To(BeTrue(),
				"the whole packet leaves under one ESP header")
			Expect(s.onWAN(before)).To(HaveLen(1))
			Expect(find(s.onWAN(before), p).ESP).NotTo(BeNil())
			Expect(find(s.onWAN(before), p).Size).To(BeNumerically("<=", lab.MTU))
		})

	It("tells the sender of a packet with DF what fits in transport mode", kit.Requirement("RFC4301-8.2.1-01", "RFC4303-3.3.4-01"),
		func(ctx SpecContext) {
			s := device(ctx, transporting(lab.GCM()))
			mtu := s.tooBig(1500)
			fits := sized(s.packet(), mtu)
			fits.DontFragment = true
			out := s.leaves1(fits)
			Expect(out.ESP).NotTo(BeNil(), "a packet of that size leaves in ESP")
			Expect(out.Size).To(BeNumerically("<=", lab.MTU))
			Expect(s.tooBig(mtu + 1)).To(Equal(mtu))
		})
})

// transport makes an ESP packet of the group's SA in transport mode.
func (s *scene) transport(p lab.IPv4) []byte {
	GinkgoHelper()
	return s.group().Packet(p.Payload, tester.ESPNext(p.Protocol), tester.OuterSource(p.Source), tester.OuterDestination(p.Destination))
}

// pings has h1 ping h2 with so many octets, and states that nothing of it crosses the WAN in clear, or in packets that are
// too big.
func (s *scene) pings(octets int) {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	probe, err := s.Hosts[0].Ping(s.ctx, h2, lab.Ping{Count: 2, Size: octets})
	kit.Precondition(err, "the host pings")
	s.Wait(s.ctx, lab.Patience, probe.Done)
	Expect(probe.Stop()).To(Equal(lab.PingResult{Sent: 2, Received: 2}))
	all := s.onWAN(before)
	Expect(len(all)).To(BeNumerically(">=", 4), "requests and answers cross the WAN")
	for _, out := range all {
		Expect(out.ESP).NotTo(BeNil())
		Expect(out.Size).To(BeNumerically("<=", lab.MTU))
	}
}

package dataplane

import (
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// toGroup has the group protect what its hosts send to a multicast address, in that direction, beside all that they send to
// each other. Its PUSH messages go to the lab's multicast address, so that the WAN brings the device what is sent there.
func toGroup(to netip.Prefix, d policy.Direction) lab.Setup {
	return lab.Setup{IPv6: true, Group: func(g *policy.Group) {
		lab.Multicast(g)
		sa := g.SAs[0]
		sa.Selector.Source, sa.Selector.Destination, sa.Transform.Direction = lab.Protected, to, d
		if to.Addr().Is6() {
			sa.Selector.Source = lab.Protected6
		}
		g.SAs = []policy.SAPolicy{sa, g.SAs[0]}
	}}
}

// single is the prefix of one address.
func single(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

var _ = Describe("Flows to a multicast group (RFC 5374 §4.1.1, §5)", kit.Subject("dataplane"), kit.DUT(rule.GM), kit.Needs(lab.NeedMulticast), func() {
	group := lab.MulticastGroup

	for _, c := range []struct {
		name      string
		direction policy.Direction
	}{
		{"symmetric", policy.DirectionSymmetric}, {"sender-only", policy.DirectionSenderOnly},
	} {
		It("protects what a host sends to a group and keeps the group's address outside: "+c.name,
			kit.Requirement("RFC5374-4.1.1-02", "RFC5374-3.1-01", "RFC5374-3.1-02"), func(ctx SpecContext) {
				s := device(ctx, toGroup(single(group), c.direction))
				p := s.udp(4000, 5000)
				p.Destination = group
				out := s.leaves1(p)
				Expect(out.ESP).NotTo(BeNil(), "it leaves in ESP")
				Expect([]netip.Addr{out.Outer.Source, out.Outer.Destination}).To(Equal([]netip.Addr{h1, group}))
				other := s.leaves1(s.packet())
				Expect(other.ESP.SPI).NotTo(Equal(out.ESP.SPI), "packets to a host leave under their own SA")
			})
	}

	for _, c := range []struct {
		name      string
		direction policy.Direction
	}{
		{"symmetric", policy.DirectionSymmetric}, {"receiver-only", policy.DirectionReceiverOnly},
	} {
		It("takes what another member's host sends to a group by the selectors as they were sent: "+c.name,
			kit.Requirement("RFC5374-4.1.1-01", "RFC5374-4.1.1-02", "RFC5374-5.2-01", "RFC4303-2.1-02"), func(ctx SpecContext) {
				s := device(ctx, toGroup(single(group), c.direction))
				p := s.udp(4000, 5000)
				p.Source, p.Destination = h2, group
				Expect(s.takes(p, s.multicast(0).Packet(p.Bytes()))).NotTo(BeNil())
			})
	}

	It("does not take from a group on a sender-only SA", kit.Requirement("RFC5374-4.1.1-02", "RFC6407-5.5.1.1.2-02"), kit.Negative,
		func(ctx SpecContext) {
			s := device(ctx, toGroup(single(group), policy.DirectionSenderOnly))
			p := s.udp(4000, 5000)
			p.Source, p.Destination = h2, group
			before := kit.Now(s.Lab)
			s.inject(s.multicast(0).Packet(p.Bytes()))
			inner := s.back()
			kit.Control(s.takes(inner, s.multicast(1).Packet(inner.Bytes())) != nil, "a packet to a host is delivered")
			Expect(arrived(s.onLAN(before), p)).To(BeNil())
		})

	It("does not send to a group on a receiver-only SA, nor in clear", kit.Requirement("RFC5374-4.1.1-02", "RFC6407-5.5.1.1.2-02"), kit.Negative,
		func(ctx SpecContext) {
			s := device(ctx, toGroup(single(group), policy.DirectionReceiverOnly))
			p, next := s.udp(4000, 5000), s.packet()
			p.Destination = group
			all := s.leaves(p, next)
			kit.Control(find(all, next).ESP != nil, "a packet to a host leaves in ESP")
			Expect(find(all, p)).To(BeNil())
		})

	It("protects what a host sends to a group of IPv6", kit.Requirement("RFC5374-4.1.1-02", "RFC5374-3.1-01"), func(ctx SpecContext) {
		group := netip.MustParseAddr("ff15::1")
		s := device(ctx, toGroup(single(group), policy.DirectionSymmetric))
		out := s.protected6(func(p *lab.IPv6) { p.Destination = group })
		Expect([]netip.Addr{out.Outer.Source, out.Outer.Destination}).To(Equal([]netip.Addr{h1v6, group}))
	})
})

// multicast is the SA of that place in the group's policy.
func (s *scene) multicast(place int) *tester.ESPKeys {
	GinkgoHelper()
	spis := s.spis()
	kit.Reached(place < len(spis), "the key server has keys for each SA")
	return s.sa(spis[place])
}

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

// fromOne is toGroup for what one host sends to a group of hosts, with that preservation of addresses.
func fromOne(source netip.Addr, p policy.Preservation) lab.Setup {
	setup := toGroup(single(lab.MulticastGroup), policy.DirectionSymmetric)
	usual := setup.Group
	setup.Group = func(g *policy.Group) {
		usual(g)
		g.SAs[0].Selector.Source, g.SAs[0].Transform.Preservation = single(source), p
	}
	return setup
}

var _ = Describe("SAs of one source and a group of hosts (RFC 4303 §2.1, RFC 5374 §5)", kit.Subject("dataplane"), kit.DUT(rule.GM), kit.Needs(lab.NeedMulticast), func() {
	for _, c := range []struct {
		name  string
		value policy.Preservation
		outer netip.Addr // of what the device sends
		other netip.Addr // of what the other member sends
	}{
		{"both addresses are preserved", policy.PreserveBoth, h1, h2},
		{"the destination is preserved only", policy.PreserveDestination, lab.MemberAddr(1), lab.MemberAddr(2)},
	} {
		It("sends what its host sends under the SA of that source, and what another host sends not: "+c.name,
			kit.Requirement("RFC5374-4.1.1-02", "RFC5374-3.1-01", "RFC4303-2.1-04"), kit.Negative, func(ctx SpecContext) {
				s := device(ctx, fromOne(h1, c.value))
				p, foreign, next := s.udp(4000, 5000), s.udp(4000, 5000), s.packet()
				p.Destination, foreign.Destination = lab.MulticastGroup, lab.MulticastGroup
				foreign.Source = nobody
				out := s.leaves1(p)
				kit.Control(out.ESP != nil && out.ESP.SPI == s.multicast(0).SPI, "what that source sends leaves under its SA")
				Expect([]netip.Addr{out.Outer.Source, out.Outer.Destination}).To(Equal([]netip.Addr{c.outer, lab.MulticastGroup}))
				if other := find(s.leaves(foreign, next), foreign); other != nil && other.ESP != nil {
					Expect(other.ESP.SPI).NotTo(Equal(out.ESP.SPI), "what another source sends does not")
				}
			})

		It("takes from the source of the SA and from no other: "+c.name, kit.Requirement("RFC4303-2.1-04", "RFC5374-5.2-01"), kit.Negative,
			func(ctx SpecContext) {
				s := device(ctx, fromOne(h2, c.value))
				p, foreign := s.udp(4000, 5000), s.udp(4000, 5000)
				p.Source, p.Destination = h2, lab.MulticastGroup
				foreign.Source, foreign.Destination = h2.Next(), lab.MulticastGroup
				before := kit.Now(s.Lab)
				outer := func(inner lab.IPv4) tester.ESPOption {
					if c.value == policy.PreserveBoth {
						return tester.OuterSource(inner.Source)
					}
					return tester.OuterSource(c.other)
				}
				s.inject(s.multicast(0).Packet(foreign.Bytes(), outer(foreign)))
				kit.Control(s.takes(p, s.multicast(0).Packet(p.Bytes(), outer(p))) != nil, "what that source sends is delivered")
				Expect(arrived(s.onLAN(before), foreign)).To(BeNil(), "what another source sends is not")
			})
	}
})

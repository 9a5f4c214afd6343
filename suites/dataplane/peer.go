package dataplane

import (
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// eachOther tells two members which of them stands in front of which network.
func eachOther(_ int, m *policy.Member) {
	for i := 1; i <= 2; i++ {
		m.DataPath.Peers = append(m.DataPath.Peers, policy.TunnelPeer{Network: lab.MemberLAN(i), Gateway: lab.MemberAddr(i)})
	}
}

// preservations are all that a SAT can say of addresses (RFC 6407 §5.5.1.1.1), with the outer addresses of a packet from h1
// to h2.
var preservations = []struct {
	name                string
	value               policy.Preservation
	source, destination netip.Addr
}{
	{"None", policy.PreserveNone, lab.MemberAddr(1), lab.MemberAddr(2)},
	{"Source-Only", policy.PreserveSource, h1, lab.MemberAddr(2)},
	{"Destination-Only", policy.PreserveDestination, lab.MemberAddr(1), h2},
	{"Source-and-Destination", policy.PreserveBoth, h1, h2},
}

var _ = Describe("Tunnel peers (RFC 5374 §5.1, RFC 6407 §5.5.1.1.1)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	for _, c := range preservations {
		It("puts the addresses of gateways where those of hosts are not preserved: "+c.name,
			kit.Requirement("RFC5374-5.1-01", "RFC5374-4.1.2-02", "RFC6407-5.5.1.1.1-02"), func(ctx SpecContext) {
				s := device(ctx, lab.Setup{Group: preserving(c.value), Member: eachOther})
				out := s.leaves1(s.packet())
				Expect(out.ESP).NotTo(BeNil(), "it leaves in ESP")
				Expect([]netip.Addr{out.Outer.Source, out.Outer.Destination}).To(Equal([]netip.Addr{c.source, c.destination}))
			})

		for _, octets := range []int{56, 3000} {
			It(fmt.Sprintf("carries pings of %d octets to the other host and back: %s", octets, c.name),
				kit.Requirement("RFC5374-5.1-01", "RFC6407-5.5.1.1.1-02"), func(ctx SpecContext) {
					pair(ctx, lab.Setup{Group: preserving(c.value), Member: eachOther}).pings(octets)
				})
		}
	}

	It("takes the peer with the longest prefix", kit.Requirement("RFC5374-5.1-01"), func(ctx SpecContext) {
		s := device(ctx, lab.Setup{Group: preserving(policy.PreserveNone), Member: func(i int, m *policy.Member) {
			m.DataPath.Peers = []policy.TunnelPeer{{Network: lab.Protected, Gateway: lab.MemberAddr(9)}}
			eachOther(i, m)
		}})
		Expect(s.leaves1(s.packet()).Outer.Destination).To(Equal(lab.MemberAddr(2)))
	})

	// forged is a packet of h2 as the other member sends it, but for its outer addresses.
	forged := func(s *scene, inner lab.IPv4, source, destination netip.Addr) []byte {
		GinkgoHelper()
		return s.group().Packet(inner.Bytes(), tester.OuterSource(source), tester.OuterDestination(destination))
	}

	for _, source := range []netip.Addr{lab.MemberAddr(2), h2, netip.MustParseAddr("10.0.9.9")} {
		It(fmt.Sprintf("takes a packet from %s on an SA that preserves no address", source),
			kit.Requirement("RFC6407-5.5.1.1.1-02", "RFC5374-5.1-01"), func(ctx SpecContext) {
				s := device(ctx, lab.Setup{Group: preserving(policy.PreserveNone), Member: eachOther})
				inner := s.back()
				Expect(s.takes(inner, forged(s, inner, source, lab.MemberAddr(1)))).NotTo(BeNil())
			})
	}

	It("drops a packet whose outer source is not the inner one on an SA that preserves the source only",
		kit.Requirement("RFC5374-5.2-02", "RFC5374-5.2-03"), kit.Negative, func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: preserving(policy.PreserveSource), Member: eachOther})
			bad, good := s.back(), s.back()
			before, refused := kit.Now(s.Lab), kit.Refused(ctx, s.GM[0], "RFC5374-5.2-02")
			s.inject(forged(s, bad, netip.MustParseAddr("10.0.9.9"), lab.MemberAddr(1)))
			kit.Control(s.takes(good, forged(s, good, h2, lab.MemberAddr(1))) != nil, "one with the right source is delivered")
			Expect(arrived(s.onLAN(before), bad)).To(BeNil())
			kit.ExpectRefused(ctx, s.GM[0], "RFC5374-5.2-02", Equal(refused+1))
		})
})

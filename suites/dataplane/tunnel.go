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

// preserving has the group's SA say so of addresses.
func preserving(p policy.Preservation) func(*policy.Group) {
	t := lab.GCM()
	t.Preservation = p
	return withTransform(t)
}

var _ = Describe("Tunnel mode with address preservation (RFC 5374 §3.1, §5; RFC 6407 §5.5.1.1.1)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	for _, c := range []struct {
		name   string
		value  policy.Preservation
		source netip.Addr
		ids    []string
	}{
		{"keeps both inner addresses in the outer header when the SA says Source-and-Destination", policy.PreserveBoth, h1,
			[]string{"RFC6407-5.5.1.1.1-02", "RFC5374-3.1-01", "RFC5374-3.1-02", "RFC5374-5.1-01"}},
		{"keeps both inner addresses in the outer header when the SA says nothing", policy.PreserveAbsent, h1,
			[]string{"RFC6407-5.5.1.1.1-01", "RFC5374-3.1-01", "RFC5374-3.1-02"}},
		{"keeps the inner destination and sends from its own address when the SA says Destination-Only", policy.PreserveDestination,
			lab.MemberAddr(1), []string{"RFC6407-5.5.1.1.1-02", "RFC5374-3.1-01", "RFC5374-5.1-01", "RFC5374-4.1.2-02"}},
	} {
		It(c.name, kit.Requirement(c.ids...), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: preserving(c.value)})
			out := s.leaves1(s.packet())
			Expect(out.ESP).NotTo(BeNil(), "it leaves in ESP")
			Expect(out.Outer.Source).To(Equal(c.source), "outer source")
			Expect(out.Outer.Destination).To(Equal(h2), "outer destination")
		})
	}

	for _, c := range []struct {
		name  string
		value policy.Preservation
	}{
		{"sends nothing in clear on an SA that preserves no address, having no tunnel peer", policy.PreserveNone},
		{"sends nothing in clear on an SA that preserves the source only, having no tunnel peer", policy.PreserveSource},
	} {
		It(c.name, kit.Requirement("RFC6407-5.5.1.1.1-02"), func(ctx SpecContext) {
			s := stage(ctx, lab.Setup{Group: preserving(c.value)})
			kit.Precondition(s.KS.Start(ctx), "the key server starts")
			kit.Precondition(s.GM[0].Start(ctx), "the device starts")
			kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the device registers")
			before := kit.Now(s.Lab)
			unprotected := s.packet()
			unprotected.Destination = outsider
			s.leaves(s.packet(), unprotected)
			for _, p := range s.onWAN(before) {
				Expect(p.ESP != nil || p.Inner.Destination == outsider).To(BeTrue(), "%v -> %v is not in clear", p.Inner.Source, p.Inner.Destination)
			}
		})
	}

	elsewhere := netip.MustParseAddr("10.0.9.9")
	const mismatch = "RFC5374-5.2-02"
	for _, c := range []struct {
		name   string
		value  policy.Preservation
		option tester.ESPOption
	}{
		{"drops a packet whose outer source is not the inner one", policy.PreserveBoth, tester.OuterSource(elsewhere)},
		{"drops a packet whose outer destination is not the inner one", policy.PreserveBoth, tester.OuterDestination(nobody)},
		{"drops a packet whose outer source is not the inner one, on an SA that says nothing of addresses", policy.PreserveAbsent,
			tester.OuterSource(elsewhere)},
		{"drops a packet whose outer destination is not the inner one, on an SA that preserves the destination only",
			policy.PreserveDestination, tester.OuterDestination(nobody)},
	} {
		It(c.name, kit.Requirement(mismatch, "RFC5374-5.2-03"), kit.Negative, func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: preserving(c.value)})
			s.drops(mismatch, s.group().Packet(s.back().Bytes(), c.option))
		})
	}

	It("takes a packet from any outer source on an SA that preserves the destination only",
		kit.Requirement("RFC6407-5.5.1.1.1-02", "RFC5374-5.1-01"), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: preserving(policy.PreserveDestination)})
			inner := s.back()
			Expect(s.takes(inner, s.group().Packet(inner.Bytes(), tester.OuterSource(lab.MemberAddr(2))))).NotTo(BeNil())
		})

	It("finds the SA of a packet that is addressed to the host behind it", kit.Requirement("RFC5374-5.2-01", "RFC4303-2.1-01"),
		func(ctx SpecContext) {
			s := device(ctx, lab.Setup{})
			inner := s.back()
			Expect(s.takes(inner, s.group().Packet(inner.Bytes()))).NotTo(BeNil())
		})
})

// outsider is an address on the WAN that the group does not protect.
var outsider = lab.KeyServerAddr

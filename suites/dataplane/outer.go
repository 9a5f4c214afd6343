package dataplane

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// carrying has the members carry packets like that.
func carrying(alter func(*policy.DataPath)) func(int, *policy.Member) {
	return func(_ int, m *policy.Member) { alter(&m.DataPath) }
}

var dfPolicies = []struct {
	name  string
	value policy.DFPolicy
	outer func(inner bool) bool
}{
	{"copied", policy.DFCopy, func(inner bool) bool { return inner }},
	{"set", policy.DFSet, func(bool) bool { return true }},
	{"cleared", policy.DFClear, func(bool) bool { return false }},
}

var _ = Describe("Outer headers by configuration (RFC 4301 §5.1.2.1, §8.1)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	for _, df := range dfPolicies {
		for _, inner := range []bool{false, true} {
			It(fmt.Sprintf("sends the outer DF bit %s when that of the packet is %t", df.name, inner), kit.Requirement("RFC4301-8.1-01"),
				func(ctx SpecContext) {
					s := device(ctx, lab.Setup{Member: carrying(func(d *policy.DataPath) { d.DF = df.value })})
					p := s.packet()
					p.DontFragment = inner
					out := s.leaves1(p)
					Expect(out.ESP).NotTo(BeNil(), "it leaves in ESP")
					Expect(out.Outer.DontFragment).To(Equal(df.outer(inner)), "outer")
					Expect(out.Inner.DontFragment).To(Equal(inner), "inner")
				})

			for _, mtu := range []int{1500, 1400} {
				It(fmt.Sprintf("treats 1500 octets with DF %t on a link of %d as their sender wants when the outer DF bit is %s", inner, mtu, df.name),
					kit.Exhaustive, kit.Requirement("RFC4301-8.2.1-01", "RFC4301-8.2.1-02", "RFC4301-8.1-01"), func(ctx SpecContext) {
						s := device(ctx, lab.Setup{Member: func(_ int, m *policy.Member) { m.DataPath.DF, m.MTU = df.value, mtu }})
						if inner {
							Expect(s.tooBig(1500)).To(And(BeNumerically("<", mtu), BeNumerically(">", mtu-80)))
							return
						}
						before := kit.Now(s.Lab)
						p := sized(s.packet(), 1500)
						s.send(p)
						s.leaves1(s.packet())
						all := s.onWAN(before)
						Expect(whole(all, p)).To(BeTrue(), "the pieces make up the packet")
						for _, out := range all {
							Expect(out.ESP).NotTo(BeNil(), "every piece leaves in ESP")
							Expect(out.Size).To(BeNumerically("<=", mtu))
							Expect(out.Outer.DontFragment).To(Equal(df.outer(false)), "outer DF")
						}
						Expect(fragmentationNeeded(s.onLAN(before))).To(BeNil(), "the host is told nothing")
					})
			}
		}
	}

	for _, c := range []struct {
		name   string
		value  policy.Fragmentation
		pieces int // ESP packets that a packet of 1500 octets makes
	}{
		{"fragments a packet before it protects it when the configuration says so", policy.FragmentBefore, 2},
		{"fragments the protected packet when the configuration says so", policy.FragmentAfter, 1},
	} {
		It(c.name, kit.Requirement("RFC4301-8.2.1-02"), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Member: carrying(func(d *policy.DataPath) { d.Fragment = c.value })})
			before := kit.Now(s.Lab)
			p := sized(s.packet(), 1500)
			s.send(p)
			s.leaves1(s.packet())
			all := s.onWAN(before)
			Expect(whole(all, p)).To(BeTrue(), "the pieces make up the packet")
			Expect(all).To(HaveLen(c.pieces+1), "ESP packets, with that of the next packet")
			for _, out := range all {
				Expect(out.ESP).NotTo(BeNil())
				Expect(out.Size).To(BeNumerically("<=", lab.MTU))
			}
		})

		for _, octets := range []int{1400, 3000} {
			It(fmt.Sprintf("carries pings of %d octets whole to the other host and back: %s", octets, c.name), kit.Requirement("RFC4301-8.2.1-02"),
				func(ctx SpecContext) {
					pair(ctx, lab.Setup{Member: carrying(func(d *policy.DataPath) { d.Fragment = c.value })}).pings(octets)
				})
		}
	}

	for _, inner := range []uint8{0, dscpEF | ect0} {
		It(fmt.Sprintf("sends the DSCP of the configuration with a packet of DSCP %d and leaves ECN as it is", inner>>2),
			kit.Requirement("RFC4301-5.1.2.1-05", "RFC4301-5.1.2.1-03"), func(ctx SpecContext) {
				ten := uint8(10)
				s := device(ctx, lab.Setup{Member: carrying(func(d *policy.DataPath) { d.DSCP = &ten })})
				p := s.packet()
				p.TOS = inner
				out := s.leaves1(p)
				Expect(out.ESP).NotTo(BeNil(), "it leaves in ESP")
				Expect(out.Outer.TOS).To(Equal(ten<<2|inner&ce), "outer")
				Expect(out.Inner.TOS).To(Equal(inner), "inner")
			})
	}

	It("sends the TTL of the configuration", kit.Requirement("RFC4301-5.1.2.1-01"), func(ctx SpecContext) {
		s := device(ctx, lab.Setup{Member: carrying(func(d *policy.DataPath) { d.TTL = 200 })})
		p := s.packet()
		p.TTL = 5
		// A kernel that forwards what the device made counts one hop on it.
		Expect(s.leaves1(p).Outer.TTL).To(BeElementOf(uint8(200), uint8(199)))
	})
})

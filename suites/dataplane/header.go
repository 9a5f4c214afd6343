package dataplane

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// The ECN field (RFC 3168 §5).
const (
	notECT = iota
	ect1
	ect0
	ce
)

const dscpEF = 46 << 2 // expedited forwarding, in the place of the DSCP

var _ = Describe("Headers at encapsulation (RFC 4301 §5.1.2.1, §8.1)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	// protected has the host send a packet and returns it as it leaves in ESP.
	protected := func(s *scene, p lab.IPv4) sent {
		GinkgoHelper()
		out := s.leaves1(p)
		Expect(out.ESP).NotTo(BeNil(), "it leaves in ESP")
		return out
	}

	It("decrements the TTL of a packet before it protects it", kit.Requirement("RFC4301-5.1.2.1-01"), func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		for _, ttl := range []uint8{64, 2} {
			p := s.packet()
			p.TTL = ttl
			Expect(protected(s, p).Inner.TTL).To(Equal(ttl - 1))
		}
	})

	It("gives the outer header a TTL of its own", kit.Requirement("RFC4301-5.1.2.1-01"), func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		low, high := s.packet(), s.packet()
		low.TTL, high.TTL = 5, 200
		Expect(protected(s, low).Outer.TTL).To(And(Equal(protected(s, high).Outer.TTL), BeNumerically(">", 31)))
	})

	It("does not send a packet whose TTL ends here", kit.Requirement("RFC4301-5.1.2.1-01"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		p, next := s.packet(), s.packet()
		p.TTL = 1
		all := s.leaves(p, next)
		kit.Control(find(all, next) != nil, "the next packet leaves")
		Expect(find(all, p)).To(BeNil())
	})

	for _, tos := range []uint8{0, dscpEF, 10 << 2} {
		It(fmt.Sprintf("copies the DSCP %d to the outer header", tos>>2), kit.Requirement("RFC4301-5.1.2.1-02"), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{})
			p := s.packet()
			p.TOS = tos
			out := protected(s, p)
			Expect(out.Outer.TOS).To(Equal(tos), "outer")
			Expect(out.Inner.TOS).To(Equal(tos), "inner")
		})
	}

	for ecn, name := range []string{"Not-ECT", "ECT(1)", "ECT(0)", "CE"} {
		It("copies the ECN field "+name+" to the outer header", kit.Requirement("RFC4301-5.1.2.1-03"), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{})
			p := s.packet()
			p.TOS = dscpEF | uint8(ecn)
			Expect(protected(s, p).Outer.TOS & 3).To(Equal(uint8(ecn)))
		})
	}

	for _, dont := range []bool{false, true} {
		It(fmt.Sprintf("copies the DF bit to the outer header when it is %t", dont), kit.Requirement("RFC4301-8.1-01"), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{})
			p := s.packet()
			p.DontFragment = dont
			out := protected(s, p)
			Expect(out.Outer.DontFragment).To(Equal(dont), "outer")
			Expect(out.Inner.DontFragment).To(Equal(dont), "inner")
		})
	}

	It("keeps IP options inside", kit.Requirement("RFC4301-5.1.2.1-04"), func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		p := s.packet()
		p.Options = []byte{0x94, 4, 0, 0} // Router Alert, which is copied to fragments
		out := protected(s, p)
		Expect(out.Outer.Options).To(BeEmpty(), "outer")
		Expect(out.Inner.Options).To(Equal(p.Options), "inner")
	})
})

var _ = Describe("Headers at decapsulation (RFC 4301 §5.1.2.1)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	// delivered has the device get a packet of that inner TOS under a header of that outer TOS, and returns it as the host
	// gets it.
	delivered := func(s *scene, inner, outer uint8) *lab.IPv4 {
		GinkgoHelper()
		p := s.back()
		p.TOS = inner
		return s.takes(p, s.group().Packet(p.Bytes(), tester.OuterTOS(outer)))
	}

	It("decrements the TTL of a packet that it has opened", kit.Requirement("RFC4301-5.1.2.1-01"), func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		p := s.back()
		p.TTL = 63
		got := s.takes(p, s.group().Packet(p.Bytes()))
		Expect(got).NotTo(BeNil(), "it is delivered")
		Expect(got.TTL).To(Equal(uint8(62)))
	})

	It("does not deliver a packet whose TTL ends here", kit.Requirement("RFC4301-5.1.2.1-01"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		before := kit.Now(s.Lab)
		p := s.back()
		p.TTL = 1
		s.inject(s.group().Packet(p.Bytes()))
		kit.Control(s.honest(), "the next packet is delivered")
		Expect(arrived(s.onLAN(before), p)).To(BeNil())
		s.Pass(ctx, moment)
		Expect(s.answers(before)).To(BeEmpty(), "nothing of it is quoted in clear")
	})

	It("leaves the inner DSCP alone when the outer one was changed on the way", kit.Requirement("RFC4301-5.1.2.1-02"), func(ctx SpecContext) {
		got := delivered(device(ctx, lab.Setup{}), dscpEF, 10<<2)
		Expect(got).NotTo(BeNil(), "it is delivered")
		Expect(got.TOS).To(Equal(uint8(dscpEF)))
	})

	for _, c := range []struct {
		name                string
		inner, outer, after uint8
	}{
		{"marks congestion on an inner packet that is ECT(0)", ect0, ce, ce},
		{"marks congestion on an inner packet that is ECT(1)", ect1, ce, ce},
		{"leaves ECT(0) as it is when the outer header met no congestion", ect0, ect0, ect0},
		{"leaves ECT(1) as it is when the outer header says ECT(0)", ect1, ect0, ect1},
	} {
		It(c.name, kit.Requirement("RFC4301-5.1.2.1-03"), func(ctx SpecContext) {
			got := delivered(device(ctx, lab.Setup{}), dscpEF|c.inner, dscpEF|c.outer)
			Expect(got).NotTo(BeNil(), "it is delivered")
			Expect(got.TOS).To(Equal(uint8(dscpEF | c.after)))
		})
	}

	It("does not mark congestion on an inner packet that is not ECN-capable", kit.Requirement("RFC4301-5.1.2.1-03"), kit.Negative,
		func(ctx SpecContext) {
			s := device(ctx, lab.Setup{})
			before := kit.Now(s.Lab)
			p := s.back()
			s.inject(s.group().Packet(p.Bytes(), tester.OuterTOS(ce)))
			kit.Control(s.honest(), "the next packet is delivered")
			if got := arrived(s.onLAN(before), p); got != nil { // a later RFC wants it dropped
				Expect(got.TOS).To(Equal(uint8(notECT)))
			}
		})
})

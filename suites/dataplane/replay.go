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

var _ = Describe("Anti-replay at a member (RFC 4303 §3.4.3)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	const window = 64
	watched := func(ctx SpecContext) *scene {
		return device(ctx, lab.Setup{Member: func(_ int, c *policy.Member) { c.ReplayWindow = window }})
	}
	// numbered puts a packet of that number on the WAN and reports whether the host gets it, before an honest one that is
	// later than all.
	numbered := func(s *scene, n uint32) bool {
		GinkgoHelper()
		inner := s.back()
		before := kit.Now(s.Lab)
		s.inject(s.group().Packet(inner.Bytes(), tester.ESPSequence(n)))
		last := s.back()
		kit.Control(s.takes(last, s.group().Packet(last.Bytes(), tester.ESPSequence(highest(s)))) != nil,
			"a packet with a higher number is delivered")
		return arrived(s.onLAN(before), inner) != nil
	}

	It("takes no sequence number twice", kit.Requirement("RFC4303-3.4.3-04", "RFC4303-3.4.3-01"), kit.Negative, func(ctx SpecContext) {
		s := watched(ctx)
		inner := s.back()
		packet := s.group().Packet(inner.Bytes())
		Expect(s.takes(inner, packet)).NotTo(BeNil(), "the first copy is delivered")
		s.drops("RFC4303-3.4.3-04", packet)
	})

	It("takes no packet with the sequence number 0", kit.Requirement("RFC4303-3.4.3-04"), kit.Negative, func(ctx SpecContext) {
		s := watched(ctx)
		inner := s.back()
		s.drops("RFC4303-3.4.3-04", s.group().Packet(inner.Bytes(), tester.ESPSequence(0)))
	})

	for _, c := range []struct {
		back  uint32
		taken bool
		ids   []string
	}{
		{31, true, []string{"RFC4303-3.4.3-06"}},
		{window - 1, true, []string{"RFC4303-3.4.3-06", "RFC4303-3.4.3-07"}},
		{window, false, []string{"RFC4303-3.4.3-06", "RFC4303-3.4.3-07"}},
		{window + 1, false, []string{"RFC4303-3.4.3-06", "RFC4303-3.4.3-07"}},
	} {
		verb, labels := "takes", kit.Requirement(c.ids...)
		if !c.taken {
			verb, labels = "drops", append(labels, kit.Negative...)
		}
		It(fmt.Sprintf("%s a packet that is %d behind the highest number, with a window of %d", verb, c.back, window), labels,
			func(ctx SpecContext) {
				s := watched(ctx)
				const top = 1000
				inner := s.back()
				kit.Reached(s.takes(inner, s.group().Packet(inner.Bytes(), tester.ESPSequence(top))) != nil, "the highest number is taken")
				Expect(numbered(s, top-c.back)).To(Equal(c.taken))
			})
	}

	It("does not move the window for a packet that is not authentic", kit.Requirement("RFC4303-3.4.3-08"), kit.Negative,
		func(ctx SpecContext) {
			s := watched(ctx)
			inner := s.back()
			kit.Reached(s.takes(inner, s.group().Packet(inner.Bytes())) != nil, "the first packet is taken")
			far := s.back()
			s.drops("RFC4303-3.4.4.2-01", s.group().Packet(far.Bytes(), tester.ESPSequence(1<<20), tester.ESPFlip(-1)))
		})

	It("judges the sequence number before the ICV", kit.Requirement("RFC4303-3.4.3-05"), kit.Negative, func(ctx SpecContext) {
		s := watched(ctx)
		inner := s.back()
		kit.Reached(s.takes(inner, s.group().Packet(inner.Bytes(), tester.ESPSequence(1))) != nil, "the first packet is taken")
		s.drops("RFC4303-3.4.3-04", s.group().Packet(inner.Bytes(), tester.ESPSequence(1), tester.ESPFlip(-1)))
	})

	It("takes the packets of several senders, whatever their numbers, when anti-replay is off as the group's SAs need it",
		kit.Requirement("RFC4303-3.4.3-03", "RFC4303-3.4.3-01"), kit.Feature("no-window"), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{})
			for _, n := range []uint32{500, 1, 501, 2, 2, 0, 1} {
				inner := s.back()
				Expect(s.takes(inner, s.group().Packet(inner.Bytes(), tester.ESPSequence(n)))).NotTo(BeNil(), "number %d", n)
			}
		})
})

// highest is a sequence number above all that a spec has used so far.
func highest(s *scene) uint32 { return 1<<24 + uint32(s.packets) }

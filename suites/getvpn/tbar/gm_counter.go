package tbar

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// pair is device with the key server under test and the first member its witness.
func pair(ctx SpecContext, setup lab.Setup) *scene {
	GinkgoHelper()
	return device(ctx, setup)
}

// window demands that the first member has a window of so many packets.
func (s *scene) window(n int) {
	GinkgoHelper()
	top := uint32(n) + 1000
	inner := s.back()
	kit.Reached(s.takes(inner, s.group().Packet(inner.Bytes(), tester.ESPSequence(top))), "the highest number is taken")
	at := func(back int) []tester.ESPOption { return []tester.ESPOption{tester.ESPSequence(top - uint32(back))} }
	got := s.taken(tester.ESPSequence(top+1), at(n-1), at(n), at(n-1), at(0))
	Expect(got[0]).To(BeTrue(), "the oldest number of the window")
	Expect(got[1:]).To(HaveEach(false), "a number left of the window, and two that have come before")
}

var _ = Describe("Anti-replay by counters at a member (GET VPN)", kit.Subject("tbar"), kit.DUT(rule.GM), func() {
	It("takes no number twice, and none that is left of the window of the group", kit.Requirement("GETVPN-CBAR-02"), kit.Negative, func(ctx SpecContext) {
		device(ctx, with(policy.AntiReplay{Method: policy.ReplayCounter, Counter: 128})).window(128)
	})

	It("has a window of 64 packets if the SAT says nothing", kit.Requirement("GETVPN-CBAR-01"), kit.Negative, func(ctx SpecContext) {
		device(ctx, with(policy.AntiReplay{})).window(64)
	})

	It("drops the packets of the slower of two senders, since both count under one SA", kit.Requirement("GETVPN-CBAR-03"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, with(policy.AntiReplay{}))
		const ahead = 500
		for n := uint32(ahead); n < ahead+3; n++ {
			fast := s.back()
			Expect(s.takes(fast, s.group().Packet(fast.Bytes(), tester.ESPSequence(n)))).To(BeTrue(), "number %d of the faster sender", n)
		}
		at := func(n uint32) []tester.ESPOption { return []tester.ESPOption{tester.ESPSequence(n)} }
		Expect(s.taken(tester.ESPSequence(ahead+3), at(1), at(2), at(3))).To(HaveEach(false), "packets of the slower sender, which are as good")
	})

	It("drops what a sender that has restarted sends, until that has reached its old number or a rekey has come", kit.Requirement("GETVPN-CBAR-04"), kit.Negative,
		func(ctx SpecContext) {
			s := device(ctx, with(policy.AntiReplay{}))
			const n = 200
			before := s.back()
			kit.Reached(s.takes(before, s.group().Packet(before.Bytes(), tester.ESPSequence(n))), "the packet with number 200 is taken")
			at := func(n uint32) []tester.ESPOption { return []tester.ESPOption{tester.ESPSequence(n)} }
			Expect(s.taken(tester.ESPSequence(n+1), at(1), at(2), at(n-64), at(n))).To(HaveEach(false), "packets of the sender that counts from 1 again")
			rekey := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			kit.Reached(kit.Takes(ctx, s.Lab, 1, rekey), "the device takes a rekey")
			after := s.back()
			Expect(s.takes(after, s.group().Packet(after.Bytes(), tester.ESPSequence(1)))).To(BeTrue(), "number 1 under the new SA")
		})
})

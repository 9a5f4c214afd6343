package sequence

import (
	"math"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Sequence numbers at a group member (RFC 6407 §4.4)", kit.Subject("sequence"), kit.DUT(rule.GM), func() {
	// refuses has the device see a PUSH that is right but for its number, signed with it, and then the right one.
	refuses := func(ctx SpecContext, number func(last uint32) uint32) {
		l := kit.Up(ctx, lab.Setup{Members: 2, Hosts: true})
		accepted := kit.Rekey(ctx, l, control.RekeyArgs{}) // KS --> GM  HDR*, SEQ 1, SA, KD, SIG
		kit.Reached(kit.Has(ctx, l, 1, accepted.SPIs[0]), "the member follows an ordinary rekey")
		refused := kit.Refused(ctx, l.GM[0], "RFC6407-4.4-02")

		Expect(l.KS.Misbehave(tester.Taps(tester.SEQ(core.Push, number(accepted.Sequence))))).To(Succeed())
		stale := kit.Rekey(ctx, l, control.RekeyArgs{}) // KS --> GM  HDR*, SEQ not above 1, SA, KD, SIG
		Expect(kit.AwaitRefusal(ctx, l, l.GM[0], "RFC6407-4.4-02", refused, kit.Never)).
			To(BeTrue(), "the member says that it refused the message for its number")
		Expect(kit.Installed(ctx, l, 1)).To(And(ContainElement(accepted.SPIs[0]), Not(ContainElement(stale.SPIs[0]))), "it goes on with the keys it had")

		Expect(l.KS.Misbehave(nil)).To(Succeed())
		next := kit.Rekey(ctx, l, control.RekeyArgs{}) // KS --> GM  HDR*, SEQ 3, SA, KD, SIG
		kit.Control(kit.Has(ctx, l, 1, next.SPIs[0]), "the next rekey with a right number is accepted")
	}

	It("drops a rekey whose SEQ equals the last", kit.Requirement("RFC6407-4.4-02", "RFC6407-7.3.4-01"), kit.Negative,
		func(ctx SpecContext) { refuses(ctx, func(last uint32) uint32 { return last }) })

	It("drops a rekey whose SEQ is below the last", kit.Requirement("RFC6407-4.4-02", "RFC6407-7.3.4-01"), kit.Negative,
		func(ctx SpecContext) { refuses(ctx, func(last uint32) uint32 { return last - 1 }) })

	It("drops a rekey whose SEQ is 0", kit.Requirement("RFC6407-4.4-02"), kit.Negative,
		func(ctx SpecContext) { refuses(ctx, func(uint32) uint32 { return 0 }) })

	It("accepts a rekey whose SEQ is far ahead, and then nothing up to it", kit.Requirement("RFC6407-4.4-02", "RFC6407-7.3.4-01"), kit.Negative,
		func(ctx SpecContext) {
			l := kit.Up(ctx, lab.Setup{Members: 2, Hosts: true})
			Expect(l.KS.Misbehave(tester.Taps(tester.SEQ(core.Push, 1000)))).To(Succeed())
			ahead := kit.Rekey(ctx, l, control.RekeyArgs{}) // KS --> GM  HDR*, SEQ 1000, SA, KD, SIG
			Expect(kit.Has(ctx, l, 1, ahead.SPIs[0])).To(BeTrue(), "it takes number 1000 after 0")

			Expect(l.KS.Misbehave(nil)).To(Succeed())
			second := kit.Rekey(ctx, l, control.RekeyArgs{}) // KS --> GM  HDR*, SEQ 2, SA, KD, SIG
			Expect(l.KS.Misbehave(tester.Taps(tester.SEQ(core.Push, 999)))).To(Succeed())
			below := kit.Rekey(ctx, l, control.RekeyArgs{}) // KS --> GM  HDR*, SEQ 999, SA, KD, SIG
			Expect(kit.AwaitRefusal(ctx, l, l.GM[0], "RFC6407-4.4-02", 1, kit.Never)).To(BeTrue())
			kit.ExpectRefused(ctx, l.GM[0], "RFC6407-4.4-02", BeEquivalentTo(2))
			Expect(kit.Installed(ctx, l, 1)).To(And(ContainElement(ahead.SPIs[0]), Not(ContainElement(second.SPIs[0])), Not(ContainElement(below.SPIs[0]))),
				"it goes on with the keys it had")

			Expect(l.KS.Misbehave(tester.Taps(tester.SEQ(core.Push, 1001)))).To(Succeed())
			next := kit.Rekey(ctx, l, control.RekeyArgs{}) // KS --> GM  HDR*, SEQ 1001, SA, KD, SIG
			kit.Control(kit.Has(ctx, l, 1, next.SPIs[0]), "it takes number 1001")
		})

	It("accepts the highest number that there is", kit.Requirement("RFC6407-4.4-02", "RFC6407-5-02"), kit.Feature("multicast"), func(ctx SpecContext) {
		l := kit.Up(ctx, lab.Setup{Members: 2, Hosts: true, Group: lab.Multicast})
		Expect(l.KS.Misbehave(tester.Taps(tester.SEQ(core.Push, math.MaxUint32)))).To(Succeed())
		highest := kit.Rekey(ctx, l, control.RekeyArgs{}) // KS --> GM  HDR*, SEQ 2^32-1, SA, KD, SIG
		Expect(kit.Has(ctx, l, 1, highest.SPIs[0])).To(BeTrue(), "the member takes number %d", uint32(math.MaxUint32))
	})

	It("accepts a rekey whose SEQ is one above the last", kit.Requirement("RFC6407-4.4-02"), func(ctx SpecContext) {
		l := kit.Up(ctx, lab.Setup{Members: 2, Hosts: true})
		for range 3 {
			rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
			Expect(kit.Has(ctx, l, 1, rekey.SPIs[0])).To(BeTrue(), "the member follows rekey %d", rekey.Sequence)
		}
	})
})

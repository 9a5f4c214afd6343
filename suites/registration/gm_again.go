package registration

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Registration and rekeys at a member (RFC 6407 §3.2, §3.3)", kit.Subject("registration"), kit.DUT(rule.GM), func() {
	// refusesNumber has the key server send a PUSH that is right but for that number, and the right one.
	refusesNumber := func(ctx SpecContext, l *lab.Lab, number uint32) {
		GinkgoHelper()
		before := sending(ctx, l)
		Expect(before).NotTo(Equal(nothing))
		misbehave(l, tester.SEQ(core.Push, number))
		stale := kit.Rekey(ctx, l, control.RekeyArgs{})
		Expect(kit.AwaitRefusal(ctx, l, l.GM[0], "RFC6407-4.4-02", 0, kit.Never)).
			To(BeTrue(), "the member says that it refused number %d", number)
		Expect(sending(ctx, l)).To(Equal(before), "it does not go over to %s", stale.SPIs)
		behave(l)
		next := kit.Rekey(ctx, l, control.RekeyArgs{})
		kit.Control(follows(ctx, l, next.SPIs[0]), "the next rekey with a right number is accepted")
	}

	It("refuses a rekey with the number that it was given at registration", kit.Requirement("RFC6407-3.2-15"), kit.Negative,
		func(ctx SpecContext) {
			l := newLab(ctx, nil, nil)
			start(ctx, l)
			kit.Precondition(l.GM[0].AwaitRegistered(ctx), "the member registers")
			var last control.RekeyResult
			for range 2 {
				last = kit.Rekey(ctx, l, control.RekeyArgs{})
				kit.Reached(follows(ctx, l, last.SPIs[0]), "the member follows a rekey")
			}
			kit.Precondition(l.GM[0].Clear(ctx), "the operator has it forget everything")
			kit.Reached(registers(ctx, l, 1), "the member registers afresh") // KS --> GM  HDR*, HASH(4), SEQ 2, KD
			refusesNumber(ctx, l, last.Sequence)
		})

	It("does not go back to the policy of a registration that a rekey has overtaken", kit.Requirement("RFC6407-3.3-05"), kit.Negative,
		func(ctx SpecContext) {
			l := newLab(ctx, nil, nil)
			start(ctx, l)
			kit.Precondition(l.GM[0].AwaitRegistered(ctx), "the member registers")
			held := intercept(l, func(n int, c *lab.Crossing) {
				if n == 2 {
					c.Delay = 300 * time.Millisecond
				}
			})
			kit.Precondition(l.GM[0].Register(ctx), "the operator has it register again")
			kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return held.count() == 2 }), "message 4 is under way")
			newer := kit.Rekey(ctx, l, control.RekeyArgs{}) // overtakes message 4
			Expect(follows(ctx, l, newer.SPIs[0])).To(BeTrue(), "the member follows the rekey")
			before := sending(ctx, l)
			l.Pass(ctx, 400*time.Millisecond)
			Expect(sending(ctx, l)).To(Equal(before), "the older message 4 changes nothing")
			refusesNumber(ctx, l, newer.Sequence)
		})

	It("begins the numbers anew with a new KEK", kit.Requirement("RFC6407-3.2-17"), func(ctx SpecContext) {
		l := newLab(ctx, nil, nil)
		start(ctx, l)
		kit.Precondition(l.GM[0].AwaitRegistered(ctx), "the member registers")
		for _, args := range []control.RekeyArgs{{}, {}, {KEK: true}} {
			rekey := kit.Rekey(ctx, l, args) // KS --> GM  HDR*, SEQ 1 to 3, SA, KD, SIG
			kit.Reached(follows(ctx, l, rekey.SPIs[0]), "the member follows a rekey")
		}
		first := kit.Rekey(ctx, l, control.RekeyArgs{}) // KS --> GM  HDR*, SEQ 1, SA, KD, SIG
		Expect(first.Sequence).To(BeEquivalentTo(1))
		Expect(follows(ctx, l, first.SPIs[0])).To(BeTrue(), "the member takes number 1 under the new KEK")
	})

	It("registers again when the IVs of its Sender-ID are used up", kit.Negative,
		kit.Requirement("RFC6407-5.6.4.3-03", "RFC6407-5.6.4.3-02", "RFC6407-5.6.4.3-05", "RFC6054-5-03"), func(ctx SpecContext) {
			const ivs = 16 // what a SID of 60 bits leaves
			l := newLab(ctx, nil, nil)
			misbehave(l, tester.Once(keyWith(gdoi.KDTypeSID, "a SID of 60 bits", wire.TV(gdoi.SIDBits, 60))))
			start(ctx, l)
			kit.Precondition(l.GM[0].AwaitRegistered(ctx), "the member registers")
			kit.Reached(sending(ctx, l) != nothing, "the member sends")
			chatter(ctx, l, 10*time.Millisecond)
			Expect(awaitPulls(ctx, l, 2)).To(BeTrue(), "it registers again, though nothing has expired")
			Expect(registers(ctx, l, 1)).To(BeTrue())
			kit.Control(l.Wait(ctx, lab.Patience, func() bool { return len(sent(l, 0)) > ivs }), "it sends on with its new Sender-ID")
			Expect(sent(l, 0)[ivs].At).To(BeTemporally(">", pulls(l)[1].began), "not with the old one")
		})
})

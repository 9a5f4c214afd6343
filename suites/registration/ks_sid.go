package registration

import (
	"fmt"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// ksSIDs is how many SIDs of 8 bits there are, the default of the lab's group.
const ksSIDs = 256

// ksGiven returns the SIDs in a message 4.
func ksGiven(m capture.Message) []string { return ksValues(m, ksSID+"/SID_VALUE") }

// ksCount lists the numbers from the first to the one before the last.
func ksCount(first, last int) (numbers []string) {
	for n := first; n < last; n++ {
		numbers = append(numbers, strconv.Itoa(n))
	}
	return numbers
}

var _ = Describe("Sender-IDs of a key server (RFC 6407 §3.5, RFC 6054 §4)", kit.Subject("registration"), kit.DUT(rule.KS), func() {
	It("hands out SIDs in sequence from 0, each to one member",
		kit.Requirement("RFC6407-3.5-08", "RFC6407-3.5-03", "RFC6054-3-02", "RFC6054-4-02"), func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{Members: 3})
			for i := 1; i <= 3; i++ {
				ksCome(ctx, l, i)
				Expect(ksGiven(ksFourth(ctx, l, i))).To(Equal(ksCount(i-1, i)), "SIDs of member %d", i)
			}
		})

	It("gives a member that registers again another SID",
		kit.Requirement("RFC6407-3.5-09", "RFC6407-3.5-03", "RFC6054-4-03"), func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{Members: 2})
			ksCome(ctx, l, 1)
			ksFourth(ctx, l, 1)
			ksAgain(ctx, l, 1)
			ksCome(ctx, l, 2)
			ksFourth(ctx, l, 2)
			ksAgain(ctx, l, 1)
			registrations := ksAllPulls(l, "PULL4")
			Expect(registrations).To(HaveLen(4))
			for n, m := range registrations {
				Expect(ksGiven(m)).To(Equal(ksCount(n, n+1)), "registration %d", n+1)
			}
		})

	It("gives a member as many SIDs as it asks for",
		kit.Requirement("RFC6407-3.4-03", "RFC6407-5.6.4.2-01", "RFC6407-5.4.2-01"), func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{Members: 2})
			ksCome(ctx, l, 1, tester.SenderIDRequest(3))
			Expect(ksGiven(ksFourth(ctx, l, 1))).To(Equal(ksCount(0, 3)))
			ksCome(ctx, l, 2)
			Expect(ksGiven(ksFourth(ctx, l, 2))).To(Equal(ksCount(3, 4)), "they are gone for others")
		})

	It("gives one SID to a member whose request is empty", kit.Requirement("RFC6407-3.5-02"), func(ctx SpecContext) {
		l := ksLab(ctx, lab.Setup{})
		ksCome(ctx, l, 1, tester.Request("an empty GAP", nil))
		Expect(ksGiven(ksFourth(ctx, l, 1))).To(HaveLen(1))
	})

	It("gives all SIDs that there are to a member that asks for them", kit.Requirement("RFC6054-4-05"), func(ctx SpecContext) {
		l := ksLab(ctx, lab.Setup{})
		ksCome(ctx, l, 1, tester.SenderIDRequest(ksSIDs))
		Expect(l.Wait(ctx, lab.Patience, func() bool { return len(ksPulls(l, 1, "PULL4")) > 0 })).
			To(BeTrue(), "the key server answers message 3")
		Expect(ksGiven(ksPulls(l, 1, "PULL4")[0])).To(Equal(ksCount(0, ksSIDs)))
	})

	It("refuses a member that asks for more SIDs than there are, and keeps its keys", kit.Requirement("RFC6054-4-05"), kit.Negative,
		func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{})
			ksRefuses(ctx, l, 1, "RFC6054-4-05", tester.SenderIDRequest(ksSIDs+1))
			offers := ksPulls(l, 1, "PULL2")
			Expect(offers).To(HaveLen(2))
			Expect(ksValues(offers[1], "SA/SAT/SPI")).To(Equal(ksValues(offers[0], "SA/SAT/SPI")))
			Expect(ksGiven(kit.Last(ksPulls(l, 1, "PULL4")))).To(Equal(ksCount(0, 1)))
		})

	It("makes new SAs and keys when the SIDs are used up, and begins again at 0",
		kit.Requirement("RFC6407-3.5-10", "RFC6054-4-05", "RFC6054-4-08"), func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{Members: 2})
			ksUseUp(ctx, l)
			old, oldKeys := kit.Last(ksPulls(l, 1, "PULL2")), kit.Last(ksPulls(l, 1, "PULL4"))
			ksCome(ctx, l, 2)
			Expect(l.Wait(ctx, lab.Patience, func() bool { return len(ksPulls(l, 2, "PULL4")) > 0 })).To(BeTrue(), "another member registers")
			offer, keys := kit.Last(ksPulls(l, 2, "PULL2")), kit.Last(ksPulls(l, 2, "PULL4"))
			Expect(ksGiven(keys)).To(Equal(ksCount(0, 1)))
			for _, path := range []string{"SA/SAT/SPI", "SA/SAK/SPI"} {
				Expect(kit.Value(offer, path)).NotTo(Or(BeEmpty(), Equal(kit.Value(old, path))), path)
			}
			for _, path := range []string{ksTEK + "/TEK_ALGORITHM_KEY", ksKEK + "/KEK_ALGORITHM_KEY"} {
				Expect(kit.Value(keys, path)).NotTo(Or(BeEmpty(), Equal(kit.Value(oldKeys, path))), path)
			}
		})

	It("tells the members to delete everything when the SIDs are used up",
		kit.Requirement("RFC6407-3.5-11", "RFC6407-3.5-10"), func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{Members: 2})
			ksUseUp(ctx, l)
			ksCome(ctx, l, 2)
			Expect(l.Wait(ctx, lab.Patience, func() bool { return len(kit.MessagesSince(l, 0, "PUSH")) > 0 })).
				To(BeTrue(), "the members get a PUSH")
			push := kit.MessagesSince(l, 0, "PUSH")[0]
			Expect(push.To).To(Equal(l.GM[0].Addr()))
			Expect(ksValues(push, "D/Protocol")).To(Equal([]string{"ESP (1)", "KEK (0)"}))
			Expect(l.GM[0].AwaitLog(ctx, "SA_REMOVED", 0, lab.Patience)).To(BeTrue(), "the member understands it")
		})

	It("never gives a SID twice for the same SA", kit.Requirement("RFC6407-3.5-03", "RFC6407-3.5-10", "RFC6407-3.5-01", "RFC6054-4-02"),
		func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{Members: 2, Member: hasty})
			ksTake(ctx, l, ksSIDs/ksPortion-1)
			ksCome(ctx, l, 2, tester.SenderIDRequest(ksPortion+1)) // more than are left
			Expect(l.Wait(ctx, lab.Patience, func() bool { return len(ksPulls(l, 2, "PULL4")) > 0 })).
				To(BeTrue(), "another member registers in the end")
			Expect(l.GM[0].AwaitRegistered(ctx)).To(Succeed())

			given := map[string]bool{}
			offered := map[string]string{} // SPI by exchange
			for _, m := range ksAllPulls(l, "") {
				exchange := fmt.Sprint(m.Header.InitiatorCookie, m.Header.MessageID)
				if m.Kind == "PULL2" {
					offered[exchange] = kit.Value(m, "SA/SAT/SPI")
				}
				for _, sid := range ksGiven(m) {
					Expect(given[offered[exchange]+sid]).To(BeFalse(), "SID %s of SA %s", sid, offered[exchange])
					given[offered[exchange]+sid] = true
				}
			}
			Expect(len(given)).To(BeNumerically(">=", ksSIDs+1))
		})
})

// ksPortion is how many SIDs a member asks for that uses them up: so many that message 4 fits into a packet.
const ksPortion = 64

// ksUseUp has member 1 register until all SIDs are gone.
func ksUseUp(ctx SpecContext, l *lab.Lab) {
	GinkgoHelper()
	ksTake(ctx, l, ksSIDs/ksPortion)
	Expect(ksGiven(kit.Last(ksPulls(l, 1, "PULL4")))).To(Equal(ksCount(ksSIDs-ksPortion, ksSIDs)))
}

// ksTake has member 1 register so many times, for a portion of the SIDs each time.
func ksTake(ctx SpecContext, l *lab.Lab, times int) {
	GinkgoHelper()
	ksCome(ctx, l, 1, tester.SenderIDRequest(ksPortion))
	ksFourth(ctx, l, 1)
	for range times - 1 {
		ksAgain(ctx, l, 1)
	}
	Expect(l.GM[0].AwaitRegistered(ctx)).To(Succeed())
}

package membership

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Acknowledgements by a member (profile getvpn)", kit.Subject(subject), kit.DUT(rule.GM), kit.Feature("ack"), func() {
	It("acknowledges each rekey by unicast once, with a key that the rekey's own KEK gives", kit.Requirement("GETVPN-ACK-01"), func(ctx SpecContext) {
		l := kit.Up(ctx, of(1, acknowledged))
		for n, what := range []control.RekeyArgs{{}, {KEK: true}, {}} {
			since := kit.Now(l)
			rekey := kit.Rekey(ctx, l, what)
			Expect(l.Wait(ctx, lab.Patience, func() bool { return len(acks(l, since, 1)) > 0 })).To(BeTrue(), "it acknowledges rekey %d", n+1)
			push, ack := pushes(l, since)[0], acks(l, since, 1)[0]
			Expect(kit.Value(ack, "SEQ")).To(Equal(kit.Value(push, "SEQ")), "the number %d", rekey.Sequence)
			Expect(ack.Header.InitiatorCookie).To(Equal(push.Header.InitiatorCookie))
			Expect(kit.Checked(ack, "ACK HASH")).To(Equal(capture.OK))
			l.Pass(ctx, kit.Settle)
			Expect(acks(l, since, 1)).To(HaveLen(1))
		}
		kit.Reading("GETVPN-ACK-01", "acknowledges in the form of RFC 8263, in clear, under a key from the KEK that protected the rekey, also where that brings a new one")
	})

	It("acknowledges no rekey by multicast, though its SAK asks for it", kit.Requirement("GETVPN-ACK-03"), kit.Negative, func(ctx SpecContext) {
		l := kit.Lab(ctx, of(1, lab.Multicast))
		Expect(l.KS.Misbehave(tester.Taps(asking(core.Pull2)))).To(Succeed())
		kit.Precondition(l.Up(ctx), "the member registers")
		Expect(l.KS.Misbehave(nil)).To(Succeed())
		rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
		kit.Control(kit.Takes(ctx, l, 1, rekey), "it takes the rekey")
		l.Pass(ctx, kit.Settle)
		Expect(acks(l, 0, 1)).To(BeEmpty())
	})
})

// asking has the SAK in messages of that kind ask for an acknowledgement.
func asking(kind core.Kind) tester.Deviation {
	return tester.EditSAK(kind, "an acknowledgement asked for", func(s *gdoi.SAK) {
		s.Attributes = append(s.Attributes, wire.TV(gdoi.KEKAckRequested, 1))
	})
}

var _ = Describe("Acknowledgements at a key server (profile getvpn)", kit.Subject(subject), kit.DUT(rule.KS), kit.Feature("ack"), func() {
	It("records of each member which rekey it has acknowledged", kit.Requirement("GETVPN-ACK-02"), func(ctx SpecContext) {
		l := kit.Up(ctx, of(3, acknowledged))
		Expect(l.GM[2].Misbehave(tester.Taps(tester.Withhold(core.PushACK)))).To(Succeed())
		rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
		Expect(l.Wait(ctx, lab.Patience, func() bool { return len(acks(l, 0, 1)) > 0 && len(acks(l, 0, 2)) > 0 })).To(BeTrue())
		Expect(l.Wait(ctx, lab.Patience, func() bool {
			have := recorded(ctx, l)
			return have[0] == rekey.Sequence && have[1] == rekey.Sequence
		})).To(BeTrue(), "those of two members")
		Expect(recorded(ctx, l)[2]).To(BeZero(), "and of the third none")
	})

	It("reminds a silent member of a rekey until it acknowledges it, and nobody else", kit.Requirement("GETVPN-ACK-06"),
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			const interval = 10 * time.Minute
			l := kit.Up(ctx, of(2, acknowledged, lasting(12*time.Hour, 24*time.Hour), repeated(0, interval), func(g *policy.Group) { g.Rekey.Reminders = true }))
			silent(l.GM[1], true)
			since := kit.Now(l)
			kit.Rekey(ctx, l, control.RekeyArgs{})
			l.Pass(ctx, 3*interval+time.Minute)
			Expect([]int{toward(l, since, 1), toward(l, since, 2)}).To(Equal([]int{1, 4}), "a reminder each ten minutes")
			silent(l.GM[1], false)
			l.Pass(ctx, 5*interval)
			Expect([]int{toward(l, since, 1), toward(l, since, 2)}).To(Equal([]int{1, 5}), "the one that it acknowledges is the last")
		})
})

// recorded are the numbers of the rekeys that gm1, gm2 and so on have acknowledged last, as the key server shows them.
func recorded(ctx SpecContext, l *lab.Lab) []uint32 {
	GinkgoHelper()
	status, err := l.KS.KSStatus(ctx)
	kit.Precondition(err, "the key server shows its members")
	numbers := make([]uint32, len(l.GM))
	for _, m := range status.Groups[0].Members {
		for i, gm := range l.GM {
			if addressOf(m) == gm.Addr().Addr().String() {
				numbers[i] = m.Acked
			}
		}
	}
	return numbers
}

package registration

import (
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// ksElsewhere is an address that no node of the lab has.
var ksElsewhere = netip.MustParseAddr("192.0.2.99")

// ksProves has a member prove another identity in Phase 1 than its address.
func ksProves(a netip.Addr) tester.Deviation {
	return tester.Identity(core.MainMode5, "the identity "+a.String(), func(id *isakmp.ID) { id.Data = a.AsSlice() })
}

var _ = Describe("Who gets into a group (RFC 6407 §3.1, §3.4)", kit.Subject("registration"), kit.DUT(rule.KS), func() {
	It("gives nothing to a member that is not on the group's list", kit.Requirement("RFC6407-3.1-03", "RFC6407-3.4-01", "RFC6407-7.2.6-01"),
		kit.Negative, func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{Members: 2, Group: ksOf(lab.MemberAddr(1))})
			ksCome(ctx, l, 2)
			kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return len(ksAsked(l, 2)) > 0 }), "the stranger asks for the group")
			kit.AwaitRefusal(ctx, l, l.KS, "RFC6407-3.1-03", 0, func() bool { return len(ksAnswers(l, 2)) > 0 })
			ksCome(ctx, l, 1)
			kit.Control(ksAwaitAnswers(ctx, l, 1, 2), "a member on the list gets policy and keys")
			Expect(ksAnswers(l, 2)).To(BeEmpty(), "the stranger gets neither")
			kit.ExpectRefused(ctx, l.KS, "RFC6407-3.1-03", BeNumerically(">", 0))
			Expect(ksGroup(ctx, l).Members).To(HaveLen(1))
		})

	It("refuses an identity that is not on the list at an address that is", kit.Requirement("RFC6407-3.1-04"), kit.Negative,
		func(ctx SpecContext) {
			ksRefuses(ctx, ksLab(ctx, lab.Setup{Group: ksOf(lab.MemberAddr(1))}), 0, "RFC6407-3.1-03", ksProves(ksElsewhere))
		})

	It("admits an identity that is on the list at an address that is not", kit.Requirement("RFC6407-3.1-04"), func(ctx SpecContext) {
		l := ksLab(ctx, lab.Setup{Group: ksOf(ksElsewhere)})
		ksCome(ctx, l, 1, ksProves(ksElsewhere))
		ksFourth(ctx, l, 1)
		Expect(ksGroup(ctx, l).Members).To(HaveLen(1))
		Expect(ksGroup(ctx, l).Members[0].Identity).To(Equal(ksElsewhere.String()))
	})

	It("does not count among the members who has not sent message 3", kit.Requirement("RFC6407-3.2-08", "RFC6407-3.2-10"), kit.Negative,
		func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{})
			ksCome(ctx, l, 1, tester.Withhold(core.Pull3))
			ksSecond(ctx, l, 1)
			Expect(ksGroup(ctx, l).Members).To(BeEmpty())
			kit.Rekey(ctx, l, control.RekeyArgs{})

			ksMisbehave(l, 1)
			kit.Precondition(l.GM[0].Clear(ctx), "the member begins again")
			kit.Control(l.GM[0].AwaitRegistered(ctx) == nil, "it becomes a member with message 3")
			Expect(kit.MessagesSince(l, 0, "PUSH")).To(BeEmpty(), "the rekey before that was for nobody")
			Expect(ksPulls(l, 1, "PULL4")).To(HaveLen(1))
			Expect(kit.Value(ksPulls(l, 1, "PULL4")[0], "SEQ")).To(Equal("0"), "and took no number")
		})

	It("spends no SID on members that do not send message 3", kit.Requirement("RFC6407-7.2.5-04", "RFC6407-7.2.5-03", "RFC6407-3.2-08", "RFC6407-3.2-10"),
		kit.Negative, func(ctx SpecContext) {
			const flood = 20
			l := ksLab(ctx, lab.Setup{})
			ksCome(ctx, l, 1, tester.Withhold(core.Pull3))
			ksSecond(ctx, l, 1)
			for id := uint32(1); id <= flood; id++ {
				ksFirst(l, 1, ksByHand(l, 1, id), lab.GroupID)
			}
			ksAnswered(ctx, l, 1, flood, 1)
			ksMisbehave(l, 1)
			kit.Precondition(l.GM[0].Clear(ctx), "the member begins again")
			kit.Control(l.GM[0].AwaitRegistered(ctx) == nil, "it becomes a member with message 3")
			Expect(kit.Value(kit.Last(ksPulls(l, 1, "PULL4")), ksSID+"/SID_VALUE")).To(Equal("0"), "it is the first to get a SID")
			Expect(ksGroup(ctx, l).Members).To(HaveLen(1))
		})

	It("does not serve a PULL under a Phase 1 that is not complete", kit.Requirement("RFC6407-2-01"), kit.Negative, func(ctx SpecContext) {
		l := ksLab(ctx, lab.Setup{})
		ksCome(ctx, l, 1, tester.Withhold(core.MainMode5))
		cookies := func() isakmp.Header {
			for _, d := range ksSent(l, l.KS, l.GM[0]) {
				return d.header
			}
			return isakmp.Header{}
		}
		kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return len(ksSent(l, l.KS, l.GM[0])) >= 2 }), "the key server answers Main Mode")
		ksPut(l, 1, ksSealed(cookies(), make([]byte, 64)), nil)
		ksPut(l, 1, ksSealed(cookies(), nil), nil)
		kit.AwaitRefusal(ctx, l, l.KS, "RFC6407-2-01", 1, func() bool { return len(ksAnswers(l, 1)) > 0 })
		Expect(ksAnswers(l, 1)).To(BeEmpty())
		kit.ExpectRefused(ctx, l.KS, "RFC6407-2-01", BeNumerically("==", 2))

		ksMisbehave(l, 1)
		kit.Control(ksAwaitAnswers(ctx, l, 1, 2), "it serves the member when Phase 1 is complete")
	})

	It("does not take a message 1 from an earlier Phase 1", kit.Requirement("RFC6407-3.2-09"), kit.Negative, func(ctx SpecContext) {
		l := ksLab(ctx, lab.Setup{})
		ksJoined(ctx, l, 1)
		recorded := ksAsked(l, 1)[0]
		old := ksOpening(l, 1)
		kit.Precondition(l.GM[0].Clear(ctx), "the member begins again")
		kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return len(ksUnder(ksAsked(l, 1), old, false)) == 2 }), "with another Phase 1")
		now := ksUnder(ksAsked(l, 1), old, false)[0].header
		h := recorded.header
		h.InitiatorCookie, h.ResponderCookie = now.InitiatorCookie, now.ResponderCookie
		ksPut(l, 1, append(h.Append(nil), recorded.data[isakmp.HeaderLen:]...), nil)

		ksAgain(ctx, l, 1)
		fresh := ksUnder(ksAnswers(l, 1), old, false)
		kit.Control(len(fresh) == 4, "it answers the member's own registrations")
		for _, d := range fresh {
			Expect(d.header.MessageID).NotTo(Equal(recorded.header.MessageID), "it does not answer the old message")
		}
	})
})

// ksSealed makes a PULL message that looks encrypted, under the cookies of the header.
func ksSealed(of isakmp.Header, body []byte) []byte {
	h := isakmp.Header{InitiatorCookie: of.InitiatorCookie, ResponderCookie: of.ResponderCookie, NextPayload: isakmp.PayloadHASH,
		Version: isakmp.Version10, Exchange: isakmp.ExchangePull, Flags: isakmp.FlagEncryption, MessageID: 7,
		Length: uint32(isakmp.HeaderLen + len(body))}
	return append(h.Append(nil), body...)
}

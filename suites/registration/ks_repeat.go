package registration

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// What messages made by hand say.
const (
	ksNoGroup = lab.GroupID + 1 // that the lab does not have
	ksID      = 0x5eed0001      // a Message ID
)

var _ = Describe("Repeated and parallel PULLs at a key server (RFC 6407 §3, §7.2.4, §7.2.5)",
	kit.Subject("registration"), kit.DUT(rule.KS), func() {
		It("serves several PULLs under one Phase 1", kit.Requirement("RFC6407-3-01"), func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{})
			ksJoined(ctx, l, 1)
			ksAgain(ctx, l, 1)
			answers := ksAnswers(l, 1)
			Expect(answers).To(HaveLen(4))
			Expect(answers[2].header.InitiatorCookie).To(Equal(answers[0].header.InitiatorCookie))
			Expect(answers[2].header.MessageID).NotTo(Equal(answers[0].header.MessageID))
		})

		It("keeps two PULLs and an Informational under one Phase 1 apart",
			kit.Requirement("RFC2409-B-04", "RFC6407-3-01"), func(ctx SpecContext) {
				l := ksLab(ctx, lab.Setup{})
				ksJoined(ctx, l, 1)
				one, two := ksByHand(l, 1, ksID), ksByHand(l, 1, ksID+1)
				ksFirst(l, 1, one, lab.GroupID)
				ksFirst(l, 1, two, lab.GroupID)
				second := ksAnswered(ctx, l, 1, ksID+1, 1)
				ksFirst(l, 1, ksByHand(l, 1, ksID+2), ksNoGroup) // may be answered by an Informational
				for _, p := range []struct {
					pull   *tester.Pull
					second ksDatagram
				}{{two, second}, {one, ksAnswered(ctx, l, 1, ksID, 1)}} {
					Expect(p.pull.Second(p.second.data)).To(Succeed(), "message 2 is chained to message 1")
					data, err := p.pull.Third()
					ksPut(l, 1, data, err)
					ksAnswered(ctx, l, 1, p.second.header.MessageID, 2)
				}
				fourths := ksPulls(l, 1, "PULL4")
				Expect(fourths).To(HaveLen(3))
				for _, m := range fourths {
					Expect(kit.Checked(m, "HASH(4)")).To(Equal(capture.OK))
				}
			})

		It("answers a copy of message 1 with the same message 2, if at all",
			kit.Requirement("RFC6407-7.2.4-02"), kit.Negative, func(ctx SpecContext) {
				l := ksLab(ctx, lab.Setup{})
				ksCome(ctx, l, 1, tester.Withhold(core.Pull3))
				ksSecond(ctx, l, 1)
				l.Inject(l.GM[0].Name(), ksAsked(l, 1)[0].packet)
				l.Inject(l.GM[0].Name(), ksAsked(l, 1)[0].packet)
				ksMisbehave(l, 1)
				kit.Control(ksAwaitAnswers(ctx, l, 1, 2), "the exchange goes on with message 3")
				Expect(ksPulls(l, 1, "PULL2")).To(HaveLen(1))
				Expect(ksPulls(l, 1, "PULL4")).To(HaveLen(1))
				Expect(l.GM[0].AwaitRegistered(ctx)).To(Succeed())
			})

		It("does not begin a PULL anew for a copy of its message 1", kit.Requirement("RFC6407-7.2.5-01", "RFC6407-7.2.4-02"), kit.Negative,
			func(ctx SpecContext) {
				l := ksLab(ctx, lab.Setup{})
				ksJoined(ctx, l, 1)
				before := kit.Refused(ctx, l.KS, "RFC6407-7.2.5-01")
				l.Inject(l.GM[0].Name(), ksAsked(l, 1)[0].packet)
				kit.AwaitRefusal(ctx, l, l.KS, "RFC6407-7.2.5-01", before, func() bool { return len(ksAnswers(l, 1)) > 2 })
				Expect(ksAnswers(l, 1)).To(HaveLen(2), "there is no other message 2")
				ksAgain(ctx, l, 1)
				next := kit.Last(ksPulls(l, 1, "PULL4"))
				kit.Control(kit.Value(next, ksSID+"/SID_VALUE") == "1", "the next registration is served, with the next SID")
				kit.ExpectRefused(ctx, l.KS, "RFC6407-7.2.5-01", BeNumerically(">", before))
			})

		It("answers a copy of message 3 with the same message 4, if at all, and spends no SID on it",
			kit.Requirement("RFC6407-7.2.4-02", "RFC6407-7.2.5-01"), kit.Negative, func(ctx SpecContext) {
				l := ksLab(ctx, lab.Setup{})
				ksJoined(ctx, l, 1)
				l.Inject(l.GM[0].Name(), ksAsked(l, 1)[1].packet)
				ksAgain(ctx, l, 1)
				Expect(ksAnswers(l, 1)).To(HaveLen(4))
				next := kit.Last(ksPulls(l, 1, "PULL4"))
				kit.Control(kit.Value(next, ksSID+"/SID_VALUE") == "1", "the next registration is served, with the next SID")
			})

		It("takes no new message in a PULL that is over", kit.Requirement("RFC6407-7.2.4-02"), kit.Negative, func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{})
			ksJoined(ctx, l, 1)
			over := ksAnswers(l, 1)[0].header.MessageID
			before := kit.Refused(ctx, l.KS, "RFC6407-7.2.4-02")
			ksFirst(l, 1, ksByHand(l, 1, over), lab.GroupID)
			kit.AwaitRefusal(ctx, l, l.KS, "RFC6407-7.2.4-02", before, func() bool { return len(ksWithID(l, 1, over)) > 2 })
			Expect(ksWithID(l, 1, over)).To(HaveLen(2), "there is no other message 2")
			kit.ExpectRefused(ctx, l.KS, "RFC6407-7.2.4-02", BeNumerically(">", before))
			ksFirst(l, 1, ksByHand(l, 1, ksID), lab.GroupID)
			kit.Control(ksAwaitID(ctx, l, 1, ksID, 1), "the same message is answered in a PULL of its own")
		})

		It("serves no PULL with Message ID 0", kit.Requirement("RFC6407-3.2.1-04"), kit.Negative, func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{})
			ksJoined(ctx, l, 1)
			before := kit.Refused(ctx, l.KS, "RFC6407-3.2.1-04")
			ksFirst(l, 1, ksByHand(l, 1, 0), lab.GroupID)
			ksFirst(l, 1, ksByHand(l, 1, ksID), lab.GroupID)
			kit.Control(ksAwaitID(ctx, l, 1, ksID, 1), "the same message is answered with another Message ID")
			Expect(ksWithID(l, 1, 0)).To(BeEmpty())
			kit.ExpectRefused(ctx, l.KS, "RFC6407-3.2.1-04", BeNumerically(">", before))
		})

		It("takes no message 3 under another Message ID", kit.Requirement("RFC6407-3.2.1-04"), kit.Negative, func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{})
			ksCome(ctx, l, 1, tester.MessageID(core.Pull3, ksID))
			ksSecond(ctx, l, 1)
			kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return len(ksAsked(l, 1)) == 2 }), "the member sends message 3")
			ksMisbehave(l, 1)
			kit.Control(ksAwaitAnswers(ctx, l, 1, 2), "it takes it under the one of the exchange")
			Expect(ksWithID(l, 1, ksID)).To(BeEmpty())
		})

		It("gives Informationals random Message IDs", kit.Requirement("RFC2408-3.1-06"), func(ctx SpecContext) {
			const times = 4
			l := ksLab(ctx, lab.Setup{})
			ksJoined(ctx, l, 1)
			for n := range uint32(times) {
				ksFirst(l, 1, ksByHand(l, 1, ksID+n), ksNoGroup)
			}
			l.Wait(ctx, lab.Patience, func() bool { return len(kit.MessagesSince(l, 0, "INFO")) >= times })
			said := kit.MessagesSince(l, 0, "INFO")
			if len(said) == 0 {
				kit.Unsupported("the key server does not say why it refuses a PULL, as it may")
			}
			seen := map[uint32]bool{}
			for _, m := range said {
				id := m.Header.MessageID
				Expect(id).To(BeNumerically(">", 0xffff), "a random number of 32 bits")
				Expect(seen[id] || seen[id-1] || seen[id+1]).To(BeFalse(), "%08x is no counter", id)
				seen[id] = true
			}
			Expect(seen).To(HaveLen(times))
		})
	})

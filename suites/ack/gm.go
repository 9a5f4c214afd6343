package ack

import (
	"context"
	"slices"

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
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// answer is a PUSH and the acknowledgement of it, as the WAN saw them.
type answer struct {
	push, ack capture.Message
	gm        *lab.Peer
}

// owed are the things that make an acknowledgement a right one.
var owed = []struct {
	what     string
	requires []string
	right    func(a answer)
}{
	{"consists of HASH, SEQ and ID, in clear", []string{"RFC8263-3-01"}, func(a answer) {
		Expect(kit.Names(a.ack)).To(Equal([]string{"HASH", "SEQ", "ID"}))
		Expect(a.ack.Encrypted).To(BeFalse())
		Expect(a.ack.Err).To(BeEmpty(), "it is laid out as it has to be")
	}},
	{"has the cookies of the PUSH", []string{"RFC8263-3.1-02", "RFC8263-3.2-04"}, func(a answer) {
		Expect(a.ack.Header.InitiatorCookie).To(Equal(a.push.Header.InitiatorCookie))
		Expect(a.ack.Header.ResponderCookie).To(Equal(a.push.Header.ResponderCookie))
	}},
	{"has version 1.0, exchange type 35, no flags, and HASH for its first payload", []string{"RFC8263-3.1-03", "RFC8263-3.1-01", "RFC8263-8-01"}, func(a answer) {
		Expect(a.ack.Header.Version).To(BeEquivalentTo(0x10))
		Expect(a.ack.Header.Exchange).To(BeEquivalentTo(35))
		Expect(a.ack.Header.Flags).To(BeZero())
		Expect(a.ack.Header.NextPayload).To(BeEquivalentTo(8))
	}},
	{"has Message ID 0", []string{"RFC8263-3.1-04"}, func(a answer) { Expect(a.ack.Header.MessageID).To(BeZero()) }},
	{"has a Length that is its own", []string{"RFC8263-3.1-05"}, func(a answer) {
		last := a.ack.Payloads[len(a.ack.Payloads)-1]
		Expect(a.ack.Header.Length).To(BeEquivalentTo(last.Offset + last.Length))
		Expect(a.ack.Err).To(BeEmpty())
	}},
	{"has a HASH over SEQ and ID, with a key made from the KEK and the cookies of the PUSH",
		[]string{"RFC8263-3.2-01", "RFC8263-2.1-01", "RFC8263-3.2-02", "RFC8263-3.2-03", "RFC8263-3.2-04", "RFC8263-3.2-05", "RFC8263-3.2-06"},
		func(a answer) { Expect(kit.Checked(a.ack, "ACK HASH")).To(Equal(capture.OK)) }},
	{"has the number of the PUSH", []string{"RFC8263-3.3-01"}, func(a answer) {
		Expect(kit.Value(a.ack, "SEQ")).To(Equal(kit.Value(a.push, "SEQ")))
	}},
	{"names the member by an IPv4 address", []string{"RFC8263-3.4-01"}, func(a answer) {
		Expect(kit.Value(a.ack, "ID/ID Type")).To(ContainSubstring("(1)"))
	}},
	{"names neither protocol nor port of the member", []string{"RFC8263-3.4-02"}, func(a answer) {
		Expect(kit.Value(a.ack, "ID/Protocol")).To(Equal("0"))
		Expect(kit.Value(a.ack, "ID/Port")).To(Equal("0"))
	}},
	{"names the address that the member registered from", []string{"RFC8263-3.4-03"}, func(a answer) {
		Expect(kit.Value(a.ack, "ID")).To(Equal(a.gm.Addr().Addr().String()))
	}},
	{"goes to where the PUSH came from, from the port that it came to", []string{"RFC8263-3-02"}, func(a answer) {
		Expect(a.ack.To).To(Equal(a.push.From))
		Expect(a.ack.From.Port()).To(Equal(a.push.To.Port()))
		Expect(a.ack.From.Addr()).To(Equal(a.gm.Addr().Addr()))
	}},
}

// unproven are PUSH messages that a member must not acknowledge.
var unproven = []struct {
	what      string
	deviation tester.Deviation
}{
	{"whose SIG is wrong", tester.WrongSignature(core.Push)},
	{"whose number is old", tester.SEQ(core.Push, 0)},
	{"of which the form is wrong", tester.Omit(core.Push, isakmp.PayloadKD, "RFC 6407 §4")},
	{"that lacks the key of its SA", tester.OmitKeys(core.Push, gdoi.KDTypeTEK)},
	{"with a Message ID", tester.MessageID(core.Push, 1)},
}

var _ = Describe("Acknowledgements by a group member (RFC 8263 §3, §4)", kit.Subject("ack"), kit.DUT(rule.GM), kit.Feature("ack"), func() {
	for _, c := range owed {
		It("sends an acknowledgement that "+c.what, kit.Requirement(c.requires...), func(ctx SpecContext) {
			c.right(answerTo(ctx, up(ctx), control.RekeyArgs{}))
		})
	}

	It("answers a PUSH to the multicast group by unicast to the key server", kit.Requirement("RFC8263-3-02", "RFC8263-4-03"), kit.Feature("multicast", "ack-multicast"),
		func(ctx SpecContext) {
			l := kit.Up(ctx, lab.Setup{Group: func(g *policy.Group) { asking(g); lab.Multicast(g) }})
			a := answerTo(ctx, l, control.RekeyArgs{})
			Expect(a.push.To.Addr()).To(Equal(lab.MulticastGroup))
			Expect(a.ack.To).To(Equal(l.KS.Addr()))
			Expect(a.ack.From).To(Equal(l.GM[0].Addr()))
			Expect(kit.Checked(a.ack, "ACK HASH")).To(Equal(capture.OK))
		})

	It("acknowledges each PUSH once, within five seconds", kit.Requirement("RFC8263-4-01", "RFC8263-6-02", "RFC8263-6-04"), func(ctx SpecContext) {
		l := up(ctx)
		for n := range 3 {
			a := answerTo(ctx, l, control.RekeyArgs{})
			Expect(a.ack.At.Sub(a.push.At).Seconds()).To(BeNumerically("<", 5))
			Expect(acks(l, 0)).To(HaveLen(n+1), "PUSH %d", n+1)
		}
	})

	It("acknowledges a PUSH with a new KEK under the old one, and the next under the new one",
		kit.Requirement("RFC8263-2.1-01", "RFC8263-3.1-02", "RFC8263-4-01"), func(ctx SpecContext) {
			l := up(ctx)
			replaced := answerTo(ctx, l, control.RekeyArgs{KEK: true})
			Expect(replaced.ack.Header.InitiatorCookie).To(Equal(replaced.push.Header.InitiatorCookie))
			Expect(kit.Checked(replaced.ack, "ACK HASH")).To(Equal(capture.OK), "with a key from the KEK that protected the PUSH")
			next := answerTo(ctx, l, control.RekeyArgs{})
			Expect(next.ack.Header.InitiatorCookie).NotTo(Equal(replaced.ack.Header.InitiatorCookie))
			Expect(kit.Checked(next.ack, "ACK HASH")).To(Equal(capture.OK))
		})

	It("acknowledges a PUSH that deletes its own KEK", kit.Requirement("RFC8263-4-04"), func(ctx SpecContext) {
		a := answerTo(ctx, up(ctx), control.RekeyArgs{DeleteAll: true})
		Expect(kit.Checked(a.ack, "ACK HASH")).To(Equal(capture.OK), "with a key from the KEK that is deleted")
	})

	It("acknowledges nothing if the key server has not asked for it", kit.Requirement("RFC8263-7.2-01"), kit.Negative, func(ctx SpecContext) {
		l := kit.Up(ctx, lab.Setup{})
		for range 2 {
			kit.Rekey(ctx, l, control.RekeyArgs{})
		}
		kit.Control(l.GM[0].AwaitLog(ctx, "REKEY_ACCEPTED", 1, lab.Patience), "it carries out the rekeys")
		Expect(registersAfresh(ctx, l)).To(BeTrue(), "and goes on to something else")
		Expect(acks(l, 0)).To(BeEmpty())
	})

	It("acknowledges nothing any more if the latest SAK does not ask for it", kit.Requirement("RFC8263-7.2-01"), kit.Negative, func(ctx SpecContext) {
		l := up(ctx)
		answerTo(ctx, l, control.RekeyArgs{})
		Expect(l.KS.Misbehave(tester.Taps(askFor(core.Push, 0)))).To(Succeed())
		before := len(l.GM[0].Logged("REKEY_ACCEPTED"))
		kit.Rekey(ctx, l, control.RekeyArgs{KEK: true})
		kit.Rekey(ctx, l, control.RekeyArgs{})
		kit.Control(l.GM[0].AwaitLog(ctx, "REKEY_ACCEPTED", before+1, lab.Patience), "it carries out the rekeys")
		Expect(registersAfresh(ctx, l)).To(BeTrue(), "and goes on to something else")
		Expect(acks(l, 0)).To(HaveLen(1))
	})

	It("stays in a group whose key server asks for an acknowledgement of a sort that nobody knows", kit.Requirement("RFC8263-4-02"), func(ctx SpecContext) {
		l := kit.Lab(ctx, lab.Setup{Group: asking})
		Expect(l.KS.Misbehave(tester.Taps(askFor(core.Pull2, 200)))).To(Succeed())
		Expect(l.Up(ctx)).To(Succeed(), "it registers")
		kit.Rekey(ctx, l, control.RekeyArgs{})
		Expect(l.GM[0].AwaitLog(ctx, "REKEY_ACCEPTED", 0, lab.Patience)).To(BeTrue(), "it takes rekeys")
		Expect(registersAfresh(ctx, l)).To(BeTrue(), "and goes on to something else")
		Expect(acks(l, 0)).To(BeEmpty(), "it acknowledges nothing that it cannot")
	})

	for _, c := range unproven {
		It("acknowledges no PUSH "+c.what, kit.Requirement("RFC8263-4-03", "RFC8263-7.2-01"), kit.Negative, func(ctx SpecContext) {
			l := up(ctx)
			Expect(l.KS.Misbehave(tester.Taps(c.deviation))).To(Succeed())
			since := kit.Now(l)
			kit.Rekey(ctx, l, control.RekeyArgs{})
			Expect(l.Wait(ctx, kit.Settle, func() bool { return crossed(l, since, isakmp.ExchangePushACK) })).To(BeFalse(), "it answers")
			Expect(l.KS.Misbehave(nil)).To(Succeed())
			right := answerTo(ctx, l, control.RekeyArgs{})
			kit.Control(kit.Checked(right.ack, "ACK HASH") == capture.OK, "it acknowledges the next PUSH, which is right")
			Expect(acks(l, 0)).To(HaveLen(1), "it acknowledges nothing else")
		})
	}
})

// acks are the acknowledgements on the WAN since the mark.
func acks(l *lab.Lab, since kit.Mark) []capture.Message {
	return kit.MessagesSince(l, since, core.PushACK.String())
}

// answerTo has the key server send a PUSH and the member answer it. What the answer is like is not looked at yet.
func answerTo(ctx context.Context, l *lab.Lab, args control.RekeyArgs) answer {
	GinkgoHelper()
	since := kit.Now(l)
	kit.Rekey(ctx, l, args)
	Expect(l.Wait(ctx, lab.Patience, func() bool { return crossed(l, since, isakmp.ExchangePushACK) })).To(BeTrue(), "the member answers")
	return answer{push: kit.Last(kit.MessagesSince(l, since, core.Push.String())), ack: kit.Last(acks(l, since)), gm: l.GM[0]}
}

// crossed reports whether a message of that exchange has crossed the WAN since the mark.
func crossed(l *lab.Lab, since kit.Mark, exchange isakmp.ExchangeType) bool {
	return slices.ContainsFunc(kit.WANSince(l, since), func(f capture.Frame) bool { return kindOf(f.Packet) == exchange })
}

// registersAfresh has the member register once more: whatever it was to send before is out then.
func registersAfresh(ctx context.Context, l *lab.Lab) bool {
	GinkgoHelper()
	before := len(l.GM[0].Logged("REGISTERED"))
	return l.GM[0].Register(ctx) == nil && l.GM[0].AwaitLog(ctx, "REGISTERED", before, lab.Patience)
}

// askFor has SAKs ask for acknowledgements of that type; of type 0 they do not ask.
func askFor(kind core.Kind, typ uint16) tester.Deviation {
	return tester.EditSAK(kind, "another acknowledgement", func(s *gdoi.SAK) {
		s.Attributes = tester.RemoveAttribute(s.Attributes, gdoi.KEKAckRequested)
		if typ != 0 {
			s.Attributes = append(s.Attributes, wire.TV(gdoi.KEKAckRequested, typ))
		}
	})
}

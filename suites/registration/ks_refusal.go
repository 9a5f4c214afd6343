package registration

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// ksRefusal is a message of a member that a key server has to refuse, in one sentence.
type ksRefusal struct {
	sentence    string
	requirement string // with spaces between; the first is that for which the key server counts a refusal
	deviation   tester.Deviation
}

// ksRefusals makes a spec of each row, about message 1 or 3.
func ksRefusals(message int, rows []ksRefusal) {
	for i, r := range rows {
		ids := strings.Fields(r.requirement)
		It(r.sentence, kit.Requirement(ids...), kit.Negative, kit.Row(i), func(ctx SpecContext) {
			ksRefuses(ctx, ksLab(ctx, lab.Setup{}), message/2, rule.ID(ids[0]), r.deviation)
		})
	}
}

// ksRefuses has member 1 send a message that the key server does not answer, after so many that it does. The key server
// may say why in an Informational. The registration that the member begins afterwards is right, and succeeds.
func ksRefuses(ctx SpecContext, l *lab.Lab, answered int, id rule.ID, d tester.Deviation) {
	GinkgoHelper()
	ksCome(ctx, l, 1, d)
	kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return len(ksAsked(l, 1)) > answered }), "the member sends "+d.Name)
	kit.AwaitRefusal(ctx, l, l.KS, id, 0, func() bool { return len(ksAnswers(l, 1)) > answered })

	old := ksOpening(l, 1)
	ksMisbehave(l, 1)
	kit.Precondition(l.GM[0].Clear(ctx), "the member begins again")
	joined := l.Wait(ctx, lab.Patience, func() bool { return len(ksUnder(ksAnswers(l, 1), old, false)) == 2 })
	Expect(ksUnder(ksAnswers(l, 1), old, true)).To(HaveLen(answered), "the key server does not answer %s", d.Name)
	kit.ExpectRefused(ctx, l.KS, id, BeNumerically(">", 0), "it counts a refusal for %s", id)
	kit.ExpectRefusalLogged(ctx, l, l.KS, id)
	kit.Control(joined, "it answers both messages of an unaltered registration")
	if l.KS.Tells("REGISTERED") {
		Expect(l.KS.AwaitLog(ctx, "REGISTERED", 0, lab.Patience)).To(BeTrue(), "it says that the member is registered")
		Expect(l.KS.Logged("REGISTERED")).To(HaveLen(1), "and knows of no other registration")
	}
}

// ksOpening is the initiator cookie of the first Phase 1 of member i.
func ksOpening(l *lab.Lab, i int) isakmp.Cookie {
	GinkgoHelper()
	sent := ksSent(l, l.GM[i-1], l.KS)
	kit.Reached(len(sent) > 0, "the member begins Phase 1")
	return sent[0].header.InitiatorCookie
}

// ksUnusual is a message of a member that is right, if not what members usually send.
type ksUnusual struct {
	sentence    string
	requirement string // with spaces between
	deviation   tester.Deviation
}

// ksAnswersTo makes a spec of each row: the key server answers both messages of the registration.
func ksAnswersTo(rows []ksUnusual) {
	for _, r := range rows {
		It(r.sentence, kit.Requirement(strings.Fields(r.requirement)...), func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{})
			ksCome(ctx, l, 1, r.deviation)
			Expect(kit.Names(ksSecond(ctx, l, 1))).To(Equal([]string{"HASH", "NONCE", "SA"}))
			Expect(kit.Names(ksFourth(ctx, l, 1))).To(Equal([]string{"HASH", "SEQ", "KD"}))
		})
	}
}

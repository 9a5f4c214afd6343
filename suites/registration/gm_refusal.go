package registration

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// refusal is a message of the key server that a member has to refuse, in one sentence.
type refusal struct {
	sentence    string
	requirement string // what the message breaks, then what else the spec tests, with spaces between
	deviation   tester.Deviation
	group       func(*policy.Group)
}

// refusals makes a spec of each row. Message is the one, 2 or 4, that the member may not go beyond: it has sent half as
// many messages of its own when it refuses.
func refusals(message int, rows []refusal) {
	for i, r := range rows {
		ids := strings.Fields(r.requirement)
		It(r.sentence, kit.Requirement(ids...), kit.Negative, kit.Row(i), func(ctx SpecContext) {
			refuses(ctx, newLab(ctx, r.group, nil), r.deviation, rule.ID(ids[0]), message/2)
		})
	}
}

// refuses has the member meet the deviation in its first registration, in which it may send so many messages. It is
// refused if the registration leads to nothing: the member begins another, which is right and gets it into the group, and
// only with the keys of that one does it send.
func refuses(ctx SpecContext, l *lab.Lab, d tester.Deviation, id rule.ID, mayTell int) {
	GinkgoHelper()
	misbehave(l, tester.Once(d))
	start(ctx, l)
	chatter(ctx, l, 50*time.Millisecond)
	kit.Reached(awaitPulls(ctx, l, 1), "the member asks for the group")
	begins := func() bool { return len(pulls(l)) > 1 || l.GM[0].Registered(ctx) }
	if !l.Wait(ctx, lab.Patience, begins) && !kit.CanTell(1, "Retransmit") {
		kit.Precondition(l.GM[0].Clear(ctx), "the operator has it give up, since it takes its own time")
		l.Wait(ctx, lab.Patience, begins)
	}

	Expect(pulls(l)).To(HaveLen(2), "the member registers anew instead of taking a message with %s", d.Name)
	Expect(pulls(l)[0].sent).To(HaveLen(mayTell), "it does not go on with the first registration")
	kit.ExpectRefused(ctx, l.GM[0], id, BeNumerically(">", 0), "it counts a refusal for %s", id)
	kit.ExpectRefusalLogged(ctx, l, l.GM[0], id)

	registered := l.GM[0].AwaitRegistered(ctx) == nil
	kit.Control(registered && kit.SPI(sends(ctx, l, 0, lab.Patience)) == current(ctx, l), "the unaltered registration is accepted")
	Expect(l.GM[0].Registrations()).To(Equal(1), "and it is the only one")
	Expect(sent(l, 0)[0].At).To(BeTemporally(">", pulls(l)[1].began), "nothing was sent with keys of the first one")
}

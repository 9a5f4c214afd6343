package timers

import (
	"context"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// scene is a key server with members, each with a host behind it.
type scene struct {
	*lab.Lab
	ctx context.Context
}

// tells reports whether the key server has told of an event. If it is to have, it gets the time that a log takes.
func (s *scene) tells(event string, expected bool) bool {
	if expected {
		return s.KS.AwaitLog(s.ctx, event, 0, lab.Patience)
	}
	return len(s.KS.Logged(event)) > 0
}

// setup is a network of profile getvpn with so many members.
func setup(members int, alter ...func(*policy.Group)) lab.Setup {
	return lab.Setup{Members: members, Profile: policy.ProfileGETVPN, Group: func(g *policy.Group) {
		for _, change := range alter {
			change(g)
		}
	}}
}

// group brings up such a network.
func group(ctx context.Context, members int, alter ...func(*policy.Group)) *scene {
	GinkgoHelper()
	return &scene{kit.Up(ctx, setup(members, alter...)), ctx}
}

// living has the keys of the group live so many seconds.
func living(kek, tek int) func(*policy.Group) {
	return func(g *policy.Group) {
		g.Rekey.KEKLifetime = seconds(kek)
		for i := range g.SAs {
			g.SAs[i].Lifetime = seconds(tek)
		}
	}
}

// repeating has each rekey be sent so many times more, at that interval.
func repeating(copies int, interval time.Duration) func(*policy.Group) {
	return func(g *policy.Group) { g.Rekey.Retransmit, g.Rekey.Interval = copies, interval }
}

func oldKEK(g *policy.Group) { g.Rekey.KEKBehaviour = policy.KEKOld }

func reminding(g *policy.Group) { g.Rekey.Reminders = true }

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// The fields that tell how long a key lives.
const (
	lifeOfKEK = "SA/SAK/KEK_KEY_LIFETIME"
	lifeOfTEK = "SA/SAT/SA Life Duration"
)

// ends is when a key ends by what a message told of its lifetime.
func ends(m capture.Message, field string) time.Time {
	GinkgoHelper()
	life, err := strconv.Atoi(kit.Value(m, field))
	kit.Precondition(err, "a message tells the lifetime in "+field)
	return m.At.Add(seconds(life))
}

// given is the last offer of a registration to member i.
func (s *scene) given(i int) capture.Message {
	GinkgoHelper()
	var last capture.Message
	for _, m := range kit.MessagesSince(s.Lab, 0, core.Pull2.String()) {
		if m.To.Addr() == s.GM[i-1].Addr().Addr() {
			last = m
		}
	}
	kit.Reached(last.Kind != "", "the member is offered the group's policy")
	return last
}

// until lets time pass until then.
func (s *scene) until(then time.Time) { s.Pass(s.ctx, then.Sub(s.Now())) }

// pushes are the rekeys that were sent since the mark, to whomever.
func (s *scene) pushes(since kit.Mark) []capture.Message {
	return kit.MessagesSince(s.Lab, since, core.Push.String())
}

// pushesTo are those to member i.
func (s *scene) pushesTo(i int, since kit.Mark) (all []capture.Message) {
	for _, m := range s.pushes(since) {
		if m.To.Addr() == s.GM[i-1].Addr().Addr() {
			all = append(all, m)
		}
	}
	return all
}

// numbers are the SEQ of messages.
func numbers(messages []capture.Message) (all []string) {
	for _, m := range messages {
		all = append(all, kit.Value(m, "SEQ"))
	}
	return all
}

// after is how long after a moment each message was sent, in whole seconds.
func after(start time.Time, messages []capture.Message) (all []int) {
	for _, m := range messages {
		all = append(all, int(m.At.Sub(start).Round(time.Second)/time.Second))
	}
	return all
}

// cookies are the Rekey SA that a message is under.
func cookies(m capture.Message) string {
	return m.Header.InitiatorCookie.String() + m.Header.ResponderCookie.String()
}

// silence has member i acknowledge nothing.
func (s *scene) silence(i int) {
	GinkgoHelper()
	kit.Precondition(s.GM[i-1].Misbehave(tester.Taps(tester.Withhold(core.PushACK))), "the member acknowledges nothing")
}

// about is a time, give or take 2 s: lifetimes are told in whole seconds.
func about(d time.Duration) gomegatypes.GomegaMatcher {
	return BeNumerically("~", d, 2*time.Second)
}

package registration

import (
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// ksLab starts a key server that is to be judged. The members are the tester's, and none runs yet.
func ksLab(ctx SpecContext, s lab.Setup) *lab.Lab {
	GinkgoHelper()
	s.Signature = policy.SigRSA
	l := kit.Lab(ctx, s)
	kit.Precondition(l.KS.Start(ctx), "the key server starts")
	return l
}

// ksCome has member i begin to register, with messages that deviate.
func ksCome(ctx SpecContext, l *lab.Lab, i int, ds ...tester.Deviation) {
	GinkgoHelper()
	ksMisbehave(l, i, ds...)
	kit.Precondition(l.GM[i-1].Start(ctx), "the member starts")
}

// ksMisbehave has the messages of member i go through the deviations; none ends what was before.
func ksMisbehave(l *lab.Lab, i int, ds ...tester.Deviation) {
	GinkgoHelper()
	Expect(l.GM[i-1].Misbehave(tester.Taps(ds...))).To(Succeed())
}

// ksAgain has member i register once more and waits for message 4 of that. Its Phase 1 SA serves again.
func ksAgain(ctx SpecContext, l *lab.Lab, i int) {
	GinkgoHelper()
	kit.Precondition(l.GM[i-1].AwaitRegistered(ctx), "the member is done with what it did before")
	before := len(ksAnswers(l, i))
	kit.Precondition(l.GM[i-1].Register(ctx), "the member registers again")
	Expect(ksAwaitAnswers(ctx, l, i, before+2)).To(BeTrue(), "the key server answers both messages of another registration")
}

// ksJoined brings member i into the group: what some spec begins with that judges what comes after.
func ksJoined(ctx SpecContext, l *lab.Lab, i int) {
	GinkgoHelper()
	ksCome(ctx, l, i)
	kit.Precondition(l.GM[i-1].AwaitRegistered(ctx), "the member registers")
}

// ksGroup asks the key server for the state of its first group.
func ksGroup(ctx SpecContext, l *lab.Lab) control.KSGroup {
	GinkgoHelper()
	status, err := l.KS.KSStatus(ctx)
	kit.Precondition(err, "the key server tells its state")
	kit.Reached(len(status.Groups) > 0, "the key server has a group")
	return status.Groups[0]
}

// The delays of ksRich, in seconds.
const ksATD, ksDTD = 3, 7

// ksRich is a group with everything that an SA payload can hold: SAK, GAP and more than one SAT.
func ksRich(g *policy.Group) {
	activate, deactivate := ksATD*time.Second, ksDTD*time.Second
	g.Activation = policy.Activation{ATD: &activate, DTD: &deactivate}
	icmp := g.SAs[0]
	icmp.Selector.Protocol = 1
	g.SAs = []policy.SAPolicy{icmp, g.SAs[0]}
}

// ksTEKOnly is such a group without rekeys.
func ksTEKOnly(g *policy.Group) {
	ksRich(g)
	g.Rekey.Transport = policy.TransportNone
}

// ksKEKOnly is a group whose Data-Security SAs come by PUSH later.
func ksKEKOnly(g *policy.Group) { g.SAs = nil }

// ksWith is a group with another transform and keys of so many bits.
func ksWith(t policy.Transform, bits int) func(*policy.Group) {
	t.KeyBits = bits
	return func(g *policy.Group) { g.SAs[0].Transform = t }
}

// ksOf is a group of these identities.
func ksOf(members ...netip.Addr) func(*policy.Group) {
	return func(g *policy.Group) {
		g.Members = nil
		for _, m := range members {
			g.Members = append(g.Members, netip.PrefixFrom(m, m.BitLen()))
		}
	}
}

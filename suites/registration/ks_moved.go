package registration

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("A rekey in the middle of a registration at a key server (RFC 6407 §3.2, §5.6)", kit.Subject("registration"), kit.DUT(rule.KS), func() {
	for _, c := range []struct {
		what string
		args control.RekeyArgs
	}{{"Data-Security SAs", control.RekeyArgs{}}, {"the KEK", control.RekeyArgs{KEK: true, KEKOnly: true}}, {"everything", control.RekeyArgs{KEK: true}}} {
		It("gives no keys but those of the policy in its message 2, though "+c.what+" were replaced after it",
			kit.Requirement("RFC6407-3.2-18", "RFC6407-5.6-03"), func(ctx SpecContext) {
				l := ksLab(ctx, lab.Setup{Members: 2, Hosts: true, Group: kit.Acknowledging})
				ksJoined(ctx, l, 1)
				since := kit.Now(l)
				ksCome(ctx, l, 2, tester.Withhold(core.Pull3))
				kit.Reached(ksAwaitAnswers(ctx, l, 2, 1), "the key server offers its policy")
				kit.Rekey(ctx, l, c.args)
				ksMisbehave(l, 2)
				kit.Reached(l.GM[1].AwaitRegistered(ctx) == nil, "the member registers, with this or with another PULL")
				for _, fourth := range kit.MessagesSince(l, since, core.Pull4.String()) {
					Expect(ksKeyed(fourth)).To(ConsistOf(ksOffered(l, fourth)), "keys are for what message 2 of the same PULL names")
				}
				next := kit.Rekey(ctx, l, control.RekeyArgs{})
				for i := range l.GM {
					Expect(kit.SwitchesTo(ctx, l, i+1, 2-i, next.SPIs[0])).To(BeTrue(), "gm%d follows the next rekey", i+1)
				}
			})
	}
})

// ksKeyed are the SPIs that a message 4 has keys for.
func ksKeyed(fourth capture.Message) []string {
	return append(ksValues(fourth, ksKEK+"/SPI"), ksValues(fourth, ksTEK+"/SPI")...)
}

// ksOffered are the SPIs in message 2 of the PULL of a message 4.
func ksOffered(l *lab.Lab, fourth capture.Message) (spis []string) {
	GinkgoHelper()
	for _, second := range ksAllPulls(l, core.Pull2.String()) {
		if second.Header.MessageID == fourth.Header.MessageID && second.To == fourth.To {
			spis = append(ksValues(second, "SA/SAK/SPI"), ksValues(second, "SA/SAT/SPI")...)
		}
	}
	return spis
}

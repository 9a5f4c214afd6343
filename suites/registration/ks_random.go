package registration

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Random numbers of a key server (RFC 6407 §7.5)", kit.Subject("registration"), kit.DUT(rule.KS), func() {
	It("draws nothing again after a start that it drew after the one before", kit.Requirement("RFC6407-7.5-01"), func(ctx SpecContext) {
		l := ksLab(ctx, lab.Setup{})
		since := kit.Now(l)
		ksJoined(ctx, l, 1)
		before := ksDrawn(ctx, l, since)
		kit.Precondition(l.KS.Stop(), "the key server stops")
		kit.Precondition(l.KS.Start(ctx), "the key server starts again")
		registrations := l.GM[0].Registrations()
		since = kit.Now(l)
		kit.Precondition(l.GM[0].Clear(ctx), "the member begins again")
		kit.Reached(l.GM[0].AwaitRegistrations(ctx, registrations, lab.Patience), "it registers")
		for what, text := range ksDrawn(ctx, l, since) {
			Expect(text).NotTo(Equal(before[what]), what)
		}
	})
})

// ksDrawn are the random numbers in a registration since the mark, and in a rekey after it: whatever the key server keeps over a
// start, these it has to draw anew.
func ksDrawn(ctx SpecContext, l *lab.Lab, since kit.Mark) map[string]string {
	GinkgoHelper()
	last := func(kind core.Kind) capture.Message {
		GinkgoHelper()
		return kit.Last(kit.MessagesSince(l, since, kind.String()))
	}
	kit.Rekey(ctx, l, control.RekeyArgs{})
	kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return len(kit.MessagesSince(l, since, core.Push.String())) > 0 }), "there is a rekey")
	drawn := map[string]string{
		"its cookie":             last(core.MainMode4).Header.ResponderCookie.String(),
		"its nonce in Phase 1":   kit.Value(last(core.MainMode4), "NONCE"),
		"its public value":       kit.Value(last(core.MainMode4), "KE"),
		"its nonce in the PULL":  kit.Value(last(core.Pull2), "NONCE"),
		"the SPI that it pushes": kit.Value(last(core.Push), "SA/SAT/SPI"),
		"the key that it pushes": kit.Value(last(core.Push), ksTEK+"/TEK_ALGORITHM_KEY"),
	}
	for what, text := range drawn {
		Expect(text).NotTo(BeEmpty(), what)
	}
	return drawn
}

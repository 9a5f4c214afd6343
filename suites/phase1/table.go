package phase1

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// row is one way in which a message can be wrong, and the requirement that tells the device to drop it.
type row struct {
	requirement rule.ID
	deviation   tester.Deviation
}

// drops makes a spec of each row: the device does not answer the deviating message, but the right one.
func drops(kind core.Kind, rows []row) { dropsUnder(plainly(kind), "", kind, rows) }

// plainly is the usual suite for what stands in clear, where rows name its algorithms and the values of its group; what is behind
// the encryption is the same under every suite, and the device's manifest names one.
func plainly(kind core.Kind) lab.Setup {
	switch kind {
	case core.MainMode1, core.MainMode2, core.MainMode3, core.MainMode4, core.Aggressive1, core.Aggressive2:
		return under(usual)
	}
	return lab.Setup{}
}

// dropsUnder is drops in another lab. Suffix tells its specs from others.
func dropsUnder(setup lab.Setup, suffix string, kind core.Kind, rows []row, labels ...Labels) {
	for i, r := range rows {
		It("drops "+r.deviation.Name+suffix, kit.Requirement(string(r.requirement)), kit.Negative, kit.Row(i), labels, func(ctx SpecContext) {
			refuses(ctx, setup, kind, r)
		})
	}
}

// refuses has the tester send one wrong message in a registration. The device may say why in an Informational, but goes
// on only in the registration that begins afterwards and has the right message.
func refuses(ctx SpecContext, setup lab.Setup, kind core.Kind, r row) {
	GinkgoHelper()
	t := begin(ctx, setup, r.deviation)
	before, after := place(kind)/2, (place(kind)+1)/2
	kit.Reached(t.Wait(ctx, lab.Patience, func() bool { return len(t.messages(t.tester)) >= after }), "the tester sends the message")
	kit.AwaitRefusal(ctx, t.Lab, t.device, r.requirement, 0, func() bool { return len(t.messages(t.device)) > before })
	fresh := t.afresh(ctx)
	answered := t.Wait(ctx, lab.Patience, func() bool { return len(t.answers(fresh, true)) > before })

	Expect(t.answers(fresh, false)).To(HaveLen(before), "the device goes on after %s", r.deviation.Name)
	kit.ExpectRefused(ctx, t.device, r.requirement, BeNumerically(">", 0), "the device says that it refused the message for %s", r.requirement)
	kit.Control(answered, "it answers an unaltered "+kind.String())
}

// accepts makes a spec of each row: the message is unusual but right, and the device goes on. An Informational that refuses it
// is no answer, and neither is another beginning.
func accepts(kind core.Kind, rows []row) {
	for i, r := range rows {
		It("accepts "+r.deviation.Name, kit.Requirement(string(r.requirement)), kit.Row(i), func(ctx SpecContext) {
			t := begin(ctx, plainly(kind), r.deviation)
			after := place(kind)/2 + 1
			Expect(t.Wait(ctx, lab.Patience, func() bool { return t.goes(after) })).
				To(BeTrue(), "the device answers %s", r.deviation.Name)
		})
	}
}

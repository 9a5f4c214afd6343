package tbar

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// numbers are those under which the lab's SATs tell of anti-replay.
var numbers = policy.DefaultReplayAttributes

var _ = Describe("Anti-replay in the SAT at a member (GET VPN)", kit.Subject("tbar"), kit.DUT(rule.GM), func() {
	for i, c := range []struct {
		sentence  string
		id        rule.ID
		attribute wire.Attribute
	}{
		{"refuses a SAT with a window of seconds and one of packets", "GETVPN-TBAR-19", wire.TV(numbers.Counter, 64)},
		{"refuses a SAT whose pseudotime has four octets", "GETVPN-TBAR-03", wire.TLV32(numbers.Pseudotime, 7)},
		{"refuses a SAT with a window of 0 s", "GETVPN-TBAR-03", wire.TV(numbers.Window, 0)},
	} {
		It(c.sentence, kit.Requirement(string(c.id)), kit.Negative, kit.Row(i), func(ctx SpecContext) {
			setup := hosts(timed(10 * time.Second))
			setup.Member = func(_ int, m *policy.Member) { m.RetryDelay = time.Second }
			l := kit.Lab(ctx, setup)
			d := tester.EditSAT(core.Pull2, "another attribute", func(t *gdoi.SAT) { t.ESP.Attributes = tester.SetAttribute(t.ESP.Attributes, c.attribute) })
			Expect(l.KS.Misbehave(tester.Taps(tester.Once(d)))).To(Succeed())
			kit.Precondition(l.KS.Start(ctx), "the key server starts")
			kit.Precondition(l.GM[0].Start(ctx), "the device starts")
			// GM <-- KS  HDR*, HASH(2), Nr, SA with the SAT that is wrong
			l.Wait(ctx, lab.Patience, func() bool { return len(kit.MessagesSince(l, 0, core.Pull1.String())) > 1 || l.GM[0].Registered(ctx) })
			Expect(kit.MessagesSince(l, 0, core.Pull1.String())).To(HaveLen(2), "the device begins anew")
			kit.ExpectRefused(ctx, l.GM[0], c.id, BeNumerically(">", 0), "it counts a refusal for %s", c.id)
			kit.Control(l.GM[0].AwaitRegistered(ctx) == nil, "the unaltered registration is accepted")
			Expect(kit.MessagesSince(l, 0, core.Pull3.String())).To(HaveLen(1), "it has not gone on with the first one")
		})
	}
})

var _ = Describe("A member without time-based anti-replay (GET VPN)", kit.Subject("tbar"), kit.DUT(rule.GM), func() {
	It("does not use an SA that asks for it, and tells the operator", kit.Requirement("GETVPN-TBAR-29"), kit.Negative, func(ctx SpecContext) {
		lacking := func(_ int, m *policy.Member) { m.Metadata.Lacking = true }
		setup := hosts(timed(10 * time.Second))
		setup.Member = lacking
		l := kit.Lab(ctx, setup)
		kit.Precondition(l.KS.Start(ctx), "the key server starts")
		kit.Precondition(l.GM[0].Start(ctx), "the device starts")
		kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return len(kit.MessagesSince(l, 0, core.Pull2.String())) > 0 }), "the key server tells its policy")
		l.Pass(ctx, 2*time.Second)
		Expect(kit.Ping(ctx, l, 1, 2, 1).Received).To(BeZero(), "answers to its host")
		Expect(kit.ESPSince(l, 0)).To(BeEmpty(), "packets that leave under the SA")
		if l.GM[0].Tells("GM_NO_CRYPTO_ENGINE") {
			Expect(l.GM[0].Logged("GM_NO_CRYPTO_ENGINE")).NotTo(BeEmpty())
		}

		other := hosts(with(policy.AntiReplay{}))
		other.Member = lacking
		kit.Control(kit.Lab(ctx, other).Up(ctx) == nil, "in a group that counts packets the same device registers")
	})
})

package phase1

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("How many Phase 1 SAs a key server keeps (RFC 6407 §7.2.5)", kit.Subject("phase1"), kit.DUT(rule.KS), func() {
	const kept = 2
	few := lab.Setup{Members: 2, KeyServer: func(c *policy.KeyServer) { c.Phase1.Established = kept }}
	// makes has the first member make so many SAs in all, and returns whether each is still served.
	makes := func(ctx SpecContext, t *talk, sas int) (served []bool) {
		GinkgoHelper()
		for range sas - 1 {
			before := len(t.decoded(t.KS, core.Pull4))
			t.again(ctx)
			kit.Reached(t.Wait(ctx, lab.Patience, func() bool { return len(t.decoded(t.KS, core.Pull4)) > before }), "the member registers again")
		}
		for _, d := range t.openings(t.tester) {
			served = append(served, t.serves(ctx, d.header.InitiatorCookie))
		}
		return served
	}
	It("keeps as many SAs of a peer as it is told to", kit.Requirement("RFC6407-7.2.5-02"), func(ctx SpecContext) {
		t := begin(ctx, few, tester.Withhold(core.Informational))
		kit.Precondition(t.tester.AwaitRegistered(ctx), "the member registers")
		Expect(makes(ctx, t, kept)).To(HaveEach(true))
	})
	It("lets the oldest SA of a peer give way to one that is too many", kit.Requirement("RFC6407-7.2.5-02"), func(ctx SpecContext) {
		t := begin(ctx, few, tester.Withhold(core.Informational))
		kit.Precondition(t.tester.AwaitRegistered(ctx), "the member registers")
		Expect(makes(ctx, t, kept+2)).To(Equal([]bool{false, false, true, true}))
		for _, m := range t.decoded(t.KS, core.Informational) {
			Expect(value(m, "D", "SPI")).To(Equal(m.Header.InitiatorCookie.String()+m.Header.ResponderCookie.String()), "whatever it says of it is a Delete")
		}
	})
	It("keeps the SA of a peer while another makes too many", kit.Requirement("RFC6407-7.2.5-02"), func(ctx SpecContext) {
		t := prepare(ctx, few)
		Expect(t.tester.Misbehave(tester.Withhold(core.Informational).Tap)).To(Succeed())
		t.start(ctx, t.KS, t.GM[1])
		kit.Precondition(t.GM[1].AwaitRegistered(ctx), "the second member registers")
		t.start(ctx, t.GM[0])
		kit.Precondition(t.tester.AwaitRegistered(ctx), "the first member registers")
		makes(ctx, t, kept+1)
		openings, pulls := len(t.openings(t.GM[1])), len(t.decoded(t.KS, core.Pull4))
		kit.Precondition(t.GM[1].Register(ctx), "the second member registers again")
		Expect(t.Wait(ctx, lab.Patience, func() bool { return len(t.decoded(t.KS, core.Pull4)) > pulls })).To(BeTrue(), "it is served")
		Expect(t.openings(t.GM[1])).To(HaveLen(openings), "under the SA that it has")
	})
})

package timers

import (
	"slices"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// isPhase1 reports whether a message is of Main or Aggressive Mode.
func isPhase1(m capture.Message) bool {
	return m.Header.Exchange == isakmp.ExchangeMainMode || m.Header.Exchange == isakmp.ExchangeAggressive
}

var _ = Describe("The lifetime of Phase 1 in GET VPN", kit.Subject("timers"), kit.DUT(rule.GM), func() {
	for _, c := range []struct {
		what         string
		configured   time.Duration
		requirements []string
		want         int
	}{
		{"a day if nobody says otherwise", 0, []string{"GETVPN-TIMER-08"}, 86400},
		{"what it is configured to", 3600 * time.Second, []string{"GETVPN-TIMER-08", "GETVPN-TIMER-15"}, 3600},
	} {
		It("proposes "+c.what, kit.Requirement(c.requirements...), func(ctx SpecContext) {
			one := setup(1)
			one.Member = func(_ int, m *policy.Member) { m.Phase1.Lifetime = c.configured }
			s := &scene{kit.Up(ctx, one), ctx}
			first := kit.MessagesSince(s.Lab, 0, core.MainMode1.String())
			kit.Reached(len(first) > 0, "the member proposes a Phase 1")
			Expect(kit.Value(first[0], "SA/P/T/Life Duration")).To(Equal(strconv.Itoa(c.want)))
		})
	}

	It("takes rekeys when Phase 1 is over, which ends a minute after the registration", kit.Requirement("GETVPN-TIMER-09"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		one := setup(1)
		one.KeyServer = func(c *policy.KeyServer) { c.Phase1.Lifetime = time.Minute }
		one.Member = func(_ int, c *policy.Member) { c.Phase1.Lifetime = time.Minute }
		s := &scene{kit.Up(ctx, one), ctx}
		s.Pass(ctx, 2*time.Minute)
		since := kit.Now(s.Lab)
		Expect(kit.Takes(ctx, s.Lab, 1, kit.Rekey(ctx, s.Lab, control.RekeyArgs{}))).To(BeTrue(), "it takes a rekey")
		Expect(slices.ContainsFunc(kit.MessagesSince(s.Lab, since, ""), isPhase1)).To(BeFalse(), "nobody needs a Phase 1 for it")
		kit.Precondition(s.GM[0].Register(ctx), "the member is told to register again")
		kit.Reached(s.GM[0].AwaitRegistrations(ctx, 1, lab.Patience), "the member registers again")
		Expect(slices.ContainsFunc(kit.MessagesSince(s.Lab, since, ""), isPhase1)).To(BeTrue(), "the former Phase 1 is gone")
	})
})

var _ = Describe("The lifetime of Phase 1 at a key server of GET VPN", kit.Subject("timers"), kit.DUT(rule.KS), func() {
	for _, c := range []struct {
		what         string
		configured   time.Duration
		requirements []string
		want         uint32
	}{
		{"a day if nobody says otherwise", 0, []string{"GETVPN-TIMER-08"}, 86400},
		{"what it is configured to", 3600 * time.Second, []string{"GETVPN-TIMER-08", "GETVPN-TIMER-15"}, 3600},
	} {
		It("tells a member that proposes two days "+c.what, kit.Requirement(c.requirements...), func(ctx SpecContext) {
			one := setup(1)
			one.KeyServer = func(k *policy.KeyServer) { k.Phase1.Lifetime = c.configured }
			one.Member = func(_ int, m *policy.Member) { m.Phase1.Lifetime = 2 * 24 * time.Hour }
			s := &scene{kit.Up(ctx, one), ctx}
			last := kit.MessagesSince(s.Lab, 0, core.MainMode6.String())
			kit.Reached(len(last) > 0, "Phase 1 is completed")
			Expect(kit.Value(last[0], "N")).To(Equal(isakmp.NotifyResponderLifetime.String()))
			Expect(kit.Value(last[0], "N/Data")).To(HaveSuffix("%08x", c.want), "its lifetime in seconds")
		})
	}
})

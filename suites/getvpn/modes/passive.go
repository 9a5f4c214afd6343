package modes

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// passively configures the device to be passive.
func passively(i int, c *policy.Member) { c.Passive = i == 1 }

var _ = Describe("A passive member", kit.Subject("modes"), kit.DUT(rule.GM), kit.Feature("profile:getvpn"), func() {
	restarts := func(s *scene) {
		GinkgoHelper()
		kit.Precondition(s.GM[0].Stop(), "the device stops")
		s.comes()
	}

	It("sends in ESP and takes traffic in clear and in ESP, after a rekey and a restart too",
		kit.Requirement("GETVPN-PASSIVE-01", "GETVPN-PASSIVE-05"), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Member: passively})
			s.is(optional, "at first")
			s.rekeys()
			s.is(optional, "after a rekey")
			restarts(s)
			s.is(optional, "after a restart")
		})

	It("is passive though its key server says receive-only", kit.Requirement("GETVPN-PASSIVE-03"), func(ctx SpecContext) {
		s := device(ctx, lab.Setup{Member: passively, Group: rollout})
		s.is(optional, "under receive-only SAs")
	})

	It("is passive by its operator's word until the next rekey", kit.Requirement("GETVPN-PASSIVE-02"), func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		s.is(both, "at first")
		s.directs("inbound-optional")
		s.is(optional, "by the operator's word")
		s.rekeys()
		s.is(both, "after the rekey")
	})

	It("is passive by its operator's word until it starts again", kit.Requirement("GETVPN-PASSIVE-02"), func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		s.directs("inbound-optional")
		s.is(optional, "by the operator's word")
		restarts(s)
		s.is(both, "after a restart")
	})

	It("is strict in both directions by its operator's word until the next rekey, and then passive again",
		kit.Requirement("GETVPN-PASSIVE-04"), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Member: passively})
			s.is(optional, "at first")
			s.directs("both")
			s.is(both, "by the operator's word")
			s.rekeys()
			s.is(optional, "after the rekey")
		})
})

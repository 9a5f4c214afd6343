package timers

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// stamping has the packets of the group carry a pseudotime, which is told at least so often.
func stamping(each time.Duration) func(*policy.Group) {
	return func(g *policy.Group) {
		g.Rekey.Sync = each
		for i := range g.SAs {
			g.SAs[i].AntiReplay.Method = policy.ReplayTime
		}
	}
}

var _ = Describe("How a key server of GET VPN tells the pseudotime when keys are about to be replaced", kit.Subject("timers"), kit.DUT(rule.KS),
	kit.Needs(lab.NeedVirtualTime), func() {
		const due = 3240 // when a TEK of an hour is replaced by multicast (GETVPN-MCAST-04)
		for _, c := range []struct {
			before int
			rekeys int
		}{{30, 1}, {50, 1}, {70, 2}, {90, 2}} {
			It(fmt.Sprintf("needs %d rekeys for a pseudotime that is due %d s before a TEK", c.rekeys, c.before), kit.Requirement("GETVPN-REKEY-16"), func(ctx SpecContext) {
				s := group(ctx, 1, lab.Multicast, living(86400, 3600), stamping(seconds(due-c.before)))
				old := kit.Value(s.given(1), "SA/SAT/SPI")
				s.until(ends(s.given(1), lifeOfTEK).Add(-350 * time.Second))
				pushes := s.pushes(0)
				Expect(pushes).To(HaveLen(c.rekeys))
				for i, m := range pushes {
					Expect(kit.Value(m, "SA/SAT/SPI") != old).To(Equal(i == c.rekeys-1), "the last brings a TEK, another only the pseudotime")
				}
			})
		}
	})

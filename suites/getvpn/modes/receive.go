package modes

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// passiveFor is how long a member is passive after its group was receive-only.
const passiveFor = 5 * time.Minute

var _ = Describe("A member of a receive-only group", kit.Subject("modes"), kit.DUT(rule.GM), kit.Feature("profile:getvpn"), func() {
	It("sends in clear under receive-only SAs, and takes traffic in clear and in ESP",
		kit.Requirement("GETVPN-RECVONLY-01", "GETVPN-RECVONLY-04"), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: rollout})
			s.is(receiveOnly, "under receive-only SAs")
			s.rekeys()
			s.is(receiveOnly, "after a rekey that is receive-only as well")
		})

	It("goes to receive-only with the rekey that says so", kit.Requirement("GETVPN-RECVONLY-04"), func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		s.is(both, "at first")
		s.converts(true)
		s.is(receiveOnly, "after the rekey")
	})

	It("is converted by its operator step by step: receive-only, inbound optional, both", kit.Requirement("GETVPN-RECVONLY-05"),
		func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: rollout})
			s.is(receiveOnly, "at first")
			s.directs("inbound-optional")
			s.is(optional, "once inbound ESP is optional")
			s.directs("both")
			s.is(both, "once both directions are asked for")
		})

	It("is passive as soon as the group is no longer receive-only, and five minutes later strict in both directions",
		kit.Requirement("GETVPN-RECVONLY-07", "GETVPN-POLICY-15"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: rollout})
			s.is(receiveOnly, "at first")
			begun := s.Now()
			fresh := s.ends()
			s.is(optional, "after the rekey")
			before := kit.Now(s.Lab)
			s.passes(s.packet(), inESP, "after the rekey")
			for _, p := range kit.ESPSince(s.Lab, before) {
				Expect(kit.SPI(p.SPI)).To(BeElementOf(fresh.SPIs), "it sends under the SA of the rekey, since the one before was for receiving only")
			}
			s.Pass(ctx, begun.Add(passiveFor-time.Second/2).Sub(s.Now()))
			s.isNow(optional, "half a second before five minutes are over")
			s.Pass(ctx, begun.Add(passiveFor+time.Second/2).Sub(s.Now()))
			s.isNow(both, "half a second after")
		})

	It("says what it does with its SAs: receive-only, both by the key server, both by its operator",
		kit.Requirement("GETVPN-RECVONLY-04", "GETVPN-RECVONLY-10"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: rollout})
			Expect(s.GM[0].AwaitLog(ctx, "GM_SA_INGRESS", 0, lab.Patience)).To(BeTrue(), "receive-only")
			s.directs("both")
			Expect(s.GM[0].AwaitLog(ctx, "GM_CONV_SA_DUPLEX_LOCAL", 0, lab.Patience)).To(BeTrue(), "both, by its operator")
			Expect(s.GM[0].Logged("GM_CONV_SA_DUPLEX")).To(BeEmpty())
			s.ends()
			Expect(s.GM[0].AwaitLog(ctx, "GM_CONV_SA_DUPLEX", 0, passiveFor+lab.Patience)).To(BeTrue(), "both, by the key server")
			Expect(s.GM[0].Logged("GM_CONV_SA_DUPLEX_LOCAL")).To(HaveLen(1))
		})
})

// rollsOut is a roll-out in which the device plays one of the roles.
func rollsOut(role rule.Role, whose string) bool {
	return Describe("A roll-out", kit.Subject("modes"), kit.DUT(role), kit.Feature("profile:getvpn"), func() {
		It("loses nothing in any phase among three members, with "+whose+" under test", kit.Requirement("GETVPN-RECVONLY-08"), func(ctx SpecContext) {
			s := stage(ctx, lab.Setup{Members: 3, Group: func(g *policy.Group) {
				rollout(g)
				g.SAs[0].AntiReplay.Method = policy.ReplayNone // counters serve two members only
			}})
			kit.Precondition(s.Up(ctx), "every member registers")
			everybody := func(phase string) {
				GinkgoHelper()
				for _, to := range []int{2, 3} {
					Expect(kit.Ping(ctx, s.Lab, 1, to, 1).Received).To(Equal(1), "%s: h1 and h%d", phase, to)
					Expect(kit.Ping(ctx, s.Lab, to, 1, 1).Received).To(Equal(1), "%s: h%d and h1", phase, to)
				}
			}
			everybody("receive-only")
			kit.Precondition(s.GM[1].Direction(ctx, "inbound-optional"), "gm2 is passive")
			everybody("gm2 sends in ESP")
			s.directs("inbound-optional")
			everybody("gm1 sends in ESP, too")
			s.ends()
			everybody("the key server has ended receive-only")
			s.passes(s.packet(), inESP, "after that gm1 sends in ESP")
			s.takes(back(s.packet()), true, "and still takes traffic in clear")
		})
	})
}

var _, _ = rollsOut(rule.KS, "a key server"), rollsOut(rule.GM, "a member")

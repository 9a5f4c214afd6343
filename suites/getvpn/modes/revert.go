package modes

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// lifetime is that of the SAs in these specs. A member registers again before they end.
const lifetime = 20 * time.Minute

// reverting has members fail close, and go back to that when they have lost their group.
func reverting(_ int, c *policy.Member) {
	closing(telnet)(0, c)
	c.FailClose.Revert = true
}

var _ = Describe("A member that has lost its key servers", kit.Subject("modes"), kit.DUT(rule.GM), kit.Feature("profile:getvpn"), func() {
	// keepsPolicy expects the policy of the group to count, and no SA.
	keepsPolicy := func(s *scene, when string) {
		GinkgoHelper()
		s.isNow(blocked, when+" the group's traffic is dropped")
		s.passes(s.ports(6, 4000, 23), not, when+" what the list for the time before denies is dropped")
		s.passes(beyond(s.packet()), inClear, when+" what the group does not protect leaves in clear")
	}
	// isClosed expects the list for the time before the registration to count.
	isClosed := func(s *scene, when string) {
		GinkgoHelper()
		s.isNow(blocked, when+" nothing leaves")
		s.passes(beyond(s.packet()), not, when+" nor does what the group would not protect")
		s.passes(s.ports(6, 4000, 23), inClear, when+" what the list denies leaves in clear")
	}
	loses := func(s *scene, d time.Duration) {
		GinkgoHelper()
		kit.Precondition(s.KS.Stop(), "the key server stops")
		s.Pass(s.ctx, d)
	}

	for _, c := range []struct {
		name   string
		member func(int, *policy.Member)
	}{
		{"drops the group's traffic and nothing else", nil},
		{"drops the group's traffic and nothing else, though it failed close before it had registered", closing(telnet)},
	} {
		It(c.name, kit.Requirement("GETVPN-FAILCLOSE-16"), kit.Needs(lab.NeedVirtualTime), kit.Negative, func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Member: c.member, Group: lasting(lifetime)})
			kit.Control(s.comesTo(both) == both, "traffic is protected before")
			loses(s, time.Hour)
			keepsPolicy(s, "after its SAs have ended")
		})
	}

	It("goes back to failing close if it is to revert", kit.Requirement("GETVPN-FAILCLOSE-17", "GETVPN-FAILCLOSE-18"), kit.Needs(lab.NeedVirtualTime), kit.Negative,
		func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Member: reverting, Group: lasting(lifetime)})
			kit.Control(s.comesTo(both) == both, "traffic is protected before")
			loses(s, time.Hour)
			isClosed(s, "after its SAs have ended")
			kit.Precondition(s.KS.Start(ctx), "the key server is back")
			s.Pass(ctx, time.Minute)
			s.is(both, "once it has registered again")
		})

	It("keeps the policy of its group as long as its SAs live", kit.Requirement("GETVPN-FAILCLOSE-18"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		s := device(ctx, lab.Setup{Member: reverting, Group: lasting(lifetime)})
		kit.Precondition(s.KS.Stop(), "the key server stops")
		kit.Precondition(s.GM[0].Register(ctx), "the device is to register again")
		s.Pass(ctx, lifetime/2)
		s.isNow(both, "while the key server is lost and the SAs live")
		s.passes(beyond(s.packet()), inClear, "what the group does not protect leaves in clear")
	})

	It("keeps the policy of its group as long as the key server can be reached", kit.Requirement("GETVPN-FAILCLOSE-18"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Member: reverting, Group: lasting(lifetime)})
			s.Pass(ctx, time.Hour)
			s.isNow(both, "after three lifetimes")
			kit.Rekey(ctx, s.Lab, control.RekeyArgs{DeleteTEKs: []string{"0"}})
			s.Wait(ctx, lab.Patience, func() bool { return s.looks().Leaves != inESP })
			s.passes(beyond(s.packet()), inClear, "what the group does not protect leaves in clear, with or without SAs")
		})

	It("goes back to failing close when its operator clears the group, if it is to revert", kit.Requirement("GETVPN-FAILCLOSE-19"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, lab.Setup{Member: reverting})
		kit.Control(s.comesTo(both) == both, "traffic is protected before")
		kit.Precondition(s.KS.Stop(), "the key server stops")
		kit.Precondition(s.GM[0].Clear(ctx), "the operator clears the group")
		isClosed(s, "after that")
	})

	It("reverts to nothing that is not activated", kit.Requirement("GETVPN-FAILCLOSE-20"), kit.Needs(lab.NeedVirtualTime), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, lab.Setup{Group: lasting(lifetime), Member: func(i int, c *policy.Member) { reverting(i, c); c.FailClose.Activate = false }})
		kit.Control(s.comesTo(both) == both, "traffic is protected before")
		loses(s, time.Hour)
		keepsPolicy(s, "after its SAs have ended")
	})

	It("shows whether it reverts, and when, once it has lost its key servers", kit.Requirement("GETVPN-FAILCLOSE-21"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Member: reverting, Group: lasting(lifetime)})
			shown := func() control.Modes {
				GinkgoHelper()
				status, err := s.GM[0].GMStatus(ctx)
				kit.Precondition(err, "the device tells its state")
				return status.Modes
			}
			Expect(shown().Revert).To(BeTrue())
			Expect(shown().Removal).To(BeZero(), "nothing counts down while the key server is there")
			end := s.Now().Add(lifetime)
			kit.Precondition(s.KS.Stop(), "the key server stops")
			kit.Precondition(s.GM[0].Register(ctx), "the device is to register again")
			s.Pass(ctx, lifetime/2)
			Expect(shown().Removal).To(BeTemporally("~", end, 2*time.Second), "the policy goes when the SAs end")
			s.Pass(ctx, lifetime)
			Expect(shown().Removal).To(BeZero(), "it has gone")
			Expect(shown().Closed).To(BeTrue(), "the list for the time before counts")
		})

	It("shows whether there is an SA to protect traffic with", kit.Requirement("GETVPN-ROUTE-06"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		s := alone(ctx, lab.Setup{Group: lasting(time.Minute)})
		active := func() bool {
			GinkgoHelper()
			status, err := s.GM[0].GMStatus(ctx)
			kit.Precondition(err, "the device tells its state")
			return status.Modes.ActiveSA
		}
		Expect(active()).To(BeFalse(), "before it has registered")
		kit.Precondition(s.KS.Start(ctx), "the key server starts")
		kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the device registers")
		Expect(active()).To(BeTrue(), "with an SA")
		loses(s, 2*time.Minute)
		Expect(active()).To(BeFalse(), "after its SAs have ended")
	})
})

package routing

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// tracking has the device track whether it has a key.
func tracking(i int, c *policy.Member) {
	if i == device {
		c.Track = &policy.Track{Number: 99}
	}
}

// tracked waits for a state of the device's object, and has routing go by it: through the device as long as the object is UP. It reports
// whether the state came.
func (s *scene) tracked(up bool) bool {
	GinkgoHelper()
	kit.Precondition(s.GM[device-1].Can(peer.ControlStatus), "the device tells the state of its tracked object")
	isUp := func() bool {
		status, err := s.GM[device-1].GMStatus(s.ctx)
		return err == nil && status.Track == "up"
	}
	came := s.Wait(s.ctx, lab.Patience, func() bool { return isUp() == up })
	if isUp() {
		s.prefers(device)
	} else {
		s.prefers(another)
	}
	return came
}

var _ = Describe("A member of GET VPN beside another gateway", kit.Subject("routing"), kit.DUT(rule.GM), func() {
	It("takes and sends packets of the group as well as the other one, wherever routing leads them", kit.Requirement("GETVPN-ADDRPRES-02"), func(ctx SpecContext) {
		s := up(ctx, nil)
		for _, gateway := range []int{device, another, device} {
			s.prefers(gateway)
			Expect(s.reaches()).To(BeTrue(), "the hosts reach each other through %s", lab.MemberName(gateway))
		}
	})

	It("takes over when the link of the other one is cut and routing leads to it", kit.Requirement("GETVPN-ADDRPRES-08"), func(ctx SpecContext) {
		s := up(ctx, nil)
		s.prefers(another)
		kit.Reached(s.reaches(), "the hosts reach each other through the other gateway")
		kit.Precondition(s.GM[another-1].Stop(), "the other gateway is gone")
		kit.Reached(!s.reaches(), "what routing still leads there is lost")
		s.prefers(device)
		Expect(s.reaches()).To(BeTrue(), "the hosts reach each other through the device")
	})

	It("drops what routing leads to it when it has lost its keys, though the other one could forward it", kit.Requirement("GETVPN-ROUTE-01"), kit.Negative,
		func(ctx SpecContext) {
			s := up(ctx, nil)
			kit.Reached(s.reaches(), "the hosts reach each other through the device")
			s.keyless()
			before := kit.Now(s.Lab)
			Expect(s.reaches()).To(BeFalse(), "traffic is lost")
			Expect(kit.ClearSince(s.Lab, before)).To(BeEmpty(), "nothing of it leaves in clear")
			s.prefers(another)
			kit.Control(s.reaches(), "the other gateway forwards it")
		})

	It("has routing that goes by its tracked object lead round it for as long as it has no keys", kit.Requirement("GETVPN-ROUTE-02"), kit.Feature("track"),
		func(ctx SpecContext) {
			s := up(ctx, tracking)
			Expect(s.tracked(true)).To(BeTrue(), "it has keys")
			Expect(s.reaches()).To(BeTrue(), "the hosts reach each other")
			s.keyless()
			Expect(s.tracked(false)).To(BeTrue(), "it has none")
			Expect(s.reaches()).To(BeTrue(), "the hosts reach each other round it")
			s.admits(s.GM...)
			Expect(s.tracked(true)).To(BeTrue(), "it has registered again")
			Expect(s.reaches()).To(BeTrue(), "the hosts reach each other")
		})
})

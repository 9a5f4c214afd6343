package timers

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("The numbers of rekeys at a member of GET VPN", kit.Subject("timers"), kit.DUT(rule.GM), func() {
	It("takes every number above the last, and none up to it", kit.Requirement("GETVPN-SEQ-06", "GETVPN-SEQ-07"), kit.Negative, func(ctx SpecContext) {
		two := setup(2)
		two.Hosts = true
		s := &scene{kit.Up(ctx, two), ctx}
		// takes has the key server send a rekey with this number, and reports whether the device has its TEK then.
		takes := func(number uint32) bool {
			GinkgoHelper()
			Expect(s.KS.Misbehave(tester.Taps(tester.SEQ(core.Push, number)))).To(Succeed())
			sent := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			s.Pass(ctx, kit.Settle)
			return kit.Has(ctx, s.Lab, 1, sent.SPIs[0])
		}
		for _, number := range []uint32{10, 11, 1000000} {
			Expect(takes(number)).To(BeTrue(), "it takes number %d", number)
		}
		for _, number := range []uint32{1000000, 999999} {
			Expect(takes(number)).To(BeFalse(), "it does not take number %d", number)
		}
		kit.Control(takes(1000001), "it takes the next number")
	})
})

var _ = Describe("Copies of a rekey at a member of GET VPN", kit.Subject("timers"), kit.DUT(rule.GM), kit.Needs(lab.NeedVirtualTime), func() {
	for _, c := range []struct {
		what string
		lost int
	}{{"the first", 0}, {"the second, having missed the first", 1}, {"the sixth, having missed all others", 5}} {
		It("takes the KEK of "+c.what+" of six copies by multicast, and the other copies do no harm", kit.Requirement("GETVPN-SEQ-11", "GETVPN-MCAST-07", "GETVPN-REKEY-05"),
			kit.Feature("multicast"), func(ctx SpecContext) {
				s := group(ctx, 1, lab.Multicast, repeating(5, 10*time.Second), func(g *policy.Group) { g.Rekey.Ack = policy.AckNone })
				left := c.lost
				s.Intercept(func(crossing *lab.Crossing) {
					if ip, ok := lab.ParseIPv4(crossing.Packet); ok && isPush(ip) && left > 0 {
						left, crossing.Drop = left-1, true
					}
				})
				since := kit.Now(s.Lab)
				replacing := kit.Rekey(ctx, s.Lab, control.RekeyArgs{KEK: true})
				s.Pass(ctx, 2*time.Minute)
				kit.Reached(len(s.pushes(since)) == 6-c.lost, "the copies are sent")
				Expect(kit.Has(ctx, s.Lab, 1, replacing.SPIs[0])).To(BeTrue(), "it has taken a copy")
				since = kit.Now(s.Lab)
				next := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
				s.Pass(ctx, time.Second)
				Expect(numbers(s.pushes(since))).To(Equal([]string{"1"}), "the numbers begin anew")
				Expect(kit.Has(ctx, s.Lab, 1, next.SPIs[0])).To(BeTrue(), "it takes the first rekey under the new KEK")
				Expect(s.begun(1, 0)).To(HaveLen(1), "it sees no reason to register again")
			})
	}
})

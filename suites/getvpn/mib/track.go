package mib

import (
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// The states of a tracked object.
const (
	up   = "up"
	down = "down"
)

// tracking has the device track whether it has a key.
func tracking(t policy.Track) lab.Setup {
	return lab.Setup{Member: func(i int, c *policy.Member) {
		if i == 1 {
			c.Track = &t
		}
	}}
}

// tracked is the state that the device says its object has.
func (s *scene) tracked() string {
	GinkgoHelper()
	status, err := s.device.GMStatus(s.ctx)
	Expect(err).NotTo(HaveOccurred())
	return status.Track
}

var _ = Describe("The tracked object of a member of GET VPN", kit.Subject("mib"), kit.DUT(rule.GM), func() {
	It("is UP when the key server has given a TEK, and DOWN when it has ended before a rekey", kit.Requirement("GETVPN-ROUTE-06"),
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			s := network(ctx, tracking(policy.Track{Number: 99}))
			Expect(s.device.Start(ctx)).To(Succeed())
			s.Pass(ctx, time.Minute)
			Expect(s.tracked()).To(Equal(down), "nobody has answered its registration")
			kit.Precondition(s.KS.Start(ctx), "the key server starts")
			kit.Precondition(s.device.AwaitRegistered(ctx), "the member registers")
			Expect(s.tracked()).To(Equal(up))
			kit.Precondition(s.KS.Stop(), "the key server ends")
			s.Pass(ctx, lifetime-2*time.Minute)
			Expect(s.tracked()).To(Equal(up), "the TEK has not ended")
			s.Pass(ctx, 3*time.Minute)
			Expect(s.tracked()).To(Equal(down))
		})

	It("is UP 60 s after the TEK came where that is its delay, and no sooner", kit.Requirement("GETVPN-ROUTE-07"),
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			s := group(ctx, tracking(policy.Track{Number: 99, DelayUp: time.Minute}))
			s.Pass(ctx, 45*time.Second)
			Expect(s.tracked()).To(Equal(down))
			s.Pass(ctx, 30*time.Second)
			Expect(s.tracked()).To(Equal(up))
		})

	It("has a route be there while it is UP, and only then", kit.Requirement("GETVPN-ROUTE-03"), kit.Needs(lab.NeedKernel), func(ctx SpecContext) {
		s := network(ctx, tracking(policy.Track{Number: 99, Hook: []string{"/bin/sh", "-c", routeByState}}))
		Expect(s.device.Start(ctx)).To(Succeed())
		Expect(s.routed()).To(BeFalse(), "there is no key yet")
		kit.Precondition(s.KS.Start(ctx), "the key server starts")
		kit.Precondition(s.device.AwaitRegistered(ctx), "the member registers")
		Expect(s.Wait(ctx, lab.Patience, s.routed)).To(BeTrue(), "the route is there")
		kit.Precondition(s.KS.Stop(), "the key server ends")
		kit.Precondition(s.device.Clear(ctx), "the member forgets its keys")
		Expect(s.Wait(ctx, lab.Patience, func() bool { return !s.routed() })).To(BeTrue(), "the route is gone")
	})
})

// farHost is where the route of the tracked object leads: to nobody that the group protects.
var farHost = netip.MustParseAddr("198.51.100.99")

// routeByState has the device have a route over the WAN to that host while its object is UP.
const routeByState = `[ "$GDOI_STATE" = up ] && exec ip route replace 198.51.100.99/32 via 192.0.2.10; ip route del 198.51.100.99/32 2>/dev/null || true`

// routed reports whether what the device's host sends by that route crosses the WAN.
func (s *scene) routed() bool {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	kit.PingTo(s.ctx, s.Lab, 1, farHost, 1)
	for _, f := range kit.WANSince(s.Lab, before) {
		if ip, ok := lab.Parse(f.Packet); ok && ip.Destination == farHost {
			return true
		}
	}
	return false
}

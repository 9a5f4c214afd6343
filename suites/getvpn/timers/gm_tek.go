package timers

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// begun are the first messages of registrations by member i since the mark.
func (s *scene) begun(i int, since kit.Mark) (all []capture.Message) {
	for _, m := range kit.MessagesSince(s.Lab, since, core.Pull1.String()) {
		if m.From.Addr() == s.GM[i-1].Addr().Addr() {
			all = append(all, m)
		}
	}
	return all
}

// spi is what member 1 sends to the host behind member 2 under.
func (s *scene) spi() string {
	GinkgoHelper()
	return kit.SPI(kit.SendingSPI(s.ctx, s.Lab, 1, 2))
}

// loseRekeys loses what the key server sends to members of the group on its own account until the end.
func (s *scene) loseRekeys(to ...*lab.Peer) (end func()) {
	s.Intercept(func(c *lab.Crossing) {
		ip, ok := lab.ParseIPv4(c.Packet)
		for _, p := range to {
			c.Drop = c.Drop || ok && isPush(ip) && ip.Destination == p.Addr().Addr()
		}
	})
	return func() { s.Intercept(nil) }
}

// isPush reports whether a packet is a rekey.
func isPush(ip lab.IPv4) bool {
	_, _, data, ok := ip.UDP()
	h, err := isakmp.ParseHeader(data)
	return ok && err == nil && h.Exchange == isakmp.ExchangePush
}

var _ = Describe("What a member of GET VPN does about the end of a TEK", kit.Subject("timers"), kit.DUT(rule.GM), kit.Needs(lab.NeedVirtualTime), func() {
	// pair is two members with hosts, and a TEK of ten minutes.
	pair := func(ctx SpecContext) (s *scene, end time.Time) {
		GinkgoHelper()
		two := setup(2, living(86400, 600))
		two.Hosts = true
		s = &scene{kit.Up(ctx, two), ctx}
		return s, ends(s.given(1), lifeOfTEK)
	}

	It("goes over to the new TEK 30 s before the old one ends, and has both until then", kit.Requirement("GETVPN-REKEY-11", "GETVPN-TIMER-16", "GETVPN-REKEY-09"),
		func(ctx SpecContext) {
			s, end := pair(ctx)
			old := s.spi()
			s.until(end.Add(-50 * time.Second))
			pushes := s.pushesTo(1, 0)
			kit.Reached(len(pushes) == 1, "a rekey has come")
			next := kit.Value(pushes[0], "SA/SAT/SPI")
			s.until(end.Add(-33 * time.Second))
			Expect(s.spi()).To(Equal(old), "it still sends under the old one")
			s.until(end.Add(-27 * time.Second))
			Expect(next).To(ContainSubstring(s.spi()), "it sends under the new one")
			Expect(kit.Has(ctx, s.Lab, 1, old)).To(BeTrue(), "it still has the old one")
			s.until(end.Add(3 * time.Second))
			Expect(kit.Has(ctx, s.Lab, 1, old)).To(BeFalse(), "the old one is gone")
		})

	It("loses nothing if another member gets the rekey later", kit.Requirement("GETVPN-REKEY-10", "GETVPN-REKEY-09"), func(ctx SpecContext) {
		s, end := pair(ctx)
		s.Intercept(func(c *lab.Crossing) {
			if ip, ok := lab.ParseIPv4(c.Packet); ok && isPush(ip) && ip.Destination == s.GM[1].Addr().Addr() {
				c.Delay = 20 * time.Second
			}
		})
		s.until(end.Add(-2 * time.Minute))
		probe, err := s.Hosts[0].Ping(ctx, lab.HostAddr(2), lab.Ping{Interval: time.Second})
		kit.Precondition(err, "the host pings")
		s.until(end.Add(10 * time.Second))
		r := probe.Stop()
		Expect(r.Sent).To(BeNumerically(">", 120))
		Expect(r.Sent-r.Received).To(BeNumerically("<=", 1), "but for one that is under way")
		Expect(s.pushesTo(1, 0)).To(HaveLen(1))
	})

	It("registers again 60 s before its TEK ends if no rekey has come", kit.Requirement("GETVPN-REKEY-12", "GETVPN-UCAST-08", "GETVPN-TIMER-16"), func(ctx SpecContext) {
		s, end := pair(ctx)
		since := kit.Now(s.Lab)
		s.loseRekeys(s.GM[0])
		s.until(end.Add(-65 * time.Second))
		Expect(s.begun(1, since)).To(BeEmpty())
		s.until(end)
		begun := s.begun(1, since)
		Expect(begun).To(HaveLen(1))
		Expect(end.Sub(begun[0].At)).To(about(60 * time.Second))
		Expect(s.begun(2, since)).To(BeEmpty(), "the other has got its rekey")
	})

	It("does not register again as long as rekeys come", kit.Requirement("GETVPN-REKEY-17"), func(ctx SpecContext) {
		s, _ := pair(ctx)
		since := kit.Now(s.Lab)
		s.Pass(ctx, time.Hour)
		Expect(len(s.pushesTo(1, since))).To(BeNumerically(">=", 6))
		Expect(s.begun(1, since)).To(BeEmpty())
		next := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
		Expect(kit.Takes(ctx, s.Lab, 1, next)).To(BeTrue())
	})

	It("takes by a reminder the rekey that it has missed while it was away for hours, with lifetimes of days", kit.Requirement("GETVPN-LONGSA-03", "GETVPN-REKEY-17"), kit.Feature("ack"),
		func(ctx SpecContext) {
			const day = 86400
			s := group(ctx, 1, kit.Acknowledging, living(20*day, 10*day), reminding, repeating(0, time.Hour))
			end := s.loseRekeys(s.GM[0])
			missed := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			s.Pass(ctx, 7*time.Hour)
			Expect(kit.Installed(ctx, s.Lab, 1)).NotTo(ContainElement(missed.SPIs[0]))
			end()
			s.Pass(ctx, 90*time.Minute)
			Expect(kit.Has(ctx, s.Lab, 1, missed.SPIs[0])).To(BeTrue())
			Expect(s.begun(1, 0)).To(HaveLen(1), "it has not registered again")
		})

	for _, transport := range transports {
		It("takes rekeys by "+transport.name, kit.Requirement("GETVPN-REKEY-03"), func(ctx SpecContext) {
			s := group(ctx, 1, transport.alter)
			Expect(kit.Takes(ctx, s.Lab, 1, kit.Rekey(ctx, s.Lab, control.RekeyArgs{}))).To(BeTrue())
		})
	}
})

var _ = Describe("What a member of GET VPN does when its TEK is deleted", kit.Subject("timers"), kit.DUT(rule.GM), func() {
	It("goes over to the new TEK at once when the old one is deleted", kit.Requirement("GETVPN-REKEY-11", "RFC6407-5.9-04"), func(ctx SpecContext) {
		two := setup(2, living(86400, 600))
		two.Hosts = true
		s := &scene{kit.Up(ctx, two), ctx}
		old, next := s.spi(), kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
		kit.Reached(kit.Takes(ctx, s.Lab, 1, next), "the member takes a rekey")
		Expect(s.spi()).To(Equal(old), "it still sends under the old one")
		Expect(kit.Keeps(ctx, s.Lab, 1, next.SPIs)).To(BeTrue(), "it takes a Delete of that")
		Expect(s.spi()).To(Equal(next.SPIs[0]), "it sends under the new one")
	})
})

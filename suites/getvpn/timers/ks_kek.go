package timers

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("When a key server of GET VPN replaces its KEK", kit.Subject("timers"), kit.DUT(rule.KS), kit.Needs(lab.NeedVirtualTime), func() {
	for n, c := range []struct {
		kek, copies, members int
		multicast            bool
		start                int // by the vectors of the requirement
	}{
		{1200, 3, 2, false, 965},
		{86400, 2, 1, true, 86180},
		{86400, 2, 49, false, 86175},
		{86400, 2, 50, false, 86170},
		{86400, 2, 100, false, 86165},
		{86400, 3, 1, true, 86170},
		{3600, 0, 100, false, 3385},
		{3600, 0, 1, true, 3400},
		{300, 0, 10, false, 95},
		{300, 0, 1, true, 100},
		{360, 2, 2, false, 135},
	} {
		transport, how := unicast, "unicast"
		if c.multicast {
			transport, how = lab.Multicast, "multicast"
		}
		It(fmt.Sprintf("tells %d members a new KEK %d s into the %d s of the last, by %s with %d repetitions", c.members, c.start, c.kek, how, c.copies),
			kit.Requirement("GETVPN-KEK-04", "GETVPN-KEK-05", "GETVPN-KEK-06", "GETVPN-REKEY-06"), kit.Feature("kek-end:new"), kit.Row(n), func(ctx SpecContext) {
				s := group(ctx, c.members, transport, living(c.kek, 2*c.kek), repeating(c.copies, 10*time.Second))
				end := ends(s.given(1), lifeOfKEK)
				s.until(end)
				pushes := s.pushes(0)
				Expect(pushes).NotTo(BeEmpty(), "there is a rekey before the KEK ends")
				Expect(end.Sub(pushes[0].At)).To(about(seconds(c.kek - c.start)))
				Expect(kit.Value(pushes[0], "SA/SAK/SPI")).NotTo(BeEmpty(), "it brings a KEK")
			})
	}

	It("brings a new TEK with a new KEK, under the old one, and uses the new one from then on",
		kit.Requirement("GETVPN-TIMER-04", "GETVPN-TIMER-05", "GETVPN-KEK-07", "GETVPN-SEQ-08"), kit.Feature("kek-end:new"), func(ctx SpecContext) {
			s := group(ctx, 1, living(1200, 3600))
			given, since := s.given(1), kit.Now(s.Lab)
			Expect(kit.Value(given, lifeOfKEK)).To(BeElementOf("1199", "1200"), "the lifetime is the one of the configuration")
			kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			s.Pass(ctx, seconds(1100))
			kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			s.Pass(ctx, time.Second)
			pushes := s.pushes(since)
			Expect(pushes).To(HaveLen(4))
			fresh := kit.Value(pushes[1], "SA/SAK/SPI")
			Expect(fresh).NotTo(BeElementOf("", kit.Value(given, "SA/SAK/SPI")))
			Expect(kit.Value(pushes[1], lifeOfKEK)).To(Equal("1200"))
			Expect(kit.Value(pushes[1], "SA/SAT/SPI")).NotTo(BeElementOf("", kit.Value(pushes[0], "SA/SAT/SPI")))
			var under []string
			for _, m := range pushes {
				under = append(under, cookies(m))
			}
			old := kit.Value(given, "SA/SAK/SPI")
			Expect(under).To(Equal([]string{old, old, fresh, fresh}))
			Expect(numbers(pushes)).To(Equal([]string{"1", "2", "1", "2"}), "they begin at 1 after the rekey of the KEK, not with it")
		})

	for _, kek := range []int{3 * 1200, 7200, 86400} {
		It(fmt.Sprintf("disturbs nobody with a rekey of everything at any time of a KEK of %d s", kek), kit.Requirement("GETVPN-TIMER-12"), func(ctx SpecContext) {
			two := setup(2, living(kek, 1200))
			two.Hosts = true
			s := &scene{kit.Up(ctx, two), ctx}
			probe, err := s.Hosts[0].Ping(ctx, lab.HostAddr(2), lab.Ping{Interval: 5 * time.Second})
			kit.Precondition(err, "the host pings")
			for range 3 {
				s.Pass(ctx, 500*time.Second)
				kit.Rekey(ctx, s.Lab, control.RekeyArgs{KEK: true})
			}
			s.Pass(ctx, 2000*time.Second)
			r := probe.Stop()
			Expect(r.Sent-r.Received).To(BeNumerically("<=", 1), "but for one that is under way")
			for _, gm := range s.GM {
				Expect(gm.Registrations()).To(Equal(1))
			}
		})
	}

	It("repeats the rekey of its KEK by multicast under the old one", kit.Requirement("GETVPN-MCAST-05", "GETVPN-MCAST-06", "GETVPN-SEQ-02", "GETVPN-SEQ-11"), func(ctx SpecContext) {
		s := group(ctx, 1, lab.Multicast, repeating(5, 10*time.Second))
		given, since, start := s.given(1), kit.Now(s.Lab), s.Now()
		kit.Rekey(ctx, s.Lab, control.RekeyArgs{KEK: true})
		s.Pass(ctx, 2*time.Minute)
		pushes := s.pushes(since)
		Expect(after(start, pushes)).To(Equal([]int{0, 10, 20, 30, 40, 50}))
		Expect(numbers(pushes)).To(Equal([]string{"1", "2", "3", "4", "5", "6"}))
		for _, m := range pushes {
			Expect(cookies(m)).To(Equal(kit.Value(given, "SA/SAK/SPI")))
			Expect(m.To.Addr()).To(Equal(lab.MulticastGroup))
			Expect(kit.Value(m, "SA/SAK/SPI")).To(Equal(kit.Value(pushes[0], "SA/SAK/SPI")))
		}
	})

	It("replaces its KEK as it ends, by the old behaviour", kit.Requirement("GETVPN-KEK-01"), kit.Feature("kek-end:old"), func(ctx SpecContext) {
		s := group(ctx, 1, oldKEK, living(600, 3600), func(g *policy.Group) { g.Rekey.Ack = policy.AckNone })
		end := ends(s.given(1), lifeOfKEK)
		s.until(end.Add(20 * time.Second))
		pushes := s.pushes(0)
		Expect(pushes).To(HaveLen(1))
		Expect(pushes[0].At).To(BeTemporally("~", end, 5*time.Second))
		Expect(kit.Value(pushes[0], "SA/SAK/SPI")).NotTo(BeEmpty())
	})

	It("hands out the KEK that there is until it ends, and then another, so that members register twice, by the old behaviour",
		kit.Requirement("GETVPN-KEK-12", "GETVPN-KEK-13", "GETVPN-KEK-14", "GETVPN-KEK-15"), kit.Feature("kek-end:old"), func(ctx SpecContext) {
			s := group(ctx, 1, oldKEK, living(600, 86400))
			for n := range 2 {
				old := kit.Value(s.given(1), "SA/SAK/SPI")
				end := ends(s.given(1), lifeOfKEK)
				s.until(end.Add(-30 * time.Second))
				kit.Reached(s.GM[0].Registrations() == 2+2*n, "the member registers before the KEK ends")
				Expect(kit.Value(s.given(1), "SA/SAK/SPI")).To(Equal(old), "it is given the same KEK")
				Expect(ends(s.given(1), lifeOfKEK)).To(BeTemporally("~", end, 2*time.Second), "with what is left of its lifetime")
				s.until(end.Add(90 * time.Second))
				kit.Reached(s.GM[0].Registrations() == 3+2*n, "the member registers when the KEK has ended")
				Expect(kit.Value(s.given(1), "SA/SAK/SPI")).NotTo(Equal(old), "it is given another")
			}
			Expect(kit.Takes(ctx, s.Lab, 1, kit.Rekey(ctx, s.Lab, control.RekeyArgs{}))).To(BeTrue(), "it takes a rekey")
		})

	It("keeps a member of the old behaviour by an early rekey of its KEK", kit.Requirement("GETVPN-KEK-11"), kit.Feature("kek-end:new"), func(ctx SpecContext) {
		members := setup(1, living(600, 3600))
		members.Member = func(_ int, c *policy.Member) { c.Rekey.KEKBehaviour = policy.KEKOld }
		s := &scene{kit.Up(ctx, members), ctx}
		s.Pass(ctx, seconds(1500))
		next := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
		Expect(kit.Takes(ctx, s.Lab, 1, next)).To(BeTrue(), "it takes what comes under the third KEK")
		Expect(s.GM[0].Registrations()).To(Equal(1))
	})
})

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

// unicast is what a group has anyway.
func unicast(*policy.Group) {}

var transports = []struct {
	name  string
	alter func(*policy.Group)
}{{"unicast", unicast}, {"multicast", lab.Multicast}}

var _ = Describe("When a key server of GET VPN replaces TEKs", kit.Subject("timers"), kit.DUT(rule.KS), kit.Needs(lab.NeedVirtualTime), func() {
	for n, c := range []struct {
		requirement string
		tek         int
		copies      int
		members     int
		transport   func(*policy.Group)
		start       int // by the vectors of the requirement
	}{
		{"GETVPN-MCAST-04", 300, 3, 1, lab.Multicast, 180},
		{"GETVPN-MCAST-04", 3600, 3, 1, lab.Multicast, 3210},
		{"GETVPN-MCAST-04", 300, 0, 1, lab.Multicast, 210},
		{"GETVPN-MCAST-04", 3600, 0, 1, lab.Multicast, 3240},
		{"GETVPN-UCAST-04", 300, 3, 100, unicast, 170},
		{"GETVPN-UCAST-04", 300, 0, 100, unicast, 200},
		{"GETVPN-UCAST-04", 3600, 3, 100, unicast, 3200},
		{"GETVPN-UCAST-04", 3600, 0, 100, unicast, 3230},
		{"GETVPN-UCAST-03", 600, 3, 2, unicast, 475},
		{"GETVPN-UCAST-05", 899, 0, 1, unicast, 804},
		{"GETVPN-UCAST-05", 900, 0, 1, unicast, 805},
		{"GETVPN-UCAST-05", 901, 0, 50, unicast, 806},
	} {
		transport := "unicast"
		if c.requirement == "GETVPN-MCAST-04" {
			transport = "multicast"
		}
		It(fmt.Sprintf("tells %d members a new TEK %d s into the %d s of the last, by %s with %d repetitions", c.members, c.start, c.tek, transport, c.copies),
			kit.Requirement(c.requirement, "GETVPN-REKEY-01"), kit.Row(n%4), func(ctx SpecContext) {
				s := group(ctx, c.members, c.transport, living(86400, c.tek), repeating(c.copies, 10*time.Second))
				end := ends(s.given(1), lifeOfTEK)
				s.until(end)
				pushes := s.pushes(0)
				Expect(pushes).NotTo(BeEmpty(), "there is a rekey before the TEK ends")
				Expect(end.Sub(pushes[0].At)).To(about(seconds(c.tek - c.start)))
			})
	}

	It("tells a new TEK under the KEK that there is, by messages of its own", kit.Requirement("GETVPN-TIMER-02", "GETVPN-REKEY-02", "GETVPN-TIMER-01", "GETVPN-SEQ-01"),
		func(ctx SpecContext) {
			s := group(ctx, 1, living(86400, 600))
			given, since := s.given(1), kit.Now(s.Lab)
			Expect(kit.Value(given, lifeOfTEK)).To(BeElementOf("599", "600"), "the lifetime is the one of the configuration")
			s.Pass(ctx, seconds(1100))
			pushes := s.pushes(since)
			Expect(pushes).To(HaveLen(2))
			for _, m := range pushes {
				Expect(cookies(m)).To(Equal(kit.Value(given, "SA/SAK/SPI")), "under the KEK of the registration")
				Expect(kit.Value(m, "SA/SAT/SPI")).NotTo(BeElementOf("", kit.Value(given, "SA/SAT/SPI")), "with a new TEK")
				Expect(kit.Value(m, lifeOfTEK)).To(Equal("600"))
			}
			Expect(numbers(pushes)).To(Equal([]string{"1", "2"}))
			Expect(kit.MessagesSince(s.Lab, since, "")).To(HaveLen(2), "nothing else is sent for it")
		})

	It("gives members of a group without rekey no KEK, and a new TEK when they register again before each ends", kit.Requirement("GETVPN-REKEY-26"), func(ctx SpecContext) {
		s := group(ctx, 1, living(0, 600), func(g *policy.Group) { g.Rekey = policy.RekeyPolicy{Transport: policy.TransportNone} })
		first := s.given(1)
		Expect(kit.Value(first, "SA/SAK/SPI")).To(BeEmpty())
		s.Pass(ctx, seconds(3000))
		Expect(s.pushes(0)).To(BeEmpty())
		Expect(s.GM[0].Registrations()).To(BeNumerically(">=", 5), "one for each TEK")
		Expect(kit.Value(s.given(1), "SA/SAT/SPI")).NotTo(Equal(kit.Value(first, "SA/SAT/SPI")))
	})

	It("tells a new TEK before members would register again, however short it lives", kit.Requirement("GETVPN-UCAST-07", "GETVPN-TIMER-16"), func(ctx SpecContext) {
		s := group(ctx, 1, living(86400, 120))
		last := s.given(1)
		s.Pass(ctx, 10*time.Minute)
		pushes := s.pushes(0)
		Expect(len(pushes)).To(BeNumerically(">=", 4))
		for _, next := range pushes {
			Expect(ends(last, lifeOfTEK).Sub(next.At)).To(BeNumerically(">=", 60*time.Second))
			last = next
		}
	})

	It("sends the last copy of a rekey 90 s before a short TEK ends", kit.Requirement("GETVPN-UCAST-06", "GETVPN-TIMER-16"), func(ctx SpecContext) {
		s := group(ctx, 1, lab.Multicast, living(86400, 600), repeating(3, 10*time.Second))
		end := ends(s.given(1), lifeOfTEK)
		s.until(end)
		pushes := s.pushes(0)
		Expect(pushes).To(HaveLen(4))
		Expect(end.Sub(pushes[3].At)).To(about(90 * time.Second))
	})

	It("tells fifty members at a time, and all of them the same TEK", kit.Requirement("GETVPN-UCAST-01", "GETVPN-UCAST-02", "GETVPN-UCAST-03"), func(ctx SpecContext) {
		s := group(ctx, 120, living(86400, 300))
		end, since, start := ends(s.given(1), lifeOfTEK), kit.Now(s.Lab), s.Now()
		next := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
		s.Pass(ctx, 20*time.Second)
		told := make(map[int]int)
		members := make(map[string]bool)
		for _, m := range s.pushes(since) {
			told[int(m.At.Sub(start).Round(time.Second)/time.Second)]++
			members[m.To.String()] = true
			Expect(kit.Value(m, "SA/SAT/SPI")).To(ContainSubstring(next.SPIs[0]))
			Expect(m.At).To(BeTemporally("<", end))
		}
		Expect(told).To(Equal(map[int]int{0: 50, 5: 50, 10: 20}), "members by the second in which they were told")
		Expect(members).To(HaveLen(120))
	})
})

package timers

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// withhold loses every message from the key server to that address until the end.
func (s *scene) withhold(to netip.Addr) (end func()) {
	s.Intercept(func(c *lab.Crossing) {
		ip, ok := lab.ParseIPv4(c.Packet)
		c.Drop = ok && c.From == s.KS.Name() && ip.Destination == to
	})
	return func() { s.Intercept(nil) }
}

var _ = Describe("How often a key server of GET VPN sends a rekey", kit.Subject("timers"), kit.DUT(rule.KS), kit.Needs(lab.NeedVirtualTime), func() {
	// silent is a group whose only member acknowledges nothing, if it is asked to.
	silent := func(ctx context.Context, members int, alter ...func(*policy.Group)) *scene {
		GinkgoHelper()
		s := group(ctx, members, append(alter, kit.Acknowledging)...)
		s.silence(members)
		return s
	}

	It("sends a rekey again that nobody acknowledges, each copy with the next number", kit.Requirement("GETVPN-SEQ-02", "GETVPN-SEQ-01", "GETVPN-UCAST-09", "GETVPN-REKEY-27"),
		func(ctx SpecContext) {
			s := silent(ctx, 1, living(86400, 3600), repeating(3, 10*time.Second))
			since, start := kit.Now(s.Lab), s.Now()
			kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			s.Pass(ctx, 5*time.Minute)
			kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			s.Pass(ctx, 5*time.Second)
			pushes := s.pushes(since)
			Expect(after(start, pushes)).To(Equal([]int{0, 10, 20, 30, 300}))
			Expect(numbers(pushes)).To(Equal([]string{"1", "2", "3", "4", "5"}))
			for _, m := range pushes[:4] {
				Expect(kit.Value(m, "SA/SAT/SPI")).To(Equal(kit.Value(pushes[0], "SA/SAT/SPI")))
				Expect(ends(m, lifeOfTEK)).To(BeTemporally("~", ends(pushes[0], lifeOfTEK), 2*time.Second), "with what is left of the lifetime")
			}
		})

	It("sends a rekey again to who has not acknowledged it only", kit.Requirement("GETVPN-REKEY-14", "GETVPN-REKEY-05"), kit.Feature("ack"), func(ctx SpecContext) {
		s := silent(ctx, 2, living(86400, 3600), repeating(2, 10*time.Second))
		since := kit.Now(s.Lab)
		kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
		s.Pass(ctx, time.Minute)
		Expect(numbers(s.pushesTo(1, since))).To(Equal([]string{"1"}))
		Expect(numbers(s.pushesTo(2, since))).To(Equal([]string{"1", "2", "3"}))
	})

	It("counts the acknowledgement of any copy", kit.Requirement("GETVPN-REKEY-14"), kit.Feature("ack"), func(ctx SpecContext) {
		s := group(ctx, 1, kit.Acknowledging, living(86400, 3600), repeating(3, 10*time.Second))
		since := kit.Now(s.Lab)
		end := s.withhold(s.GM[0].Addr().Addr())
		kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
		s.Pass(ctx, 15*time.Second)
		end()
		s.Pass(ctx, time.Minute)
		Expect(numbers(s.pushesTo(1, since))).To(Equal([]string{"3"}), "the third copy is acknowledged, and no other follows")
	})

	It("sends a rekey once without repetitions", kit.Requirement("GETVPN-REKEY-27"), func(ctx SpecContext) {
		s := silent(ctx, 1, living(86400, 3600))
		since := kit.Now(s.Lab)
		kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
		s.Pass(ctx, 5*time.Minute)
		Expect(s.pushes(since)).To(HaveLen(1))
	})

	It("sends a rekey by multicast at least once where no repetitions are configured, each copy with a number of its own", kit.Requirement("GETVPN-REKEY-13"), func(ctx SpecContext) {
		s := group(ctx, 1, lab.Multicast, living(86400, 3600))
		since := kit.Now(s.Lab)
		kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
		s.Pass(ctx, 5*time.Minute)
		copies := numbers(s.pushes(since))
		kit.Reading("GETVPN-REKEY-13", "without a command it sends a rekey by multicast %d times", len(copies))
		Expect(copies).To(HaveExactElements([]string{"1", "2", "3", "4", "5", "6"}[:max(1, len(copies))]))
	})

	for _, transport := range transports {
		It("reaches every member by "+transport.name, kit.Requirement("GETVPN-REKEY-03"), func(ctx SpecContext) {
			s := group(ctx, 3, transport.alter)
			next := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			for i := range s.GM {
				Expect(kit.Takes(ctx, s.Lab, i+1, next)).To(BeTrue(), "gm%d takes it", i+1)
			}
		})
	}

	for _, c := range []struct {
		left   int // until the KEK is replaced
		copies int
	}{{100, 0}, {120, 0}, {140, 2}} {
		It(fmt.Sprintf("sends a rekey again %d times if the KEK is to be replaced in %d s", c.copies, c.left), kit.Requirement("GETVPN-REKEY-15"), kit.Feature("kek-end:new"),
			func(ctx SpecContext) {
				s := silent(ctx, 1, living(1200, 7200), repeating(3, 10*time.Second))
				due := ends(s.given(1), lifeOfKEK).Add(-235 * time.Second) // GETVPN-KEK-04
				s.until(due.Add(-seconds(c.left)))
				since, start := kit.Now(s.Lab), s.Now()
				kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
				s.Pass(ctx, seconds(c.left+5))
				sent := []int{0, 10, 20}[:1+c.copies]
				all := after(start, s.pushes(since))
				Expect(all[:len(all)-1]).To(Equal(sent))
				Expect(all[len(all)-1]).To(BeNumerically("~", c.left, 2), "then comes the rekey of the KEK")
			})
	}

	It("reminds who does not acknowledge of a rekey until the next one", kit.Requirement("GETVPN-LONGSA-02"), kit.Feature("ack"), func(ctx SpecContext) {
		s := silent(ctx, 2, living(86400, 86400), reminding, repeating(0, 10*time.Minute))
		since, start := kit.Now(s.Lab), s.Now()
		kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
		s.Pass(ctx, 65*time.Minute)
		next := kit.Now(s.Lab)
		kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
		s.Pass(ctx, 25*time.Minute)
		Expect(s.pushesTo(1, since)).To(HaveLen(2), "the member that acknowledges gets each once")
		all := s.pushesTo(2, since)
		Expect(after(start, all)).To(Equal([]int{0, 600, 1200, 1800, 2400, 3000, 3600, 3900, 4500, 5100}))
		spi := kit.Value(s.pushesTo(2, next)[0], "SA/SAT/SPI")
		for _, m := range s.pushesTo(2, next) {
			Expect(kit.Value(m, "SA/SAT/SPI")).To(Equal(spi), "nothing of the first is repeated any more")
		}
	})

	It("reaches a member that was away for hours by a reminder, with lifetimes of days", kit.Requirement("GETVPN-LONGSA-03", "GETVPN-REKEY-17"), kit.Feature("ack"),
		func(ctx SpecContext) {
			const day = 86400
			s := group(ctx, 2, kit.Acknowledging, living(20*day, 10*day), reminding, repeating(0, time.Hour))
			since := kit.Now(s.Lab)
			s.Pass(ctx, 5*24*time.Hour)
			end := s.withhold(s.GM[1].Addr().Addr())
			next := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			s.Pass(ctx, 7*time.Hour)
			end()
			s.Pass(ctx, 2*time.Hour)
			Expect(s.pushesTo(2, since)).To(HaveLen(1), "one reminder is enough")
			Expect(kit.Value(s.pushesTo(2, since)[0], "SA/SAT/SPI")).To(ContainSubstring(next.SPIs[0]))
			Expect(s.GM[1].Registrations()).To(Equal(1))
		})
})

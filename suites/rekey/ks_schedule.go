package rekey

import (
	"context"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// lasting gives the group those lifetimes, and replaces what ends so long before.
func lasting(kek, tek, margin time.Duration) func(*policy.Group) {
	return func(g *policy.Group) {
		g.Rekey.KEKLifetime, g.Rekey.Margin = kek, margin
		for i := range g.SAs {
			g.SAs[i].Lifetime = tek
		}
	}
}

// schedule lets a key server with one member run for a time and returns its PUSH messages, and when it started.
func schedule(ctx context.Context, d time.Duration, alter ...func(*policy.Group)) (s *scene, start time.Time, all []capture.Message) {
	GinkgoHelper()
	l := kit.Lab(ctx, lab.Setup{Group: func(g *policy.Group) {
		for _, change := range alter {
			change(g)
		}
	}})
	kit.Precondition(l.Up(ctx), "the member registers")
	start = l.Frames()[0].At // the key server has made its keys by then
	l.Pass(ctx, d)
	return &scene{l, ctx}, start, kit.MessagesSince(l, 0, core.Push.String())
}

// after is when a message crossed the WAN.
func after(start time.Time, m capture.Message) float64 { return m.At.Sub(start).Seconds() }

var _ = Describe("The schedule of GROUPKEY-PUSH at a key server (RFC 6407 §4.3, §5.3.4)", kit.Subject("rekey"), kit.DUT(rule.KS), func() {
	It("replaces the KEK its margin before its lifetime ends", kit.Requirement("RFC6407-5.3.4-01", "RFC6407-5.3.4-02"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			_, start, pushes := schedule(ctx, 170*time.Second, lasting(100*time.Second, time.Hour, 20*time.Second))
			Expect(pushes).To(HaveLen(2))
			for n, m := range pushes {
				Expect(after(start, m)).To(BeNumerically("~", 80*(n+1), 0.5))
				Expect(all(m.Payloads, "SA/SAK/KEK_KEY_LIFETIME")).To(Equal([]string{"100"}))
			}
			Expect(pushes[1].Header.InitiatorCookie.String()).To(Equal(kit.Value(pushes[0], "SA/SAK/SPI")[:16]))
		})

	It("replaces the KEK a tenth of its lifetime before it ends, if it is not told otherwise", kit.Requirement("RFC6407-5.3.4-01"),
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			_, start, pushes := schedule(ctx, 195*time.Second, lasting(200*time.Second, time.Hour, 0))
			Expect(pushes).To(HaveLen(1))
			Expect(after(start, pushes[0])).To(BeNumerically("~", 180, 0.5))
		})

	It("replaces Data-Security SAs their margin before their lifetime ends, under the same KEK", kit.Requirement("RFC6407-4.3-01", "RFC6407-4.3-03"),
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			_, start, pushes := schedule(ctx, 250*time.Second, lasting(24*time.Hour, 100*time.Second, 20*time.Second))
			Expect(pushes).To(HaveLen(3))
			for n, m := range pushes {
				Expect(after(start, m)).To(BeNumerically("~", 80*(n+1), 0.5))
				Expect(kit.Value(m, "SEQ")).To(Equal(strconv.Itoa(n + 1)))
				Expect(all(m.Payloads, "SA/SAK/SPI")).To(BeEmpty())
				Expect(all(m.Payloads, "SA/SAT/SA Life Duration")).To(Equal([]string{"100"}))
				Expect(m.Header.InitiatorCookie).To(Equal(pushes[0].Header.InitiatorCookie))
			}
		})

	It("replaces each Data-Security SA in its own time", kit.Requirement("RFC6407-4.3-03"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		_, start, pushes := schedule(ctx, 100*time.Second, twoSAs, func(g *policy.Group) {
			g.Rekey.Margin = 10 * time.Second
			g.SAs[0].Lifetime, g.SAs[1].Lifetime = 50*time.Second, time.Hour
		})
		Expect(pushes).To(HaveLen(2))
		for n, m := range pushes {
			Expect(after(start, m)).To(BeNumerically("~", 40*(n+1), 0.5))
			Expect(all(m.Payloads, "SA/SAT/Protocol")).To(Equal([]string{"0"}), "only the one that ends")
			Expect(all(m.Payloads, "KD/Key Packet TEK/SPI")).To(Equal(all(m.Payloads, "SA/SAT/SPI")))
		}
	})

	It("replaces everything in one message when the KEK ends", kit.Requirement("RFC6407-4.3-03", "RFC6407-5.3.4-01"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			_, _, pushes := schedule(ctx, 90*time.Second, lasting(100*time.Second, time.Hour, 20*time.Second))
			Expect(pushes).To(HaveLen(1))
			Expect(pushes[0].Summary).To(ContainSubstring("SA {SAK, SAT}"))
		})

	It("gives who registers the rest of the lifetimes", kit.Requirement("RFC6407-5.3.4-01", "RFC6407-5.5.1-11"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			s, _, _ := schedule(ctx, 60*time.Second, lasting(600*time.Second, 300*time.Second, 20*time.Second))
			kit.Precondition(s.GM[0].Register(ctx), "the member registers again")
			kit.Reached(s.registers(1), "the member registers again")
			pull2 := kit.Last(kit.MessagesSince(s.Lab, 0, core.Pull2.String()))
			Expect(kit.Value(pull2, "SA/SAK/KEK_KEY_LIFETIME")).To(BeElementOf("539", "540"))
			Expect(kit.Value(pull2, "SA/SAT/SA Life Duration")).To(BeElementOf("239", "240"))
		})

	It("starts the time of a KEK anew when it is replaced early", kit.Requirement("RFC6407-5.3.4-02"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			s, start, _ := schedule(ctx, 50*time.Second, lasting(100*time.Second, time.Hour, 20*time.Second))
			early := s.rekey(control.RekeyArgs{KEK: true})
			s.Pass(ctx, 90*time.Second)
			pushes := kit.MessagesSince(s.Lab, early.since, core.Push.String())
			Expect(pushes).To(HaveLen(2))
			Expect(after(start, pushes[1])).To(BeNumerically("~", 130, 0.5))
		})

	It("has members that follow never be without keys", kit.Requirement("RFC6407-5.3.4-01", "RFC6407-4.3-01"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			s, _, pushes := schedule(ctx, time.Hour, lasting(30*time.Minute, 10*time.Minute, time.Minute))
			Expect(len(pushes)).To(BeNumerically(">=", 6))
			Expect(s.GM[0].Registrations()).To(Equal(1), "the member has never had to register again")
		})
})

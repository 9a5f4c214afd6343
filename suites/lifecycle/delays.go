package lifecycle

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// at lets time pass until so many seconds after a rekey.
func (s *scene) at(p push, seconds float64) {
	s.Pass(s.ctx, p.at.Add(time.Duration(seconds*float64(time.Second))).Sub(s.Now()))
}

// rollover is gm1, the device, and gm2 behind it in time: only the first gets the rekey, so that the other goes on under the
// old SA.
func (s *scene) rollover(args control.RekeyArgs) push {
	GinkgoHelper()
	end := s.withhold(s.GM[1].Addr().Addr())
	p := s.rekey(args)
	kit.Reached(s.carriesOut(1, p), "the member takes the rekey")
	end()
	return p
}

var _ = Describe("Activation and deactivation at a member (RFC 6407 §5.4.1, RFC 5374 §4.2.1)", kit.Subject("lifecycle"), kit.DUT(rule.GM),
	kit.Needs(lab.NeedVirtualTime), func() {
		// The timeline of a rekey with ATD 5 and DTD 10:
		//
		//	 0 s  the PUSH; the new SA receives
		//	 5 s  the new SA sends, and the old one no longer
		//	10 s  the old SA is gone
		for _, c := range []struct {
			name string
			args control.RekeyArgs
		}{{"new TEKs", control.RekeyArgs{}}, {"a new KEK and new TEKs", control.RekeyArgs{KEK: true}}} {
			It("sends and receives as ATD 5 and DTD 10 say after a rekey with "+c.name, kit.Negative,
				kit.Requirement("RFC6407-5.4.1-01", "RFC6407-5.4.1-02", "RFC5374-4.2.1-05", "RFC5374-4.2.1-06", "RFC5374-4.2.1-07"), func(ctx SpecContext) {
					s := group(ctx, 2, delayed(5, 10))
					s.Pass(ctx, 6*time.Second) // whoever waits after its registration has done so
					old := s.protects(1, 2)
					p := s.rollover(c.args)
					for _, t := range []struct {
						after    float64
						sends    string
						hearsOld bool
					}{{0.5, old, true}, {4, old, true}, {6, p.SPIs[0], true}, {9, p.SPIs[0], true}, {11, p.SPIs[0], false}, {60, p.SPIs[0], false}} {
						s.at(p, t.after)
						Expect(s.sends(1, 2)).To(Equal(t.sends), "it sends at %v s", t.after)
						Expect(s.hears(1, 2)).To(Equal(t.hearsOld), "it receives under the old SA at %v s", t.after)
					}
					kit.Precondition(s.GM[1].Register(ctx), "gm2 is told to register")
					kit.Reached(s.registers(2, 1), "gm2 registers again")
					s.Pass(ctx, 6*time.Second)
					kit.Control(s.hears(1, 2), "it receives under the new SA")
				})
		}

		It("receives under the new SA half a second after the rekey, long before it sends", kit.Requirement("RFC5374-4.2.1-05"), func(ctx SpecContext) {
			s := group(ctx, 2, delayed(5, 10))
			s.Pass(ctx, 6*time.Second)
			old := s.protects(1, 2)
			p := s.rekey(control.RekeyArgs{})
			kit.Reached(s.carriesOut(1, p), "the member takes the rekey")
			kit.Precondition(s.GM[1].Clear(ctx), "gm2 forgets everything, so that it has no older SA")
			kit.Reached(s.registers(2, 1), "gm2 registers again")
			s.at(p, 0.5)
			Expect(s.sends(2, 1)).To(Equal(p.SPIs[0]), "gm2 sends under the new SA")
			Expect(s.hears(1, 2)).To(BeTrue())
			Expect(s.sends(1, 2)).To(Equal(old), "the device does not yet")
		})

		It("sends after a registration once ATD has passed, if not at once", kit.Requirement("RFC6407-5.4.1-01"), func(ctx SpecContext) {
			s := group(ctx, 2, delayed(5, 10))
			s.Pass(ctx, 6*time.Second)
			Expect(s.sends(1, 2)).To(Equal(s.inForce(0)[0]))
			Expect(s.hears(1, 2)).To(BeTrue())
		})

		It("keeps sending when DTD is shorter than ATD", kit.Requirement("RFC6407-5.4.1-03"), func(ctx SpecContext) {
			s := group(ctx, 2, delayed(6, 2))
			s.Pass(ctx, 7*time.Second)
			p := s.rekey(control.RekeyArgs{})
			kit.Reached(s.carriesOut(1, p), "the member takes the rekey")
			s.at(p, 7)
			Expect(s.sends(1, 2)).To(Equal(p.SPIs[0]), "after ATD all is as ever")
			s.at(p, 10)
			Expect(s.installed(1)).To(Equal(p.SPIs))
			Expect(s.carriesOut(1, s.rekey(control.RekeyArgs{}))).To(BeTrue())
		})

		It("switches at once when ATD is 0, and removes the old SA at once when DTD is", kit.Requirement("RFC6407-5.4.1-01", "RFC6407-5.4.1-02"), func(ctx SpecContext) {
			s := group(ctx, 2, delayed(0, 0))
			p := s.rekey(control.RekeyArgs{})
			kit.Reached(s.carriesOut(1, p), "the member takes the rekey")
			Expect(s.sends(1, 2)).To(Equal(p.SPIs[0]))
			Expect(s.installed(1)).To(Equal(p.SPIs))
		})

		It("removes an SA at once that a Delete names, whatever DTD says", kit.Requirement("RFC6407-5.9-01", "RFC6407-5.9-04"), kit.Negative, func(ctx SpecContext) {
			s := group(ctx, 2, delayed(2, 60))
			s.Pass(ctx, 3*time.Second)
			old := s.protects(1, 2)
			p := s.rollover(control.RekeyArgs{})
			s.at(p, 3)
			kit.Control(s.hears(1, 2), "it receives under the old SA")
			Expect(s.carriesOut(1, s.rollover(control.RekeyArgs{DeleteTEKs: []string{old}}))).To(BeTrue())
			Expect(s.hears(1, 2)).To(BeFalse())
			Expect(s.sends(1, 2)).To(Equal(p.SPIs[0]), "the new SA goes on")
		})

		It("uses the new SA at once when the message deletes the old one, whatever ATD says", kit.Requirement("RFC6407-5.9-01", "RFC6407-4-06"), func(ctx SpecContext) {
			s := group(ctx, 2, delayed(5, 10))
			s.Pass(ctx, 6*time.Second)
			p := s.rekey(control.RekeyArgs{DeleteTEKs: []string{"0"}, TEK: true})
			kit.Reached(s.carriesOut(1, p), "the member takes the rekey")
			s.at(p, 6)
			Expect(s.sends(1, 2)).To(Equal(p.SPIs[0]))
			Expect(s.installed(1)).To(Equal(p.SPIs))
		})

		It("follows two rekeys within one ATD", kit.Requirement("RFC6407-5.4.1-01", "RFC5374-4.2.1-06", "RFC5374-4.2.1-07"), func(ctx SpecContext) {
			s := group(ctx, 2, delayed(5, 10))
			s.Pass(ctx, 6*time.Second)
			old := s.protects(1, 2)
			one := s.rekey(control.RekeyArgs{})
			kit.Reached(s.carriesOut(1, one), "the member takes the first")
			s.at(one, 2)
			two := s.rekey(control.RekeyArgs{})
			kit.Reached(s.carriesOut(1, two), "and the second")
			s.at(two, 1)
			Expect(s.sends(1, 2)).To(Equal(old))
			s.at(two, 6)
			Expect(s.sends(1, 2)).To(Equal(two.SPIs[0]), "the newest in the end")
			s.at(two, 11)
			Expect(s.installed(1)).To(Equal(two.SPIs))
		})
	})

var _ = Describe("Activation and deactivation as a key server tells them (RFC 6407 §5.4.1, RFC 5374 §4.2.1)", kit.Subject("lifecycle"), kit.DUT(rule.KS), func() {
	for _, c := range []struct {
		name     string
		atd, dtd int
		want     []string
	}{
		{"both", 5, 10, []string{"ACTIVATION_TIME_DELAY 5", "DEACTIVATION_TIME_DELAY 10"}},
		{"activation alone", 7, -1, []string{"ACTIVATION_TIME_DELAY 7"}},
		{"deactivation alone", -1, 12, []string{"DEACTIVATION_TIME_DELAY 12"}},
		{"both as 0", 0, 0, []string{"ACTIVATION_TIME_DELAY 0", "DEACTIVATION_TIME_DELAY 0"}},
		{"the longest that there are", 65535, 65535, []string{"ACTIVATION_TIME_DELAY 65535", "DEACTIVATION_TIME_DELAY 65535"}},
		{"neither", -1, -1, nil},
	} {
		It("tells the delays at registration and with each rekey that brings SAs: "+c.name, kit.Requirement("RFC5374-4.2.1-02", "RFC5374-4.2.1-03", "RFC6407-5.4-02"),
			func(ctx SpecContext) {
				s := group(ctx, 1, delayed(c.atd, c.dtd), func(g *policy.Group) { g.Rekey.Margin = time.Minute })
				told := []string{core.Pull2.String(), core.Push.String(), core.Push.String()}
				s.seen(s.rekey(control.RekeyArgs{}))
				s.seen(s.rekey(control.RekeyArgs{KEK: true}))
				messages := append(s.pulls(0, core.Pull2, 1), kit.MessagesSince(s.Lab, 0, core.Push.String())...)
				Expect(messages).To(HaveLen(len(told)))
				for n, m := range messages {
					Expect(m.Kind).To(Equal(told[n]))
					sa, _ := kit.Field(m, "SA")
					var gap []string
					for _, f := range sa.Children {
						if f.Name == "GAP" {
							for _, a := range f.Children {
								gap = append(gap, a.Name+" "+a.Value)
							}
						}
					}
					Expect(gap).To(Equal(c.want), told[n])
				}
			})
	}
})

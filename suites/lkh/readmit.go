package lkh

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("After an exclusion at a key server (RFC 6407 §3.1, §5.6.3)", kit.Subject("lkh"), kit.DUT(rule.KS), kit.Feature("lkh"), func() {
	It("lets a member in again whose exclusion is undone", kit.Requirement("RFC6407-3.1-03", "RFC6407-7.2.6-01"), func(ctx SpecContext) {
		s := up(ctx, 3)
		s.exclude(2)
		before, since := s.GM[1].Registrations(), kit.Now(s.Lab)
		kit.Precondition(s.GM[1].Register(ctx), "gm2 tries to register")
		s.Wait(ctx, kit.Settle, func() bool { return s.GM[1].Registrations() > before })
		kit.Reached(len(kit.MessagesSince(s.Lab, since, core.Pull4.String())) == 0, "gm2 gets no keys while it is excluded")
		kit.Precondition(s.KS.Readmit(ctx, s.GM[1]), "the key server undoes the exclusion")
		kit.Precondition(s.GM[1].Register(ctx), "gm2 registers")
		Expect(s.GM[1].AwaitRegistrations(ctx, before, lab.Patience)).To(BeTrue(), "it gets keys")
		next := s.rekey(control.RekeyArgs{KEK: true})
		for i := range s.GM {
			Expect(s.follows(i+1, next)).To(BeTrue(), "gm%d follows the next rekey", i+1)
		}
	})

	It("gives nothing to a member that is excluded in the middle of its registration", kit.Requirement("RFC6407-3.1-03", "RFC6407-7.2.6-01"), kit.Negative,
		func(ctx SpecContext) {
			s := up(ctx, 3)
			since := kit.Now(s.Lab)
			Expect(s.GM[1].Misbehave(tester.Taps(tester.Withhold(core.Pull3)))).To(Succeed())
			kit.Precondition(s.GM[1].Register(ctx), "gm2 begins to register")
			offered := func() bool { return len(kit.MessagesSince(s.Lab, since, core.Pull2.String())) > 0 }
			kit.Reached(s.Wait(ctx, lab.Patience, offered), "the key server offers its policy")
			next := s.exclude(2)
			Expect(s.GM[1].Misbehave(nil)).To(Succeed())
			s.Wait(ctx, kit.Settle, func() bool { return len(kit.MessagesSince(s.Lab, since, core.Pull4.String())) > 0 })
			Expect(kit.MessagesSince(s.Lab, since, core.Pull4.String())).To(BeEmpty(), "its message 3 is answered with no keys")
			registered := s.GM[0].Registrations()
			kit.Precondition(s.GM[0].Register(ctx), "gm1 registers again")
			kit.Control(s.GM[0].AwaitRegistrations(ctx, registered, lab.Patience) && s.follows(1, next), "another member is let in")
		})

	It("gives who takes the place of a member that was excluded none of its keys", kit.Requirement("RFC6407-3.4-05", "RFC6407-6.1-01"), func(ctx SpecContext) {
		s := build(ctx, 3)
		kit.Precondition(s.KS.Start(ctx), "the key server starts")
		for _, gm := range s.GM[:2] {
			kit.Precondition(gm.Start(ctx), gm.Name()+" starts")
			kit.Precondition(gm.AwaitRegistered(ctx), gm.Name()+" registers")
		}
		gone := values(s.download(2).Payloads, array+"/LKH Key/Key Data")
		s.exclude(2)
		kit.Precondition(s.GM[2].Start(ctx), "gm3 starts")
		kit.Precondition(s.GM[2].AwaitRegistered(ctx), "gm3 registers")
		given := values(s.download(3).Payloads, array+"/LKH Key/Key Data")
		Expect(given).NotTo(BeEmpty())
		for _, key := range gone {
			Expect(given).NotTo(ContainElement(key))
		}
		next := s.rekey(newKEK)
		kit.Reached(kit.Takes(ctx, s.Lab, 3, next), "gm3 takes another KEK")
		Expect(s.follows(3, s.rekey(control.RekeyArgs{}))).To(BeTrue(), "it is in the hierarchy")
	})
})

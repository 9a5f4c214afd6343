package change

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("A key server of GET VPN whose rekeys come to be signed, or are no more, while it runs", kit.Subject("change"), kit.DUT(rule.KS), func() {
	It("sends a rekey at once when it gets a key to sign them, and gives the KEK to who registers then", kit.Requirement("GETVPN-POLICY-41"),
		func(ctx SpecContext) {
			var key []byte
			unsigned := setup(1, as)
			unsigned.KeyServer = func(c *policy.KeyServer) { key, c.SigningKey = c.SigningKey, nil }
			s := &scene{Lab: kit.Up(ctx, unsigned), ctx: ctx}
			kit.Reached(!s.offersKEK(0), "without a key to sign rekeys there is no KEK")

			since := kit.Now(s.Lab)
			s.configure(func(c *policy.KeyServer) { c.SigningKey = key })
			Expect(s.leaves(since)).To(BeTrue(), "a rekey leaves at once")
			kit.Precondition(s.GM[0].Clear(ctx), "the member registers afresh")
			kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the member is registered")
			Expect(s.offersKEK(since)).To(BeTrue(), "the member gets a KEK")
			Expect(kit.Takes(ctx, s.Lab, 1, kit.Rekey(ctx, s.Lab, control.RekeyArgs{}))).To(BeTrue(), "it takes the next rekey")
		})

	It("sends none from that time on when the key to sign them is gone", kit.Requirement("GETVPN-POLICY-42"), func(ctx SpecContext) {
		s := group(ctx, 1, as)
		s.forced(control.RekeyArgs{})
		since := kit.Now(s.Lab)
		s.configure(func(c *policy.KeyServer) { c.SigningKey = nil })
		Expect(s.leaves(since)).To(BeFalse(), "no rekey leaves at once")
		_, _ = s.KS.Rekey(ctx, control.RekeyArgs{}) // which it may refuse
		Expect(s.leaves(since)).To(BeFalse(), "nor one that its operator asks for")
		kit.Precondition(s.GM[0].Clear(ctx), "the member registers afresh")
		Expect(s.GM[0].AwaitRegistered(ctx)).To(Succeed(), "the group is served all the same")
		Expect(s.offersKEK(since)).To(BeFalse(), "the member gets no KEK")
	})
})

// offersKEK reports whether the last offer since the mark has a KEK.
func (s *scene) offersKEK(since kit.Mark) bool {
	GinkgoHelper()
	offers := kit.MessagesSince(s.Lab, since, core.Pull2.String())
	kit.Reached(len(offers) > 0, "a member is offered the policy")
	_, has := kit.Field(offers[len(offers)-1], "SA/SAK")
	return has
}

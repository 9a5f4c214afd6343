package change

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("What a member of GET VPN does after the policy of its key server has changed", kit.Subject("change"), kit.DUT(rule.GM), func() {
	It("goes on with the keys of its group, and takes the next ones, when the group has another identity", kit.Requirement("GETVPN-POLICY-35"),
		func(ctx SpecContext) {
			s := group(ctx, 2, as)
			s.configure(func(c *policy.KeyServer) { c.Groups[0].ID = another })
			Expect(kit.SendingSPI(ctx, s.Lab, 1, 2)).NotTo(BeZero(), "it goes on to encrypt")
			Expect(kit.Takes(ctx, s.Lab, 1, kit.Rekey(ctx, s.Lab, control.RekeyArgs{}))).To(BeTrue(), "it takes the next rekey")
		})

	It("has the new policy when the key server is cleared and it is, too, whatever would have waited", kit.Requirement("GETVPN-POLICY-13"),
		func(ctx SpecContext) {
			s := group(ctx, 2, as)
			s.configure(ofSA(func(sa *policy.SAPolicy) { sa.Lifetime = 2 * time.Hour }))
			before := kit.SendingSPI(ctx, s.Lab, 1, 2)
			kit.Precondition(s.KS.ClearGroups(ctx), "the key server is cleared")
			Expect(s.registersWith("SAT/SA Life Duration")).To(BeNumerically("~", 7200, 5), "what the member is offered")
			var after uint32 // the log of a member that the key server has had register, too, may be about that
			Expect(s.Wait(ctx, lab.Patience, func() bool { after = kit.SendingSPI(ctx, s.Lab, 1, 2); return after != 0 })).To(BeTrue(), "it encrypts")
			Expect(after).NotTo(Equal(before), "under the SA that it has got")
		})
})

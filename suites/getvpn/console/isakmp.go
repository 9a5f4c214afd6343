package console

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("The table of IKE SAs", kit.Subject("console"), func() {
	for _, role := range []rule.Role{rule.KS, rule.GM} {
		under := map[rule.Role]string{rule.KS: "a key server", rule.GM: "a member"}[role]
		It("shows on "+under+" that rekeys are authenticated by RSA signatures though pre-shared keys served for the registration", kit.DUT(role),
			kit.Requirement("GETVPN-REKEY-25"), func(ctx SpecContext) {
				l := kit.Up(ctx, lab.Setup{Profile: policy.ProfileGETVPN, Signature: policy.SigRSA})
				device := map[rule.Role]*lab.Peer{rule.KS: l.KS, rule.GM: l.GM[0]}[role]
				Expect(types(ctx, device, "show crypto isakmp sa detail").Text).To(MatchRegexp(`(?m)^.*\bACTIVE\b.*\brsig\b.*$`))
			})
	}
})

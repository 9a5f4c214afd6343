package phase1

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Which suites a group member offers and takes (RFC 2409 §5 and appendix A)", kit.Subject("phase1"), kit.DUT(rule.GM), func() {
	It("offers its suites as transforms of one proposal, the preferred one first, with a Key Length beside AES and none beside 3DES",
		kit.Requirement("RFC2409-5-07", "RFC2409-A-03", "RFC3602-5.3-01", "RFC2409-4-02", "RFC2408-3.6-01"), func(ctx SpecContext) {
			t := begin(ctx, under(triple, strong, usual))
			complete := t.reaches(ctx, core.MainMode1)
			var offered []policy.Proposal
			for _, tr := range transforms(t, t.device) {
				offered = append(offered, suiteOf(tr))
			}
			Expect(offered).To(Equal(some(triple, strong, usual)))
			Expect(complete).To(BeTrue(), "the offer is sent")
		})

	for _, only := range []policy.Proposal{large, strong, triple} {
		It("goes on with "+only.String()+" if the key server chooses it from the middle of the offer", kit.Requirement("RFC2409-5-11", "RFC2409-5-05"),
			func(ctx SpecContext) {
				t := begin(ctx, between(some(usual, large, strong, triple), some(only)))
				agrees(ctx, t, memberSide, only)
			})
	}

	// Parts of two transforms of the offer make no third one.
	dropsUnder(between(some(usual, triple, strong), some(usual)), " of another transform that it offered", core.MainMode2, []row{
		{"RFC2409-5-10", tester.SetOffered(core.MainMode2, wire.TV(isakmp.AttrHashAlgorithm, uint16(triple.Hash)))},
		{"RFC2409-5-10", tester.SetOffered(core.MainMode2, wire.TV(isakmp.AttrGroupDescription, uint16(triple.Group)))},
		{"RFC2409-5-10", tester.SetOffered(core.MainMode2, wire.TV(isakmp.AttrKeyLength, uint16(strong.KeyBits)))},
		{"RFC2409-5-10", tester.EditTransform(core.MainMode2, "3DES", "RFC 2409 §5", func(t *isakmp.Transform) {
			t.Attributes = tester.SetAttribute(tester.RemoveAttribute(t.Attributes, isakmp.AttrKeyLength),
				wire.TV(isakmp.AttrEncryptionAlgorithm, uint16(triple.Encryption)))
		})},
	})

	dropsUnder(under(triple), " for 3DES", core.MainMode2, []row{
		{"RFC2409-5-10", tester.AddOffered(core.MainMode2, wire.TV(isakmp.AttrKeyLength, 192))},
	})
	drops(core.MainMode2, []row{
		{"RFC2409-5-10", tester.SetOffered(core.MainMode2, wire.TV(isakmp.AttrHashAlgorithm, uint16(policy.Phase1MD5)))},
		{"RFC2409-5-10", tester.SetOffered(core.MainMode2, wire.TV(isakmp.AttrGroupDescription, uint16(policy.ECP256)))},
		{"RFC2409-5-10", tester.SetOffered(core.MainMode2, wire.TV(isakmp.AttrGroupDescription, uint16(policy.MODP768)))},
		{"RFC2409-5-10", tester.SetOffered(core.MainMode2, wire.TV(isakmp.AttrGroupDescription, uint16(policy.MODP1536)))},
		{"RFC2409-5-10", tester.SetOffered(core.MainMode2, wire.TV(isakmp.AttrKeyLength, 160))},
	})
})

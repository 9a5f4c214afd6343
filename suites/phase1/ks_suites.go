package phase1

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Which suite a key server chooses (RFC 2409 §5 and appendix A)", kit.Subject("phase1"), kit.DUT(rule.KS), func() {
	for _, weak := range []struct {
		name string
		wire.Attribute
	}{
		{policy.Phase1MD5.String(), wire.TV(isakmp.AttrHashAlgorithm, uint16(policy.Phase1MD5))},
		{policy.MODP768.String(), wire.TV(isakmp.AttrGroupDescription, uint16(policy.MODP768))},
		{policy.MODP1024.String(), wire.TV(isakmp.AttrGroupDescription, uint16(policy.MODP1024))},
		{policy.MODP1536.String(), wire.TV(isakmp.AttrGroupDescription, uint16(policy.MODP1536))},
	} {
		It("says NO-PROPOSAL-CHOSEN, if anything, to "+weak.name+" alone, which is off by default, and takes what is strong beside it",
			kit.Requirement("RFC2408-5.4-02"), kit.Negative, func(ctx SpecContext) {
				// GM --> KS  HDR, SA with one transform, the weak one
				t := begin(ctx, under(usual), tester.SetOffered(core.MainMode1, weak.Attribute))
				t.Wait(ctx, time.Second, func() bool { return len(t.sent(t.device)) > 0 })
				for _, m := range t.decoded(t.device, core.Informational) {
					Expect(value(m, "N")).To(Equal(isakmp.NotifyNoProposalChosen.String()))
				}
				kit.ExpectRefused(ctx, t.device, "RFC2408-5.4-02", BeNumerically(">", 0), "the key server says that it refused the offer")

				// GM --> KS  HDR, SA with two transforms, the weak one first
				Expect(t.tester.Misbehave(tester.Offers(core.MainMode1, "the weak suite before the strong one", offered(weak.Attribute), as).Tap)).To(Succeed())
				fresh := t.again(ctx)
				answered := t.Wait(ctx, lab.Patience, func() bool { return len(t.answers(fresh, true)) > 0 })
				Expect(t.answers(fresh, false)).To(BeEmpty(), "the key server goes on with %s", weak.name)
				kit.Control(answered, "it answers the offer that has a strong transform too")
				reply := phase1SA(t.answers(fresh, true)[0]).Proposals[0].Transforms
				Expect(reply).To(HaveLen(1))
				Expect(suiteOf(reply[0])).To(Equal(usual))
				Expect(reply[0].Number).To(BeEquivalentTo(2))
			})
	}

	// A key server that allows 3DES still refuses it with a Key Length, which 3DES does not have.
	dropsUnder(between(some(triple), some(usual, triple)), " for 3DES", core.MainMode1, []row{
		{"RFC2409-A-03", tester.AddOffered(core.MainMode1, wire.TV(isakmp.AttrKeyLength, 192))},
		{"RFC2409-A-03", tester.AddOffered(core.MainMode1, wire.TV(isakmp.AttrKeyLength, 168))},
		{"RFC2409-A-03", tester.AddOffered(core.MainMode1, wire.TV(isakmp.AttrKeyLength, 128))},
	})

	// What it allows it allows together: parts of two of its suites make no third.
	dropsUnder(between(some(usual), some(usual, triple, strong)), " though it is allowed in another suite", core.MainMode1, []row{
		{"RFC2408-5.4-02", tester.SetOffered(core.MainMode1, wire.TV(isakmp.AttrHashAlgorithm, uint16(triple.Hash)))},
		{"RFC2408-5.4-02", tester.SetOffered(core.MainMode1, wire.TV(isakmp.AttrGroupDescription, uint16(triple.Group)))},
		{"RFC2408-5.4-02", tester.SetOffered(core.MainMode1, wire.TV(isakmp.AttrKeyLength, uint16(strong.KeyBits)))},
		{"RFC2408-5.4-02", tester.EditTransform(core.MainMode1, "3DES", "RFC 2409 §4", func(t *isakmp.Transform) {
			t.Attributes = tester.SetAttribute(tester.RemoveAttribute(t.Attributes, isakmp.AttrKeyLength),
				wire.TV(isakmp.AttrEncryptionAlgorithm, uint16(triple.Encryption)))
		})},
	})

	It("chooses one of the suites that it allows from a longer offer, returns its transform as it came, and goes on with its algorithms",
		kit.Requirement("RFC2409-5-08", "RFC2409-5-09", "RFC2409-5-11", "RFC2409-5-13", "RFC2409-4-02"), func(ctx SpecContext) {
			t := begin(ctx, between(some(large, strong, triple, usual), some(triple, strong)))
			agrees(ctx, t, keyServerSide, triple, strong)
			Expect(transforms(t, t.GM[0])).To(ContainElement(transforms(t, t.KS)[0]), "number and attributes are those of the offer")
		})

	for _, whose := range []struct {
		says   string
		prefer policy.Preference
		want   policy.Proposal
	}{
		{"the first of the offer, unless it is told otherwise", policy.PreferPeer, triple},
		{"the first of its own if it is told so", policy.PreferOwn, strong},
	} {
		It("chooses between several suites that it allows "+whose.says, kit.Requirement("RFC2409-5-08", "RFC2409-5-09"), func(ctx SpecContext) {
			setup := between(some(large, triple, strong), some(strong, usual, triple))
			allow := setup.KeyServer
			setup.KeyServer = func(c *policy.KeyServer) { allow(c); c.Phase1.Prefer = whose.prefer }
			t := begin(ctx, setup)
			complete := t.reaches(ctx, core.Pull2)
			Expect(suiteOf(transforms(t, t.KS)[0])).To(Equal(whose.want))
			Expect(transforms(t, t.GM[0])).To(ContainElement(transforms(t, t.KS)[0]), "number and attributes are those of the offer")
			Expect(complete).To(BeTrue(), "it goes on with it")
		})
	}

	for _, only := range []policy.Proposal{large, strong, triple} {
		It("chooses "+only.String()+" from the middle of an offer if it allows nothing else", kit.Requirement("RFC2409-5-08", "RFC2409-5-11"),
			func(ctx SpecContext) {
				t := begin(ctx, between(some(usual, large, strong, triple), some(only)))
				agrees(ctx, t, keyServerSide, only)
			})
	}
})

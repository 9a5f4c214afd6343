package phase1

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("The reply at a group member (RFC 2409 §5)", kit.Subject("phase1"), kit.DUT(rule.GM), func() {
	drops(core.MainMode2, brokenHeaders(core.MainMode2))
	drops(core.MainMode2, brokenOffers(core.MainMode2))
	drops(core.MainMode2, []row{
		{"RFC2409-5-03", tester.Exchange(core.MainMode2, isakmp.ExchangeAggressive)},
		{"RFC2408-5.2-01", tester.SentHeader(core.MainMode2, "a responder cookie of zeros", "RFC 2408 §5.2", func(h *isakmp.Header) {
			h.ResponderCookie = isakmp.Cookie{}
		})},
		{"RFC2408-5.4-01", tester.DOI(core.MainMode2, 1)},
		{"RFC2409-5-08", tester.RepeatProposal(core.MainMode2)},
		{"RFC2409-5-08", tester.Offers(core.MainMode2, "the transform twice", as, as)},
		{"RFC2409-5-08", tester.Offers(core.MainMode2, "no transform")},
	})
	drops(core.MainMode2, []row{
		{"RFC2409-5-10", tester.TransformID(core.MainMode2, 2)},
		{"RFC2409-5-10", tester.SetOffered(core.MainMode2, wire.TV(isakmp.AttrEncryptionAlgorithm, 5))},
		{"RFC2409-5-10", tester.SetOffered(core.MainMode2, wire.TV(isakmp.AttrHashAlgorithm, 2))},
		{"RFC2409-5-10", tester.SetOffered(core.MainMode2, wire.TV(isakmp.AttrAuthenticationMethod, 3))},
		{"RFC2409-5-10", tester.SetOffered(core.MainMode2, wire.TV(isakmp.AttrGroupDescription, 2))},
		{"RFC2409-5-10", tester.SetOffered(core.MainMode2, wire.TV(isakmp.AttrKeyLength, 256))},
		{"RFC2409-5-10", tester.SetOffered(core.MainMode2, wire.TLV32(isakmp.AttrLifeDuration, 4711))},
		{"RFC2409-5-10", tester.AddOffered(core.MainMode2, wire.TV(isakmp.AttrPRF, 1))},
		{"RFC2409-5-10", tester.RemoveOffered(core.MainMode2, isakmp.AttrKeyLength)},
	})
	accepts(core.MainMode2, []row{
		aligned(core.MainMode2),
		{"RFC2408-3.5-02", tester.ProposalSPI(core.MainMode2, 8)},
		{"RFC2408-3.16-02", tester.Behind(core.MainMode2, "a Vendor ID that nobody knows", "RFC 2408 §3.16", stranger)},
	})
})

// as leaves a transform as it is.
func as(*isakmp.Transform) {}

var _ = Describe("Key exchange and authentication at a group member (RFC 2409 §5.4)", kit.Subject("phase1"), kit.DUT(rule.GM), func() {
	drops(core.MainMode4, brokenKeyExchange(core.MainMode4))
	drops(core.MainMode4, []row{
		{"RFC2408-5.2-01", tester.SentHeader(core.MainMode4, "another responder cookie", "RFC 2408 §5.2", func(h *isakmp.Header) {
			h.ResponderCookie[7] ^= 1
		})},
	})
	accepts(core.MainMode4, unusualKeyExchange(core.MainMode4))
	drops(core.MainMode6, brokenProof(core.MainMode6))
	accepts(core.MainMode6, unusualProof(core.MainMode6))

	drops(core.Pull2, []row{
		{"RFC6407-3.2.1-04", tester.Header(core.Pull2, "another Message ID, covered by its HASH", "RFC 6407 §3.2.1", func(h *isakmp.Header) {
			h.MessageID ^= 1
		})},
		{"RFC2408-5.2-04", tester.Exchange(core.Pull2, 34)},
		{"RFC6407-2-01", tester.InClear(core.Pull2)},
	})
	accepts(core.Pull2, []row{{"RFC6407-3.2.1-05", commit(core.Pull2)}})
	for _, kind := range []core.Kind{core.MainMode2, core.MainMode4, core.MainMode6} {
		accepts(kind, commits(kind))
	}
})

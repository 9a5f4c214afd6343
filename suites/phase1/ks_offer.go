package phase1

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// protoESP is the protocol of an ESP proposal, which has no place in Phase 1 (RFC 2407 §4.4.1).
const protoESP = 3

var _ = Describe("The offer at a key server (RFC 2409 §5)", kit.Subject("phase1"), kit.DUT(rule.KS), func() {
	drops(core.MainMode1, brokenHeaders(core.MainMode1))
	drops(core.MainMode1, brokenOffers(core.MainMode1))
	drops(core.MainMode1, []row{
		{"RFC2408-5.2-04", tester.Exchange(core.MainMode1, isakmp.ExchangeAggressive)},
		{"RFC2408-5.2-04", tester.Exchange(core.MainMode1, 6)},
		{"RFC2408-5.2-04", tester.Exchange(core.MainMode1, 255)},
		{"RFC2408-5.2-01", tester.SentHeader(core.MainMode1, "an initiator cookie of zeros", "RFC 2408 §5.2", func(h *isakmp.Header) {
			h.InitiatorCookie = isakmp.Cookie{}
		})},
		{"RFC6407-2.1-02", tester.DOI(core.MainMode1, 0)},
		{"RFC6407-2.1-02", tester.DOI(core.MainMode1, 1)},
		{"RFC2409-5-07", tester.RepeatProposal(core.MainMode1)},
		{"RFC2409-5-07", tester.TransformCount(core.MainMode1, 1)},
		{"RFC2409-5-07", tester.EditProposal(core.MainMode1, "a proposal for ESP", "RFC 2407 §4.4.1", func(p *isakmp.Proposal) {
			p.Protocol = protoESP
		})},
		{"RFC2408-3.5-02", tester.ProposalSPI(core.MainMode1, 17)},
	})

	// Transforms that are passed over: with no other in the offer there is nothing to choose.
	drops(core.MainMode1, []row{
		{"RFC2408-5.6-01", tester.TransformID(core.MainMode1, 2)},
		{"RFC2409-4-02", tester.RemoveOffered(core.MainMode1, isakmp.AttrEncryptionAlgorithm)},
		{"RFC2409-4-02", tester.RemoveOffered(core.MainMode1, isakmp.AttrHashAlgorithm)},
		{"RFC2409-4-02", tester.RemoveOffered(core.MainMode1, isakmp.AttrAuthenticationMethod)},
		{"RFC2409-4-02", tester.RemoveOffered(core.MainMode1, isakmp.AttrGroupDescription)},
		{"RFC2409-A-03", tester.RemoveOffered(core.MainMode1, isakmp.AttrKeyLength)},
		{"RFC2409-A-01", tester.SetOffered(core.MainMode1, wire.TLV(isakmp.AttrEncryptionAlgorithm, []byte{0, isakmp.EncryptionAESCBC}))},
		{"RFC2409-A-01", tester.SetOffered(core.MainMode1, wire.TLV32(isakmp.AttrGroupDescription, isakmp.GroupMODP2048))},
		{"RFC2409-4-04", tester.AddOffered(core.MainMode1, wire.TV(isakmp.AttrGroupType, 1))},
		{"RFC2409-4-04", tester.AddOffered(core.MainMode1, wire.TLV(isakmp.AttrGroupPrime, []byte{0x17}))},
		{"RFC2408-5.4-02", tester.SetOffered(core.MainMode1, wire.TV(isakmp.AttrEncryptionAlgorithm, 99))},
		{"RFC2408-5.4-02", tester.SetOffered(core.MainMode1, wire.TV(isakmp.AttrHashAlgorithm, 99))},
		{"RFC2408-5.4-02", tester.SetOffered(core.MainMode1, wire.TV(isakmp.AttrAuthenticationMethod, 99))},
		{"RFC2408-5.4-02", tester.SetOffered(core.MainMode1, wire.TV(isakmp.AttrGroupDescription, 99))},
		{"RFC2408-5.4-02", tester.SetOffered(core.MainMode1, wire.TV(isakmp.AttrKeyLength, 64))},
		{"RFC2408-5.4-02", tester.SetOffered(core.MainMode1, wire.TV(isakmp.AttrKeyLength, 160))},
		{"RFC2408-5.4-02", tester.SetOffered(core.MainMode1, wire.TV(isakmp.AttrLifeType, 3))},
		{"RFC2408-5.4-02", tester.SetOffered(core.MainMode1, wire.TLV32(isakmp.AttrLifeDuration, 0))},
		{"RFC2408-5.4-02", tester.AddOffered(core.MainMode1, wire.TV(isakmp.AttrEncryptionAlgorithm, 5))},
		{"RFC2408-5.4-02", tester.AddOffered(core.MainMode1, wire.TV(99, 1))},
	})

	accepts(core.MainMode1, []row{
		aligned(core.MainMode1),
		{"RFC2408-3.5-02", tester.ProposalSPI(core.MainMode1, 8)},
		{"RFC2408-3.5-02", tester.ProposalSPI(core.MainMode1, 16)},
		{"RFC2409-A-02", tester.SetOffered(core.MainMode1, wire.TV(isakmp.AttrLifeDuration, 3600))},
		{"RFC2408-3.16-02", tester.Behind(core.MainMode1, "a Vendor ID that nobody knows", "RFC 2408 §3.16", stranger)},
		{"RFC2408-3.16-02", tester.Payloads(core.MainMode1, "several Vendor IDs", "RFC 2408 §3.16",
			func(ps []isakmp.Payload) []isakmp.Payload { return append(ps, stranger, isakmp.VID{}, stranger) })},
	})

	It("chooses the one acceptable transform of several and returns it as it came",
		kit.Requirement("RFC2409-5-08", "RFC2409-5-09", "RFC2408-5.6-01"), func(ctx SpecContext) {
			// GM --> KS  HDR, SA with transforms 1 to 4, of which only the third will do
			t := begin(ctx, lab.Setup{}, tester.Offers(core.MainMode1, "four transforms",
				func(t *isakmp.Transform) { t.ID = 77 },
				offered(wire.TV(isakmp.AttrEncryptionAlgorithm, 99)),
				offered(wire.TLV32(isakmp.AttrLifeDuration, 4711)),
				offered(wire.TV(isakmp.AttrHashAlgorithm, 99))))
			Expect(t.reaches(ctx, core.MainMode2)).To(BeTrue(), "the key server answers")
			proposals := phase1SA(t.messages(t.tester)[0]).Proposals
			reply := phase1SA(t.messages(t.device)[0])
			Expect(reply.Proposals).To(HaveLen(1))
			Expect(reply.Proposals[0].Number).To(Equal(proposals[0].Number))
			Expect(reply.Proposals[0].Transforms).To(Equal(proposals[0].Transforms[2:3]), "transform 3, nothing changed")
		})

	It("goes on with the transform that it chose from several", kit.Requirement("RFC2409-5-07", "RFC2409-5-13"), func(ctx SpecContext) {
		t := begin(ctx, lab.Setup{}, tester.Offers(core.MainMode1, "two transforms",
			offered(wire.TV(isakmp.AttrGroupDescription, 99)), offered(wire.TLV32(isakmp.AttrLifeDuration, 4711))))
		Expect(t.reaches(ctx, core.Pull2)).To(BeTrue(), "HASH_I over the whole offer verifies")
		Expect(result(t.decoded(t.device, core.MainMode6)[0], "HASH_R")).To(BeEquivalentTo("ok"))
	})

	It("says NO-PROPOSAL-CHOSEN in clear and without HASH, if it says anything", kit.Requirement("RFC2409-5.7-03", "RFC2408-5.4-02", "RFC2408-3.14-01"),
		kit.Negative, func(ctx SpecContext) {
			t := begin(ctx, lab.Setup{}, tester.SetOffered(core.MainMode1, wire.TV(isakmp.AttrHashAlgorithm, 99)))
			t.Wait(ctx, time.Second, func() bool { return len(t.sent(t.device)) > 0 })
			fresh := t.afresh(ctx)
			kit.Control(t.Wait(ctx, lab.Patience, func() bool { return len(t.answers(fresh, true)) > 0 }), "it answers an acceptable offer")
			for _, m := range t.decoded(t.device, core.Informational) {
				Expect(m.Err).To(BeEmpty(), "the notification has its layout")
				Expect(m.Encrypted).To(BeFalse(), "there are no keys yet")
				Expect(m.Payloads).To(HaveLen(1), "only N follows the header: %s", m.Summary)
				Expect(value(m, "N")).To(Equal(isakmp.NotifyNoProposalChosen.String()))
				Expect(value(m, "N", "Protocol")).To(Equal("ISAKMP (1)"), "it is about ISAKMP")
			}
		})
})

// offered varies a transform by one attribute.
func offered(a wire.Attribute) func(*isakmp.Transform) {
	return func(t *isakmp.Transform) { t.Attributes = tester.SetAttribute(t.Attributes, a) }
}

// phase1SA reads the SA payload of message 1 or 2.
func phase1SA(d datagram) isakmp.SA {
	GinkgoHelper()
	Expect(d.data).NotTo(BeEmpty())
	ps, _, err := isakmp.Phase1.Parse(d.header.NextPayload, d.data[isakmp.HeaderLen:], isakmp.HeaderLen)
	Expect(err).NotTo(HaveOccurred())
	sa, _, ok := isakmp.Find[isakmp.SA](ps)
	Expect(ok).To(BeTrue(), "there is an SA payload")
	return sa
}

package registration

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// ksNoHeader is one less than a header has.
const ksNoHeader = isakmp.HeaderLen - 1

var _ = Describe("PULL message 1 at a key server (RFC 6407 §3.4)", kit.Subject("registration"), kit.DUT(rule.KS), func() {
	ksRefusals(1, []ksRefusal{
		{"does not answer message 1 with a wrong HASH(1)", "RFC6407-3.4-01", tester.WrongHash(core.Pull1)},
		{"does not answer message 1 with half a HASH(1)", "RFC6407-3.4-01", tester.HashLength(core.Pull1, 16)},
		{"does not answer message 1 with an empty HASH(1)", "RFC6407-3.4-01", tester.HashLength(core.Pull1, 0)},
		{"does not answer message 1 whose nonce was changed after HASH(1) was made", "RFC6407-3.4-01",
			tester.EditAuthenticated(core.Pull1, "another Ni under HASH(1)", "RFC 6407 §3.4", otherNonce)},
		{"does not answer message 1 for a group that it does not have", "RFC6407-3.4-01", tester.GroupID([]byte{0, 0, 0x10, 0xe1})},
		{"does not answer message 1 without HASH", "RFC6407-3.2-01",
			tester.AuthenticatedPayloads(core.Pull1, "no HASH", "RFC 6407 §3.2", func(ps []isakmp.Payload) []isakmp.Payload { return ps[1:] })},
		{"does not answer message 1 with HASH behind the other payloads", "RFC6407-3.2-01", tester.HashLast(core.Pull1)},
		{"does not answer message 1 without nonce", "RFC6407-3.2-01", tester.Omit(core.Pull1, isakmp.PayloadNonce, "RFC 6407 §3.2")},
		{"does not answer message 1 with two nonces", "RFC6407-3.2-01", tester.Repeat(core.Pull1, isakmp.PayloadNonce, "RFC 6407 §3.2")},
		{"does not answer message 1 without group", "RFC6407-3.2-01", tester.Omit(core.Pull1, isakmp.PayloadID, "RFC 6407 §3.2")},
		{"does not answer message 1 with two groups", "RFC6407-3.2-01", tester.Repeat(core.Pull1, isakmp.PayloadID, "RFC 6407 §3.2")},
		{"does not answer message 1 with a payload that has no place there", "RFC6407-3.2-01",
			tester.Behind(core.Pull1, "SEQ behind ID", "RFC 6407 §3.2", gdoi.SEQ{Number: 1})},
		{"does not answer message 1 with a nonce of 7 octets", "RFC6407-5.8-01", tester.NonceLength(core.Pull1, 7)},
		{"does not answer message 1 with a nonce of 129 octets", "RFC6407-5.8-01", tester.NonceLength(core.Pull1, 129)},
		{"does not answer message 1 that names the group by a domain name", "RFC6407-5.1-02",
			tester.Edit(core.Pull1, "ID type FQDN", "RFC 6407 §5.1", func(id isakmp.ID) isakmp.Payload {
				id.IDType = isakmp.IDFQDN
				return id
			})},
		{"does not answer message 1 with a group identifier of 5 octets", "RFC6407-5.1-03", tester.GroupID(append(ksGroupID(), 0))},
		{"does not answer message 1 with a group identifier of 3 octets", "RFC6407-5.1-03 RFC5374-4.1.3.3-01", tester.GroupID(ksGroupID()[1:])},
		{"does not answer message 1 with an empty group identifier", "RFC6407-5.1-03", tester.GroupID(nil)},

		{"does not answer message 1 of exchange type 31", "RFC2408-5.2-04 RFC6407-3.2.1-03", tester.Exchange(core.Pull1, 31)},
		{"does not answer message 1 of exchange type 36", "RFC2408-5.2-04 RFC6407-3.2.1-03", tester.Exchange(core.Pull1, 36)},
		{"does not answer message 1 as a PUSH under the Phase 1 cookies", "RFC2408-5.2-04", tester.Exchange(core.Pull1, isakmp.ExchangePush)},
		{"does not answer message 1 with swapped cookies", "RFC6407-7.2.4-01 RFC6407-3.2.1-01",
			tester.SentHeader(core.Pull1, "swapped cookies", "RFC 6407 §3.2.1", func(h *isakmp.Header) {
				h.InitiatorCookie, h.ResponderCookie = h.ResponderCookie, h.InitiatorCookie
			})},
		{"does not answer message 1 with another responder cookie", "RFC6407-7.2.4-01 RFC6407-2-01",
			tester.SentHeader(core.Pull1, "another responder cookie", "RFC 6407 §7.2.4", func(h *isakmp.Header) { h.ResponderCookie[7] ^= 1 })},
		{"does not answer message 1 whose Length is one too low", "RFC2408-5.1-01", tester.Length(core.Pull1, -1)},
		{"does not answer message 1 whose Length is one too high", "RFC2408-5.1-01", tester.Length(core.Pull1, 1)},
		{"does not answer a datagram without a whole header", "RFC2408-5.1-01", tester.Cut(core.Pull1, ksNoHeader)},
		{"does not answer message 1 with a flag that has no meaning", "RFC2408-5.2-05",
			tester.SentHeader(core.Pull1, "flag 0x80", "RFC 2408 §3.1", func(h *isakmp.Header) { h.Flags |= 0x80 })},
	})

	ksAnswersTo([]ksUnusual{
		{"answers message 1 with a nonce of 8 octets", "RFC6407-5.8-01", tester.NonceLength(core.Pull1, 8)},
		{"answers message 1 with a nonce of 128 octets", "RFC6407-5.8-01", tester.NonceLength(core.Pull1, 128)},
		{"answers message 1 that names the group by four octets", "RFC6407-5.1-02 RFC6407-5.1-03", tester.GroupID(ksGroupID())},
	})
})

// ksGroupID is the identifier of the lab's group.
func ksGroupID() []byte { return []byte{0, 0, lab.GroupID >> 8, lab.GroupID & 0xff} }

package registration

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// ksAsks is a GAP that asks for so many SIDs.
func ksAsks(sids uint16) []wire.Attribute {
	return []wire.Attribute{wire.TV(gdoi.GAPSenderIDRequest, sids)}
}

var _ = Describe("PULL message 3 at a key server (RFC 6407 §3.4)", kit.Subject("registration"), kit.DUT(rule.KS), func() {
	ksRefusals(3, []ksRefusal{
		{"does not answer message 3 with a wrong HASH(3)", "RFC6407-3.4-03 RFC6407-3.2-08", tester.WrongHash(core.Pull3)},
		{"does not answer message 3 with half a HASH(3)", "RFC6407-3.4-03", tester.HashLength(core.Pull3, 16)},
		{"does not answer message 3 with a GAP that HASH(3) does not cover", "RFC6407-3.4-03",
			tester.AuthenticatedPayloads(core.Pull3, "a GAP that HASH(3) does not cover", "RFC 6407 §3.2", func(ps []isakmp.Payload) []isakmp.Payload {
				return append(ps, gdoi.GAP{Attributes: ksAsks(2)})
			})},
		{"does not answer message 3 with a payload that has no place there", "RFC6407-3.2-01",
			tester.Behind(core.Pull3, "SEQ behind HASH", "RFC 6407 §3.2", gdoi.SEQ{Number: 1})},
		{"does not answer message 3 with two GAPs", "RFC6407-3.2-01", tester.Request("two GAPs", ksAsks(1), ksAsks(1))},
		{"does not answer message 3 with a GAP attribute that nobody knows", "RFC6407-5.4-07",
			tester.Request("GAP attribute 77", []wire.Attribute{wire.TV(77, 1)})},
		{"does not answer message 3 that asks for two numbers of SIDs", "RFC6407-5.4-07",
			tester.Request("1 and 2 SIDs", append(ksAsks(1), ksAsks(2)...))},
		{"does not answer message 3 whose request has a length field", "RFC6407-5.4.2-01",
			tester.Request("SENDER_ID_REQUEST as TLV", []wire.Attribute{wire.TLV(gdoi.GAPSenderIDRequest, []byte{0, 2})})},
		{"does not answer message 3 of version 1.1", "RFC6407-3.2.1-02", tester.Version(core.Pull3, 0x11)},
		{"does not answer message 3 of version 2.0", "RFC6407-3.2.1-02", tester.Version(core.Pull3, 0x20)},
		{"does not answer message 3 of exchange type 31", "RFC2408-5.2-04 RFC6407-3.2.1-03", tester.Exchange(core.Pull3, 31)},
		{"does not answer message 3 of exchange type 36", "RFC2408-5.2-04 RFC6407-3.2.1-03", tester.Exchange(core.Pull3, 36)},
		{"does not answer message 3 in clear", "RFC6407-2-01 RFC6407-3.2.1-04", tester.InClear(core.Pull3)},
		{"does not answer message 3 whose Length is one too high", "RFC2408-5.1-01", tester.Length(core.Pull3, 1)},
		{"does not answer message 3 that was changed on its way", "RFC6407-3.4-03", tester.FlipOctet(core.Pull3, -1)},
	})
})

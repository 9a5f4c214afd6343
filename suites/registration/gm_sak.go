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

// unassigned is the number of no attribute, algorithm or mode of any registry here.
const unassigned = 100

var _ = Describe("SAK and GAP at a member (RFC 6407 §5.3, §5.4)", kit.Subject("registration"), kit.DUT(rule.GM), func() {
	refusals(2, []refusal{
		{sentence: "refuses a SAK whose second reserved field is not zero", requirement: "RFC6407-5.3-06",
			deviation: tester.EditSAK(core.Pull2, "RESERVED2 1", func(s *gdoi.SAK) { s.Reserved2 = 1 })},
		{sentence: "refuses a SAK for rekeys over TCP", requirement: "RFC6407-5.3.2-01",
			deviation: tester.EditSAK(core.Pull2, "IP protocol 6", func(s *gdoi.SAK) { s.Protocol = 6 })},
		{sentence: "refuses a SAK with an attribute that nobody knows", requirement: "RFC6407-5.3.2-01",
			deviation: sakWith("an unassigned attribute", wire.TV(unassigned, 1))},
		{sentence: "refuses a SAK with a cipher that nobody knows", requirement: "RFC6407-5.3.2-01",
			deviation: sakWith("KEK_ALGORITHM 100", wire.TV(gdoi.KEKAlgorithm, unassigned))},
		{sentence: "refuses a SAK with a signature algorithm that nobody knows", requirement: "RFC6407-5.3.2-01",
			deviation: sakWith("SIG_ALGORITHM 100", wire.TV(gdoi.SigAlgorithm, unassigned))},
		{sentence: "refuses a SAK with a signature hash that nobody knows", requirement: "RFC6407-5.3.2-01",
			deviation: sakWith("SIG_HASH_ALGORITHM 100", wire.TV(gdoi.SigHashAlgorithm, unassigned))},
		{sentence: "refuses a SAK that names two ciphers", requirement: "RFC6407-5.3.2-01",
			deviation: tester.EditSAK(core.Pull2, "KEK_ALGORITHM 2 and 3", func(s *gdoi.SAK) {
				s.Attributes = append([]wire.Attribute{wire.TV(gdoi.KEKAlgorithm, 2)}, s.Attributes...)
			})},
		{sentence: "refuses a SAK whose cipher has a length field", requirement: "RFC6407-5.3-07",
			deviation: sakWith("KEK_ALGORITHM as TLV", wire.TLV(gdoi.KEKAlgorithm, []byte{0, 3}))},
		{sentence: "refuses a SAK whose source is a key identifier", requirement: "RFC6407-5.3-04",
			deviation: tester.EditSAK(core.Pull2, "source ID type 11", func(s *gdoi.SAK) { s.Source.Type = isakmp.IDKeyID })},
		{sentence: "refuses a SAK whose destination address has three octets", requirement: "RFC6407-5.3-04",
			deviation: tester.EditSAK(core.Pull2, "destination of 3 octets", func(s *gdoi.SAK) { s.Destination.Data = s.Destination.Data[:3] })},
		{sentence: "refuses a SAK without cipher", requirement: "RFC6407-5.3-08", deviation: sakWithout(gdoi.KEKAlgorithm)},
		{sentence: "refuses a SAK without the length of its AES key", requirement: "RFC6407-5.3.3-01", deviation: sakWithout(gdoi.KEKKeyLength)},
		{sentence: "refuses a SAK with a length that AES keys do not have", requirement: "RFC6407-5.3.3-02",
			deviation: sakWith("KEK_KEY_LENGTH 100", wire.TV(gdoi.KEKKeyLength, 100))},
		{sentence: "refuses a SAK whose lifetime has three octets", requirement: "RFC6407-5.3.4-01",
			deviation: sakWith("KEK_KEY_LIFETIME of 3 octets", wire.TLV(gdoi.KEKKeyLifetime, []byte{1, 0, 0}))},
		{sentence: "refuses a SAK with RSA and without signature hash", requirement: "RFC6407-5.3.5-01",
			deviation: sakWithout(gdoi.SigHashAlgorithm)},
		{sentence: "refuses a SAK without signature algorithm", requirement: "RFC6407-5.3-09", deviation: sakWithout(gdoi.SigAlgorithm)},

		{sentence: "refuses a GAP with an attribute that nobody knows", requirement: "RFC6407-5.4-07", group: withDelays,
			deviation: gapWith("an unassigned attribute", wire.TV(unassigned, 1))},
		{sentence: "refuses a GAP that names two activation delays", requirement: "RFC6407-5.4-07", group: withDelays,
			deviation: tester.EditGAP(core.Pull2, "two ACTIVATION_TIME_DELAYs", func(g *gdoi.GAP) {
				g.Attributes = append([]wire.Attribute{wire.TV(gdoi.GAPActivation, 9)}, g.Attributes...)
			})},
		{sentence: "refuses a GAP whose activation delay has a length field", requirement: "RFC6407-5.4-07", group: withDelays,
			deviation: gapWith("ACTIVATION_TIME_DELAY as TLV", wire.TLV(gdoi.GAPActivation, []byte{0, 1}))},
		{sentence: "refuses a GAP in which the key server asks for Sender-IDs", requirement: "RFC6407-5.4.2-01", group: withDelays,
			deviation: gapWith("SENDER_ID_REQUEST", wire.TV(gdoi.GAPSenderIDRequest, 1))},
	})
})

// sakWith has the SAK say that attribute.
func sakWith(what string, a wire.Attribute) tester.Deviation {
	return tester.EditSAK(core.Pull2, what, func(s *gdoi.SAK) { s.Attributes = tester.SetAttribute(s.Attributes, a) })
}

// sakWithout has the SAK lack an attribute.
func sakWithout(a gdoi.KEKAttribute) tester.Deviation {
	return tester.EditSAK(core.Pull2, "no "+a.String(), func(s *gdoi.SAK) {
		s.Attributes = tester.RemoveAttribute(s.Attributes, uint16(a))
	})
}

// gapWith has the GAP say that attribute.
func gapWith(what string, a wire.Attribute) tester.Deviation {
	return tester.EditGAP(core.Pull2, what, func(g *gdoi.GAP) { g.Attributes = tester.SetAttribute(g.Attributes, a) })
}

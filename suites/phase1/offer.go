package phase1

import (
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// unassigned is a payload number that has no meaning anywhere (RFC 2408 §3.1 reserves 14 to 127; few were given out).
const unassigned isakmp.PayloadType = 100

// stranger is a Vendor ID that nobody knows.
var stranger = isakmp.VID{Data: []byte("nobody knows me!")}

// brokenHeaders are the wrongs of a header that the messages of Main Mode have in common.
func brokenHeaders(kind core.Kind) []row {
	return []row{
		{"RFC2408-5.1-01", tester.Length(kind, 4)},
		{"RFC2408-5.1-01", tester.Length(kind, -8)},
		{"RFC2408-5.1-01", tester.Truncate(kind, 4)},
		{"RFC2408-3.1-02", tester.Version(kind, 0x20)},
		{"RFC2408-3.1-02", tester.Version(kind, 0x11)},
		{"RFC2408-5.2-03", tester.Version(kind, 0x0f)},
		{"RFC2408-5.2-05", tester.Flags(kind, 0x80)},
		{"RFC2408-5.2-05", tester.Flags(kind, isakmp.FlagAuthOnly)},
		{"RFC2408-5.2-05", tester.Flags(kind, isakmp.FlagEncryption)},
		{"RFC2408-5.2-06", tester.MessageID(kind, 1)},
	}
}

// oddVendor leaves a message unaligned.
func oddVendor(kind core.Kind) tester.Deviation {
	return tester.Behind(kind, "a Vendor ID of 5 octets", "RFC 2408 §3.6", isakmp.VID{Data: make([]byte, 5)})
}

// aligned is a message in clear with zeros behind its last payload, so that it has whole words (RFC 2408 §3.6).
func aligned(kind core.Kind) row {
	return row{"RFC2408-5.2-02", tester.Together(oddVendor(kind), tester.Trailing(kind, "zeros that align it", []byte{0, 0, 0}))}
}

// brokenOffers are the wrongs of message 1 that its reply can have too.
func brokenOffers(kind core.Kind) []row {
	return []row{
		{"RFC2408-5.3-01", tester.Reserved(kind, isakmp.PayloadSA, 1)},
		{"RFC2408-5.3-01", tester.EditProposal(kind, "RESERVED 1 in a proposal", "RFC 2408 §3.5", func(p *isakmp.Proposal) {
			p.Generic.Reserved = 1
		})},
		{"RFC2408-5.3-01", tester.EditTransform(kind, "RESERVED 1 in a transform", "RFC 2408 §3.6", func(t *isakmp.Transform) {
			t.Generic.Reserved = 1
		})},
		{"RFC2408-2.5.2-02", tester.EditTransform(kind, "RESERVED2 1 in a transform", "RFC 2408 §3.6", func(t *isakmp.Transform) {
			t.Reserved2 = 1
		})},
		{"RFC2408-5.2-02", tester.Trailing(kind, "octets behind its last payload", []byte{0, 0, 0, 4})},
		{"RFC2408-5.2-02", tester.Trailing(kind, "an octet behind its last payload", []byte{0})},
		{"RFC2408-5.2-02", tester.Together(oddVendor(kind), tester.Trailing(kind, "octets that are no zeros to align it", []byte{0, 0, 1}))},
		{"RFC2408-5.2-02", tester.Behind(kind, "a payload of an unassigned type", "RFC 2408 §5.2",
			isakmp.Raw{PayloadType: unassigned, Body: []byte{1, 2, 3, 4}})},
		{"RFC2408-5.2-02", tester.Behind(kind, "a KE payload behind SA", "RFC 2408 §5.2", isakmp.KE{Data: make([]byte, 256)})},
		{"RFC2408-3.3-01", tester.Behind(kind, "a payload that claims more octets than there are", "RFC 2408 §3.2",
			isakmp.Framed{Payload: stranger, LengthDelta: 4})},
		{"RFC2408-3.3-01", tester.PayloadLength(kind, isakmp.PayloadSA, -4)},
		{"RFC2409-5-04", tester.Before(kind, "a Vendor ID before SA", "RFC 2409 §5", stranger)},
		{"RFC2409-5-04", tester.Omit(kind, isakmp.PayloadSA, "RFC 2409 §5")},
		{"RFC2409-5-07", tester.Repeat(kind, isakmp.PayloadSA, "RFC 2409 §5")},
		{"RFC2408-5.4-01", tester.Situation(kind, 1)},
	}
}

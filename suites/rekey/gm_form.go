package rekey

import (
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// The types of payloads of a PUSH.
const seq, sa, kd = isakmp.PayloadSEQ, isakmp.PayloadSA, isakmp.PayloadKD

// What SIG has to cover it covers in all of these, too.
var _ = Describe("The form of a GROUPKEY-PUSH at a member (RFC 6407 §4, §4.4)", kit.Subject("rekey"), kit.DUT(rule.GM), func() {
	refusals([]refusal{
		{what: "that is encrypted with another key", requires: []rule.ID{"RFC6407-4.4-01"},
			made: func(s *scene) tester.Deviation { return tester.OtherKEK(rekeyKeys(s)) }},
		{what: "of random octets", requires: []rule.ID{"RFC6407-4.4-01"}, group: multicast, deviation: tester.Garbage(core.Push)},
		malformed("that has nothing behind its header", cutTo(isakmp.HeaderLen)),
		malformed("whose encrypted part is no multiple of the block size", cutTo(isakmp.HeaderLen+24)),
		malformed("without SEQ", tester.Omit(core.Push, seq, form)),
		malformed("with two SEQ payloads", tester.Repeat(core.Push, seq, form)),
		malformed("whose SEQ comes last but for SIG", inOrder(sa, kd, seq)),
		malformed("whose KD comes before SA", inOrder(seq, kd, sa)),
		malformed("with an SA and no KD", inOrder(seq, sa)),
		malformed("with a KD and no SA", inOrder(seq, kd)),
		malformed("with two KD payloads", inOrder(seq, sa, kd, kd)),
		malformed("with a Delete behind its SA and KD", tester.Payloads(core.Push, "D behind KD", form, func(ps []isakmp.Payload) []isakmp.Payload {
			return append(ps, tester.DeleteESP(0))
		})),
		malformed("with a payload that does not belong there", tester.Payloads(core.Push, "a Vendor ID", form, func(ps []isakmp.Payload) []isakmp.Payload {
			return append(ps, isakmp.VID{Data: []byte("stranger")})
		})),
		malformed("with a payload behind SIG", tester.Rearrange(core.Push, "a Vendor ID behind SIG", form, func(ps []isakmp.Payload) []isakmp.Payload {
			return append(ps, isakmp.VID{Data: []byte("stranger")})
		})),
		malformed("with a payload that claims more octets than there are", tester.Payloads(core.Push, "a long SEQ", form,
			func(ps []isakmp.Payload) []isakmp.Payload {
				ps[0] = isakmp.Framed{Payload: ps[0], LengthDelta: 0x4000}
				return ps
			})),
		malformed("whose SEQ is five octets long", tester.Payloads(core.Push, "SEQ of 5 octets", form, func(ps []isakmp.Payload) []isakmp.Payload {
			ps[0] = isakmp.Raw{PayloadType: seq, Body: []byte{0, 0, 0, 0, 1}}
			return ps
		})),
		reserved(seq), reserved(sa), reserved(kd),
		{what: "whose D has a reserved octet that is not zero", requires: []rule.ID{"RFC2408-5.3-01", "RFC6407-4.4-01"},
			deviation: tester.Payloads(core.Push, "RESERVED 1 in D", "RFC 2408 §5.3", func(ps []isakmp.Payload) []isakmp.Payload {
				return slices.Insert(ps, 1, isakmp.Payload(isakmp.Framed{Payload: tester.DeleteESP(strange), Reserved: 1}))
			})},
		{what: "whose SIG has a reserved octet that is not zero", requires: []rule.ID{"RFC2408-5.3-01", "RFC6407-4.4-01"},
			deviation: tester.EditAuthenticated(core.Push, "RESERVED 1 in SIG", "RFC 2408 §5.3", func(s isakmp.SIG) isakmp.Payload {
				return isakmp.Framed{Payload: s, Reserved: 1}
			})},
		{what: "with a block of padding too much", requires: []rule.ID{"RFC2409-B-05"}, deviation: tester.Padding(16)},
	})
})

const form = "RFC 6407 §4"

// strange is an SPI that no SA of the group has.
const strange = 0xfedcba98

func malformed(what string, deviation tester.Deviation) refusal {
	return refusal{what: what, requires: []rule.ID{"RFC6407-4.4-01"}, deviation: deviation}
}

func reserved(typ isakmp.PayloadType) refusal {
	return refusal{what: "whose " + typ.String() + " has a reserved octet that is not zero",
		requires: []rule.ID{"RFC2408-5.3-01", "RFC6407-4.4-01"}, deviation: tester.Reserved(core.Push, typ, 1)}
}

// rekeyKeys are the keys of the Rekey SA in force.
func rekeyKeys(s *scene) keylog.Entry {
	GinkgoHelper()
	var found keylog.Entry
	for _, k := range s.KS.Keys() {
		if k.Kind == keylog.KindRekey {
			found = k
		}
	}
	kit.Reached(found.Key != "", "the tester has the keys of the Rekey SA")
	return found
}

// inOrder has a PUSH consist of payloads of these types in this order, and SIG.
func inOrder(types ...isakmp.PayloadType) tester.Deviation {
	return tester.Payloads(core.Push, "its payloads in another order", form, func(ps []isakmp.Payload) []isakmp.Payload {
		var ordered []isakmp.Payload
		for _, typ := range types {
			i := slices.IndexFunc(ps, func(p isakmp.Payload) bool { return p.Type() == typ })
			ordered = append(ordered, ps[i])
		}
		return ordered
	})
}

// cutTo has only so many octets of a PUSH be sent, with a header that says so.
func cutTo(octets int) tester.Deviation {
	return tester.Datagram(core.Push, "only part of it", form, func(h isakmp.Header, data []byte) []byte {
		h.Length = uint32(octets)
		return append(h.Append(nil), data[isakmp.HeaderLen:octets]...)
	})
}

package registration

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Header, form and HASH of PULL messages at a member (RFC 6407 §3.2)", kit.Subject("registration"),
	kit.DUT(rule.GM), func() {
		refusals(2, []refusal{
			{sentence: "refuses message 2 with a wrong HASH(2)", requirement: "RFC6407-3.3-01",
				deviation: tester.WrongHash(core.Pull2)},
			{sentence: "refuses message 2 whose policy was changed after HASH(2) was made", requirement: "RFC6407-3.3-01",
				deviation: tester.EditAuthenticated(core.Pull2, "another SPI under HASH(2)", "RFC 6407 §3.3", otherSPI)},
			{sentence: "refuses message 2 whose nonce was changed after HASH(2) was made", requirement: "RFC6407-3.3-01",
				deviation: tester.EditAuthenticated(core.Pull2, "another Nr under HASH(2)", "RFC 6407 §3.3", otherNonce)},
			{sentence: "refuses message 2 with a payload that has no place there", requirement: "RFC6407-3.2-01",
				deviation: appended(core.Pull2, "SEQ behind SA", gdoi.SEQ{Number: 1})},
			{sentence: "refuses message 2 whose HASH is not the first payload", requirement: "RFC6407-3.2-01",
				deviation: tester.HashLast(core.Pull2)},
			{sentence: "refuses message 2 with two nonces", requirement: "RFC6407-3.2-01",
				deviation: tester.Repeat(core.Pull2, isakmp.PayloadNonce, "RFC 6407 §3.2")},
			{sentence: "refuses message 2 without a policy", requirement: "RFC6407-3.2-01",
				deviation: tester.Omit(core.Pull2, isakmp.PayloadSA, "RFC 6407 §3.2")},
			{sentence: "refuses message 2 without a nonce", requirement: "RFC6407-3.2-01",
				deviation: tester.Omit(core.Pull2, isakmp.PayloadNonce, "RFC 6407 §3.2")},
			{sentence: "refuses message 2 of version 1.1", requirement: "RFC6407-3.2.1-02",
				deviation: tester.Version(core.Pull2, 0x11)},
			{sentence: "refuses message 2 of version 2.0", requirement: "RFC6407-3.2.1-02",
				deviation: tester.Version(core.Pull2, 0x20)},
			{sentence: "refuses message 2 in clear", requirement: "RFC6407-2-01 RFC6407-3.2.1-04",
				deviation: tester.Header(core.Pull2, "no encryption", "RFC 6407 §3.2.1", func(h *isakmp.Header) { h.Flags = 0 })},
			{sentence: "refuses message 2 with another Message ID than message 1", requirement: "RFC6407-3.2.1-04",
				deviation: tester.Header(core.Pull2, "another Message ID", "RFC 6407 §3.2.1", func(h *isakmp.Header) { h.MessageID++ })},
			{sentence: "refuses message 2 under cookies of no Phase 1", requirement: "RFC6407-7.2.4-01 RFC6407-3.2.1-01",
				deviation: tester.SentHeader(core.Pull2, "strange cookies", "RFC 6407 §7.2.4", strangeCookies)},
			{sentence: "refuses message 2 with the responder's cookie first", requirement: "RFC6407-7.2.4-01 RFC6407-3.2.1-01",
				deviation: tester.SentHeader(core.Pull2, "swapped cookies", "RFC 6407 §3.2.1", swappedCookies)},
			{sentence: "refuses message 2 with a nonce of 7 octets", requirement: "RFC6407-5.8-01", deviation: tester.NonceLength(core.Pull2, 7)},
			{sentence: "refuses message 2 with a nonce of 129 octets", requirement: "RFC6407-5.8-01", deviation: tester.NonceLength(core.Pull2, 129)},
		})

		refusals(4, []refusal{
			{sentence: "refuses message 4 with a wrong HASH(4)", requirement: "RFC6407-3.3-04",
				deviation: tester.WrongHash(core.Pull4)},
			{sentence: "refuses message 4 whose keys were changed after HASH(4) was made", requirement: "RFC6407-3.3-04",
				deviation: tester.EditAuthenticated(core.Pull4, "another key under HASH(4)", "RFC 6407 §3.3", otherKey)},
			{sentence: "refuses message 4 whose SEQ was changed after HASH(4) was made", requirement: "RFC6407-3.3-04",
				deviation: tester.EditAuthenticated(core.Pull4, "another SEQ under HASH(4)", "RFC 6407 §3.3",
					func(s gdoi.SEQ) isakmp.Payload { return gdoi.SEQ{Number: s.Number + 1} })},
			{sentence: "refuses message 4 without SEQ though there is a SAK", requirement: "RFC6407-3.2-01",
				deviation: tester.Omit(core.Pull4, isakmp.PayloadSEQ, "RFC 6407 §3.2")},
			{sentence: "refuses message 4 with SEQ though there is no SAK", requirement: "RFC6407-3.2-01",
				group: withoutRekey, deviation: prepended(core.Pull4, "SEQ before KD", gdoi.SEQ{Number: 1})},
			{sentence: "refuses message 4 with a payload that has no place there", requirement: "RFC6407-3.2-01",
				deviation: appended(core.Pull4, "a nonce behind KD", isakmp.Nonce{Data: make([]byte, 32)})},
			{sentence: "refuses message 4 whose HASH is not the first payload", requirement: "RFC6407-3.2-01",
				deviation: tester.HashLast(core.Pull4)},
			{sentence: "refuses message 4 without keys", requirement: "RFC6407-3.2-01 RFC6407-3.2-18",
				deviation: tester.Omit(core.Pull4, isakmp.PayloadKD, "RFC 6407 §3.2")},
			{sentence: "refuses message 4 with two key downloads", requirement: "RFC6407-3.2-01",
				deviation: tester.Repeat(core.Pull4, isakmp.PayloadKD, "RFC 6407 §3.2")},
			{sentence: "refuses message 4 of version 1.1", requirement: "RFC6407-3.2.1-02", deviation: tester.Version(core.Pull4, 0x11)},
			{sentence: "refuses message 4 in clear", requirement: "RFC6407-2-01 RFC6407-3.2.1-04",
				deviation: tester.Header(core.Pull4, "no encryption", "RFC 6407 §3.2.1", func(h *isakmp.Header) { h.Flags = 0 })},
			{sentence: "refuses message 4 with another Message ID than message 1", requirement: "RFC6407-3.2.1-04",
				deviation: tester.Header(core.Pull4, "another Message ID", "RFC 6407 §3.2.1", func(h *isakmp.Header) { h.MessageID++ })},
			{sentence: "refuses message 4 under cookies of no Phase 1", requirement: "RFC6407-7.2.4-01 RFC6407-3.2.1-01",
				deviation: tester.SentHeader(core.Pull4, "strange cookies", "RFC 6407 §7.2.4", strangeCookies)},
		})
	})

func strangeCookies(h *isakmp.Header) {
	h.InitiatorCookie[0], h.ResponderCookie[7] = ^h.InitiatorCookie[0], ^h.ResponderCookie[7]
}

func swappedCookies(h *isakmp.Header) {
	h.InitiatorCookie, h.ResponderCookie = h.ResponderCookie, h.InitiatorCookie
}

// otherSPI changes the last octet of the first SAT's SPI in the policy.
func otherSPI(sa gdoi.SA) isakmp.Payload {
	attributes := append([]isakmp.Payload(nil), sa.Attributes...)
	for i, p := range attributes {
		if sat, ok := p.(gdoi.SAT); ok && sat.ESP != nil {
			esp := *sat.ESP
			esp.SPI ^= 1
			attributes[i] = gdoi.SAT{ProtocolID: sat.ProtocolID, ESP: &esp}
		}
	}
	sa.Attributes = attributes
	return sa
}

func otherNonce(n isakmp.Nonce) isakmp.Payload {
	data := append([]byte(nil), n.Data...)
	data[0] ^= 1
	return isakmp.Nonce{Data: data}
}

// otherKey changes an octet of the first key in the download.
func otherKey(kd gdoi.KD) isakmp.Payload {
	kd.Packets = append([]gdoi.KeyPacket(nil), kd.Packets...)
	p := &kd.Packets[0]
	p.Attributes = append(p.Attributes[:0:0], p.Attributes...)
	p.Attributes[0].Value = append([]byte(nil), p.Attributes[0].Value...)
	p.Attributes[0].Value[0] ^= 1
	return kd
}

// appended adds a payload at the end of a message.
func appended(kind core.Kind, what string, p isakmp.Payload) tester.Deviation {
	return tester.Payloads(kind, what, "RFC 6407 §3.2", func(ps []isakmp.Payload) []isakmp.Payload { return append(ps, p) })
}

// prepended adds a payload behind HASH.
func prepended(kind core.Kind, what string, p isakmp.Payload) tester.Deviation {
	return tester.Payloads(kind, what, "RFC 6407 §3.2", func(ps []isakmp.Payload) []isakmp.Payload {
		return append([]isakmp.Payload{p}, ps...)
	})
}

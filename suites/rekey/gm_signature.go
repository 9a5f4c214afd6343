package rekey

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("SIG of a GROUPKEY-PUSH at a member (RFC 6407 §4, §4.4)", kit.Subject("rekey"), kit.DUT(rule.GM), func() {
	refusals([]refusal{
		{what: "whose SIG is wrong in one bit", requires: []rule.ID{"RFC6407-4.4-03", "RFC2408-5.12-01"},
			deviation: tester.WrongSignature(core.Push)},
		{what: "to the multicast group whose SIG is wrong", requires: []rule.ID{"RFC6407-4.4-03"}, group: multicast,
			deviation: tester.WrongSignature(core.Push)},
		unproven("whose SIG is empty", sigOf("no octets", func(b []byte) []byte { return nil })),
		unproven("whose SIG lacks its last octet", sigOf("an octet less", func(b []byte) []byte { return b[:len(b)-1] })),
		unproven("whose SIG is for other cookies", tester.SignedHeader("other cookies", func(h *isakmp.Header) { h.ResponderCookie[0] ^= 1 })),
		unproven("whose SIG is for another exchange", tester.SignedHeader("GROUPKEY-PULL", func(h *isakmp.Header) { h.Exchange = isakmp.ExchangePull })),
		unproven("whose SIG is for another Message ID", tester.SignedHeader("Message ID 1", func(h *isakmp.Header) { h.MessageID = 1 })),
		unproven("whose SIG is for another Length", tester.SignedHeader("Length 28", func(h *isakmp.Header) { h.Length = isakmp.HeaderLen })),
		unproven("whose number was changed after it was signed", tester.EditAuthenticated(core.Push, "SEQ + 1", form,
			func(s gdoi.SEQ) isakmp.Payload { return gdoi.SEQ{Number: s.Number + 1} })),
		unproven("whose number was moved far ahead after it was signed", tester.EditAuthenticated(core.Push, "SEQ + 1000", form,
			func(s gdoi.SEQ) isakmp.Payload { return gdoi.SEQ{Number: s.Number + 1000} })),
		unproven("whose policy was changed after it was signed", tester.EditAuthenticated(core.Push, "another SPI in SAT", form, changeSPI)),
		unproven("whose keys were changed after it was signed", tester.EditAuthenticated(core.Push, "another key in KD", form, changeKey)),
		unproven("that got a Delete after it was signed", tester.Rearrange(core.Push, "a Delete", form,
			func(ps []isakmp.Payload) []isakmp.Payload {
				return slices.Insert(ps, 1, isakmp.Payload(tester.DeleteESP(0)))
			})),
		{what: "that is signed with a key which is not the group's", requires: []rule.ID{"RFC6407-4.4-03"}, made: func(*scene) tester.Deviation {
			return tester.Resign("by somebody else", signingKey("ks2"), label("rekey"))
		}},
		{what: "whose SIG leaves out the label", requires: []rule.ID{"RFC6407-4.4-03", "RFC6407-4-02"}, made: func(*scene) tester.Deviation {
			return tester.Resign("without label", signingKey("ks1"), label(""))
		}},
		{what: "whose SIG has a label with a terminator", requires: []rule.ID{"RFC6407-4.4-03", "RFC6407-4-02"}, made: func(*scene) tester.Deviation {
			return tester.Resign("with a terminated label", signingKey("ks1"), label("rekey\x00"))
		}},
		{what: "whose SIG leaves out the header", requires: []rule.ID{"RFC6407-4.4-03", "RFC6407-4-02"}, made: func(*scene) tester.Deviation {
			return tester.Resign("without header", signingKey("ks1"), func(_, payloads []byte) []byte { return append([]byte("rekey"), payloads...) })
		}},
		malformed("without SIG", tester.Rearrange(core.Push, "no SIG", form, func(ps []isakmp.Payload) []isakmp.Payload {
			return ps[:len(ps)-1]
		})),
		malformed("whose SIG comes first", tester.Rearrange(core.Push, "SIG first", form, func(ps []isakmp.Payload) []isakmp.Payload {
			last := len(ps) - 1
			return slices.Concat(ps[last:], ps[:last])
		})),
		malformed("with two SIG payloads", tester.Rearrange(core.Push, "SIG twice", form, func(ps []isakmp.Payload) []isakmp.Payload {
			return append(ps, ps[len(ps)-1])
		})),
	})

	// spoilt has the member get a PUSH whose SIG was spoilt on the way, and then the PUSH as it was sent.
	spoilt := func(ctx SpecContext, args control.RekeyArgs, done func(*scene) bool) {
		s := group(ctx)
		before, since := s.protects(), kit.Now(s.Lab)
		var right []byte
		s.Intercept(func(c *lab.Crossing) {
			if altered, ok := spoil(c.Packet); ok {
				right, c.Packet = c.Packet, altered
			}
		})
		rekey := s.rekey(args)
		s.refuses("RFC6407-4.4-03", 0, since)
		Expect(s.sending()).To(Equal(before), "it goes on with the keys it had")
		Expect(s.taken(since)).To(BeEmpty(), "it takes nothing")
		Expect(s.pulls(since)).To(BeEmpty(), "it does not register again")
		s.expectRefused("RFC6407-4.4-03", 1, "its log says that it refused the message for its SIG")

		s.Intercept(nil)
		s.Inject(s.KS.Name(), right)
		kit.Control(s.takes(rekey) && done(s), "it carries out the message as it was sent")
	}

	It("drops a rekey with a new KEK whose SIG is wrong", kit.Requirement("RFC6407-4.4-03"), kit.Negative, func(ctx SpecContext) {
		spoilt(ctx, control.RekeyArgs{KEK: true}, func(s *scene) bool { return s.follows(s.rekey(control.RekeyArgs{})) })
	})

	It("drops a rekey that deletes everything whose SIG is wrong", kit.Requirement("RFC6407-4.4-03"), kit.Negative, func(ctx SpecContext) {
		spoilt(ctx, control.RekeyArgs{DeleteAll: true}, func(s *scene) bool { return s.registers(1) })
	})
})

// spoil changes an octet in the middle of the SIG of a PUSH, which its encryption makes more of.
func spoil(packet []byte) ([]byte, bool) {
	if exchangeOf(packet) != isakmp.ExchangePush {
		return nil, false
	}
	ip, _ := lab.ParseIPv4(packet)
	from, to, data, _ := ip.UDP()
	data = slices.Clone(data)
	data[len(data)-100] ^= 1
	altered, err := lab.UDPPacket(from, to, ip.TTL, data)
	return altered, err == nil
}

func unproven(what string, deviation tester.Deviation) refusal {
	return refusal{what: what, requires: []rule.ID{"RFC6407-4.4-03"}, deviation: deviation}
}

func sigOf(what string, change func([]byte) []byte) tester.Deviation {
	return tester.EditAuthenticated(core.Push, "a SIG of "+what, form, func(s isakmp.SIG) isakmp.Payload {
		return isakmp.SIG{Data: change(slices.Clone(s.Data))}
	})
}

// label is what SIG covers, with that label in front.
func label(text string) func(header, payloads []byte) []byte {
	return func(header, payloads []byte) []byte { return slices.Concat([]byte(text), header, payloads) }
}

// signingKey is one of the test keys; that of the lab's key server is ks1.
func signingKey(name string) *rsa.PrivateKey {
	GinkgoHelper()
	text, err := fixtures.FS.ReadFile("keys/" + name + ".pem")
	kit.Precondition(err, "the tester has the key "+name)
	block, _ := pem.Decode(text)
	kit.Reached(block != nil, "the key "+name+" is a PEM file")
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	kit.Precondition(err, "the tester reads the key "+name)
	return key.(*rsa.PrivateKey)
}

func changeSPI(sa gdoi.SA) isakmp.Payload {
	sa.Attributes = slices.Clone(sa.Attributes)
	for i, p := range sa.Attributes {
		if t, ok := p.(gdoi.SAT); ok && t.ESP != nil {
			esp := *t.ESP
			esp.SPI++
			sa.Attributes[i] = gdoi.SAT{ProtocolID: t.ProtocolID, ESP: &esp}
		}
	}
	return sa
}

func changeKey(kd gdoi.KD) isakmp.Payload {
	kd.Packets = slices.Clone(kd.Packets)
	kd.Packets[0].Attributes = slices.Clone(kd.Packets[0].Attributes)
	kd.Packets[0].Attributes[0].Value = slices.Clone(kd.Packets[0].Attributes[0].Value)
	kd.Packets[0].Attributes[0].Value[0] ^= 1
	return kd
}

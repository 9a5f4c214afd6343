package phase1

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// duty is what a sender owes in a registration in which everybody is right.
type duty struct {
	requirement []string
	says        string
	until       func(side) core.Kind // the last message of the device that is looked at
	check       func(t *talk, s side)
}

// side is the device's part: its messages are every second one, the first of them this.
type side struct {
	name  string
	first core.Kind
}

var (
	memberSide    = side{"the member", core.MainMode1}
	keyServerSide = side{"the key server", core.MainMode2}
)

// The device's messages, by what they carry.
func offering(s side) core.Kind   { return s.first }
func exchanging(s side) core.Kind { return s.first + 2 }
func proving(s side) core.Kind    { return s.first + 4 }
func pulling(s side) core.Kind {
	if s == memberSide {
		return core.Pull1
	}
	return core.Pull2
}

// settled is the last message of the PULL: the other side has answered, and so logged, all that came before.
func settled(s side) core.Kind { return pulling(s) + 2 }

var _ = Describe("What a key server sends in Phase 1 (RFC 2408 §3, RFC 2409 §5)", kit.Subject("phase1"), kit.DUT(rule.KS), func() {
	owes(keyServerSide, duties)
	owes(keyServerSide, replyDuties)
})

var _ = Describe("What a group member sends in Phase 1 (RFC 2408 §3, RFC 2409 §5)", kit.Subject("phase1"), kit.DUT(rule.GM), func() {
	owes(memberSide, duties)
	owes(memberSide, offerDuties)
})

// owes makes a spec of each duty. It looks at what was sent even if the tester did not like it, but all of it must come.
func owes(s side, ds []duty) {
	for _, d := range ds {
		It(s.name+" "+d.says, kit.Requirement(d.requirement...), func(ctx SpecContext) {
			t := begin(ctx, lab.Setup{})
			complete := t.reaches(ctx, d.until(s))
			Expect(t.messages(t.device)).NotTo(BeEmpty(), "the device says something")
			d.check(t, s)
			Expect(complete).To(BeTrue(), "all messages up to %s are sent", d.until(s))
		})
	}
}

func needs(ids ...string) []string { return ids }

var duties = []duty{
	{needs("RFC2408-3.1-01"), "says version 1.0 in every message", proving, eachHeader(func(h isakmp.Header) {
		Expect(h.Version).To(BeEquivalentTo(isakmp.Version10))
	})},
	{needs("RFC2408-3.1-03"), "leaves unused flags clear", proving, eachHeader(func(h isakmp.Header) {
		Expect(h.Flags &^ (isakmp.FlagEncryption | isakmp.FlagCommit)).To(BeZero())
	})},
	{needs("RFC2408-3.1-05"), "has Message ID 0 in all of Phase 1", proving, eachHeader(func(h isakmp.Header) {
		Expect(h.MessageID).To(BeZero())
	})},
	{needs("RFC2408-2.5.2-01"), "sends reserved octets as zeros", exchanging, eachMessage(func(m capture.Message) {
		Expect(names(m.Payloads)).NotTo(ContainElement("RESERVED"), "%s", m.Kind)
	})},
	{needs("RFC2409-4-01"), "puts the initiator's cookie first in every message", proving, func(t *talk, _ side) {
		opening := t.messages(t.GM[0])[0].header.InitiatorCookie
		Expect(opening).NotTo(BeZero())
		for _, d := range t.messages(t.device) {
			Expect(d.header.InitiatorCookie).To(Equal(opening), "%s", d.header.Exchange)
		}
	}},
	{needs("RFC2409-5-04"), "puts SA first in its first message", offering, func(t *talk, _ side) {
		Expect(t.messages(t.device)[0].header.NextPayload).To(Equal(isakmp.PayloadSA))
	}},
	{needs("RFC2408-3.4-01", "RFC2408-3.5-01", "RFC2408-3.6-01"), "chains SA, proposal and transforms as they are nested", offering,
		func(t *talk, _ side) {
			first := t.messages(t.device)[0]
			Expect(isakmp.PayloadType(first.data[isakmp.HeaderLen])).NotTo(BeElementOf(isakmp.PayloadProposal, isakmp.PayloadTransform))
			Expect(t.decoded(t.device, core.KindUnknown)[0].Err).To(BeEmpty(), "the chain can be read to its end")
		}},
	{needs("RFC2409-5-05"), "sends a public value as long as its group", exchanging, func(t *talk, s side) {
		agreed := groupOf(suiteOf(transforms(t, t.KS)[0]))
		eachOf(isakmp.PayloadKE, func(f capture.Field) { Expect(f.Length).To(Equal(isakmp.GenericLen + agreed.octets)) })(t, s)
	}},
	{needs("RFC2409-5-06"), "sends a nonce of 8 to 256 octets", exchanging, eachOf(isakmp.PayloadNonce, func(f capture.Field) {
		Expect(f.Length).To(And(BeNumerically(">=", isakmp.GenericLen+8), BeNumerically("<=", isakmp.GenericLen+256)))
	})},
	{needs("RFC2408-3.1-04"), "encrypts once public values have been exchanged, and not before", proving, func(t *talk, s side) {
		for i, d := range t.messages(t.device) {
			Expect(d.header.Flags&isakmp.FlagEncryption != 0).To(Equal(s.first+core.Kind(2*i) >= proving(s)), "message %d", i+1)
		}
	}},
	{needs("RFC2409-B-05"), "pads to whole blocks and counts the padding in Length", settled, func(t *talk, _ side) {
		for _, d := range t.messages(t.device) {
			Expect(d.header.Length).To(BeEquivalentTo(len(d.data)))
			if d.header.Flags&isakmp.FlagEncryption != 0 {
				Expect((len(d.data)-isakmp.HeaderLen)%16).To(BeZero(), "%d encrypted octets", len(d.data)-isakmp.HeaderLen)
			}
		}
	}},
	{needs("RFC2409-3.2-01"), "encrypts everything behind the header", settled, func(t *talk, s side) {
		for _, d := range t.messages(t.device) {
			if d.header.Flags&isakmp.FlagEncryption != 0 {
				Expect(d.data[isakmp.HeaderLen:]).NotTo(ContainSubstring(string(t.device.Addr().Addr().AsSlice())), "the identity is not readable")
			}
		}
		proves(t, s)
	}},
	{needs("RFC2409-5-11", "RFC2409-4-03", "RFC2409-5-12", "RFC2409-5-13", "RFC2409-B-02"),
		"proves its identity under keys of both nonces, by a HASH over offer and identity", settled, proves},
	{needs("RFC2407-4.6.2-01", "RFC2408-3.8-01"), "leaves protocol and port of its identity at zero", settled, func(t *talk, s side) {
		m := proof(t, s)
		Expect([]string{value(m, "ID", "Protocol"), value(m, "ID", "Port")}).To(Equal([]string{"0", "0"}))
	}},
	{needs("RFC2409-B-03"), "chains the IV from message to message", settled, func(t *talk, s side) {
		proves(t, s)
		up := t.Wait(context.Background(), lab.Patience, func() bool { return len(t.tester.Logged("PHASE1_UP")) > 0 })
		Expect(up).To(BeTrue(), "the other side reads it with the IV that the message before left")
	}},
	{needs("RFC6407-3.2.1-01"), "sends PULL messages with the cookie pair of Phase 1, the initiator's first", settled, func(t *talk, _ side) {
		up := t.messages(t.KS)[0].header
		for _, m := range pulls(t) {
			Expect(m.header.InitiatorCookie).To(Equal(up.InitiatorCookie))
			Expect(m.header.ResponderCookie).To(Equal(up.ResponderCookie))
		}
	}},
	{needs("RFC6407-3.2.1-02"), "sends PULL messages with version 1.0", settled, eachPull(func(h isakmp.Header) {
		Expect(h.Version).To(BeEquivalentTo(isakmp.Version10))
	})},
	{needs("RFC6407-3.2.1-03"), "sends PULL messages with exchange type 32", settled, eachPull(func(h isakmp.Header) {
		Expect(h.Exchange).To(Equal(isakmp.ExchangePull))
	})},
	{needs("RFC6407-3.2.1-04"), "sends PULL messages encrypted, with one Message ID that is not zero", settled, eachPull(func(h isakmp.Header) {
		Expect(h.Flags).To(Equal(isakmp.FlagEncryption))
		Expect(h.MessageID).NotTo(BeZero())
	})},
	{needs("RFC2407-4.6.3-01"), "sends no notification before there is a protected SA", exchanging, eachMessage(func(m capture.Message) {
		Expect(names(m.Payloads)).NotTo(ContainElement(isakmp.PayloadN.String()), "%s", m.Kind)
	})},
	{needs("RFC2409-5-01"), "completes Main Mode with its six messages", settled, func(t *talk, s side) {
		Expect(mainMode(t.messages(t.device))).To(HaveLen(3))
		Expect(mainMode(t.messages(t.tester))).To(HaveLen(3))
		Expect(pulls(t)).NotTo(BeEmpty(), "the device goes on to the PULL")
	}},
	{needs("RFC2408-3.16-01"), "sends no Vendor ID after Phase 1", settled, func(t *talk, s side) {
		for _, m := range t.decoded(t.device, pulling(s)) {
			Expect(names(m.Payloads)).NotTo(ContainElement(isakmp.PayloadVID.String()))
		}
	}},
	{needs("RFC2409-B-04"), "begins a PULL with the IV made of Phase 1's last block and the Message ID", settled, func(t *talk, s side) {
		ms := t.decoded(t.device, pulling(s))
		Expect(ms).NotTo(BeEmpty())
		Expect(ms[0].Checks).To(ConsistOf(HaveField("Result", capture.OK)), "%s", ms[0].Summary)
	}},
}

// replyDuties are those of the responder.
var replyDuties = []duty{
	{needs("RFC6407-2.1-02"), "replies under the DOI of GDOI", offering, offer(func(sa isakmp.SA) {
		Expect(sa.DOI).To(BeEquivalentTo(2))
		Expect(sa.Situation).To(BeZero())
	})},
	{needs("RFC2409-5-08"), "replies with one proposal and one transform", offering, offer(func(sa isakmp.SA) {
		Expect(sa.Proposals).To(HaveLen(1))
		Expect(sa.Proposals[0].Transforms).To(HaveLen(1))
	})},
	{needs("RFC2409-5-09"), "returns the transform that it chose as it came", offering, func(t *talk, _ side) {
		offered, reply := phase1SA(t.messages(t.tester)[0]), phase1SA(t.messages(t.device)[0])
		Expect(offered.Proposals[0].Transforms).To(ContainElement(reply.Proposals[0].Transforms[0]))
	}},
	{needs("RFC6407-2.2-01"), "answers on UDP port 848, from it", proving, func(t *talk, _ side) {
		for _, d := range t.messages(t.device) {
			Expect(d.from.Port()).To(BeEquivalentTo(lab.Port))
		}
	}},
}

// offerDuties are those of the initiator.
var offerDuties = []duty{
	{needs("RFC6407-2.1-01"), "offers Phase 1 under the DOI of GDOI", offering, offer(func(sa isakmp.SA) {
		Expect(sa.DOI).To(BeEquivalentTo(2))
	})},
	{needs("RFC2409-5-07"), "offers all transforms in one proposal", offering, offer(func(sa isakmp.SA) {
		Expect(sa.Proposals).To(HaveLen(1))
	})},
	{needs("RFC2409-4-02"), "offers cipher, hash, method and group in each transform", offering, eachTransform(func(as attributes) {
		Expect(as).To(And(HaveKey(isakmp.AttrEncryptionAlgorithm), HaveKey(isakmp.AttrHashAlgorithm),
			HaveKey(isakmp.AttrAuthenticationMethod), HaveKey(isakmp.AttrGroupDescription)))
	})},
	{needs("RFC2409-A-01"), "sends Basic attributes in Basic form", offering, eachTransform(func(as attributes) {
		for _, basic := range []int{isakmp.AttrEncryptionAlgorithm, isakmp.AttrHashAlgorithm, isakmp.AttrAuthenticationMethod,
			isakmp.AttrGroupDescription, isakmp.AttrLifeType, isakmp.AttrKeyLength} {
			if a, ok := as[basic]; ok {
				Expect(a.Basic).To(BeTrue(), "%s", isakmp.Attribute(a.Type))
			}
		}
	})},
	{needs("RFC2409-A-03"), "gives the Key Length in bits", offering, eachTransform(func(as attributes) {
		bits, _ := as[isakmp.AttrKeyLength].Uint()
		Expect(bits).To(BeElementOf(uint64(128), uint64(192), uint64(256)), "the key lengths of AES")
	})},
	{needs("RFC2409-4-04"), "describes a group by its number alone", offering, eachTransform(func(as attributes) {
		for _, other := range []int{isakmp.AttrGroupType, isakmp.AttrGroupPrime, isakmp.AttrGroupGeneratorOne,
			isakmp.AttrGroupGeneratorTwo, isakmp.AttrGroupCurveA, isakmp.AttrGroupCurveB, isakmp.AttrGroupOrder} {
			Expect(as).NotTo(HaveKey(other))
		}
	})},
	{needs("RFC6407-2-02"), "begins the PULL only when the key server has proven itself", settled, func(t *talk, _ side) {
		for _, m := range kit.MessagesSince(t.Lab, 0, "") {
			if m.Kind == core.MainMode6.String() {
				return
			}
			Expect(m.Kind).NotTo(Equal(core.Pull1.String()), "message 6 comes first")
		}
	}},
}

// eachHeader looks at the headers of the device's Main Mode messages.
func eachHeader(look func(isakmp.Header)) func(*talk, side) {
	return func(t *talk, _ side) {
		for _, d := range t.messages(t.device) {
			if d.header.Exchange == isakmp.ExchangeMainMode {
				look(d.header)
			}
		}
	}
}

// pulls are the device's messages behind Phase 1, whatever exchange they say they are.
func pulls(t *talk) []datagram {
	sent := t.messages(t.device)
	Expect(len(sent)).To(BeNumerically(">", 3), "there are messages behind Phase 1")
	return sent[3:]
}

// eachPull looks at the headers of the device's messages behind Phase 1.
func eachPull(look func(isakmp.Header)) func(*talk, side) {
	return func(t *talk, _ side) {
		ds := pulls(t)
		for _, d := range ds {
			look(d.header)
			Expect(d.header.MessageID).To(Equal(ds[0].header.MessageID), "one exchange")
		}
	}
}

// eachMessage looks at the device's decoded messages.
func eachMessage(look func(capture.Message)) func(*talk, side) {
	return func(t *talk, _ side) {
		for _, m := range t.decoded(t.device, core.KindUnknown) {
			look(m)
		}
	}
}

// eachOf looks at the payloads of one type, of which there must be some.
func eachOf(typ isakmp.PayloadType, look func(capture.Field)) func(*talk, side) {
	return func(t *talk, _ side) {
		found := 0
		for _, m := range t.decoded(t.device, core.KindUnknown) {
			if f, ok := field(m.Payloads, typ.String()); ok {
				look(f)
				found++
			}
		}
		Expect(found).To(BeNumerically(">", 0), "a %s payload is sent", typ)
	}
}

// proof is the device's message 5 or 6.
func proof(t *talk, s side) capture.Message {
	GinkgoHelper()
	ms := t.decoded(t.device, proving(s))
	Expect(ms).NotTo(BeEmpty(), "%s is sent", proving(s))
	return ms[0]
}

// proves checks the HASH of message 5 or 6 with the keys that the other side logged, as it has
// when the PULL is over.
func proves(t *talk, s side) {
	GinkgoHelper()
	m := proof(t, s)
	Expect(m.Decrypted).To(BeTrue(), "%s can be decrypted", m.Kind)
	Expect(m.Checks).To(ConsistOf(HaveField("Result", capture.OK)), "%s", m.Summary)
}

// offer looks at the SA payload of message 1 or 2.
func offer(look func(isakmp.SA)) func(*talk, side) {
	return func(t *talk, _ side) { look(phase1SA(t.messages(t.device)[0])) }
}

// attributes are those of a transform, by their number.
type attributes map[int]wire.Attribute

// eachTransform looks at the attributes of each transform of message 1.
func eachTransform(look func(attributes)) func(*talk, side) {
	return offer(func(sa isakmp.SA) {
		for _, p := range sa.Proposals {
			Expect(p.Transforms).NotTo(BeEmpty())
			for _, t := range p.Transforms {
				as := make(attributes)
				for _, a := range t.Attributes {
					as[int(a.Type)] = a
				}
				look(as)
			}
		}
	})
}

// names are those of all fields, at any depth.
func names(fields []capture.Field) []string {
	var all []string
	for _, f := range fields {
		all = append(append(all, f.Name), names(f.Children)...)
	}
	return all
}

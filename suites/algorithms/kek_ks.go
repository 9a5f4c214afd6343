package algorithms

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// Octets of a generic payload header and of the head of an attribute.
const kekPayloadHead, kekAttributeHead = 4, 4

// kekTold is what a SAK says of a signing key, and what the signatures are like.
type kekTold struct {
	signature             kekSignature
	algorithm, hash       string
	bits, signatureOctets int
}

var kekTellings = []kekTold{
	{kekRSA(2048, policy.SigHashSHA256, policy.SigDigestInfo), "RSA (1)", "SHA-256 (3)", 2048, 256},
	{kekRSA(3072, policy.SigHashSHA384, policy.SigDigestInfo), "RSA (1)", "SHA-384 (4)", 3072, 384},
	{kekRSA(4096, policy.SigHashSHA512, policy.SigDigestInfo), "RSA (1)", "SHA-512 (5)", 4096, 512},
	{kekSignatures()[0], "ECDSA-256 (4)", "SHA-256 (3)", 256, 64},
	{kekSignatures()[1], "ECDSA-384 (5)", "SHA-384 (4)", 384, 96},
	{kekSignatures()[2], "ECDSA-521 (6)", "SHA-512 (5)", 521, 132},
}

var _ = Describe("Rekeys of a key server in each algorithm (RFC 6407 §5.3, §5.6.2.1)", kit.Subject("algorithms"), kit.DUT(rule.KS), func() {
	for _, c := range kekCiphers {
		iv, number := 16, "AES (3)"
		if c.transform.Cipher == policy.KEK3DES {
			iv, number = 8, "3DES (2)"
		}
		It("gives IV and key of "+c.name+", and encrypts with them", kit.Requirement(c.requires, "RFC6407-5.6.2.1-01", "RFC6407-5.3-08", "RFC6407-4-03"),
			func(ctx SpecContext) {
				second, fourth, push := kekWatch(ctx, rekeySuite{kekCipher: c, kekSignature: kekPlain.kekSignature})
				Expect(kit.Value(second, "SA/SAK/KEK_ALGORITHM")).To(Equal(number))
				key, _ := kit.Field(fourth, "KD/Key Packet KEK/KEK_ALGORITHM_KEY")
				Expect(key.Length).To(Equal(kekAttributeHead + iv + c.transform.KeyBits/8))
				Expect(push.Decrypted).To(BeTrue(), "the key opens the rekey")
				Expect((push.Header.Length-isakmp.HeaderLen)%uint32(iv)).To(BeZero(), "it is a whole number of blocks")
			})
	}

	It("names the length of the key of each AES", kit.Requirement("RFC6407-5.3.3-01"), func(ctx SpecContext) {
		for _, c := range kekCiphers[:3] {
			second, _, _ := kekWatch(ctx, rekeySuite{kekCipher: c, kekSignature: kekPlain.kekSignature})
			Expect(kit.Value(second, "SA/SAK/KEK_KEY_LENGTH")).To(Equal(strconv.Itoa(c.transform.KeyBits)))
		}
	})

	It("names no other length of a 3DES key than 192 bits, if it names one", kit.Requirement("RFC6407-5.3.3-03"), func(ctx SpecContext) {
		second, _, _ := kekWatch(ctx, kek3DES)
		Expect(kit.Value(second, "SA/SAK/KEK_KEY_LENGTH")).To(BeElementOf("", "192"))
	})

	It("gives three keys of 3DES that differ from each other, with each KEK", kit.Requirement("RFC6407-5.3.2.2-01"), func(ctx SpecContext) {
		const iv = 8
		l := kit.Up(ctx, kek3DES.setup())
		for range 3 {
			kekFollowed(ctx, l, control.RekeyArgs{KEK: true})
		}
		given := 0
		for _, m := range kit.MessagesSince(l, 0, "") {
			material, err := hex.DecodeString(kit.Value(m, "KD/Key Packet KEK/KEK_ALGORITHM_KEY"))
			if err != nil || len(material) == 0 {
				continue
			}
			given++
			Expect(material).To(HaveLen(iv + 24))
			first, second, third := material[iv:iv+8], material[iv+8:iv+16], material[iv+16:]
			Expect(first).NotTo(Or(Equal(second), Equal(third)))
			Expect(second).NotTo(Equal(third))
		}
		Expect(given).To(Equal(4), "at registration and with each rekey")
	})

	for _, c := range kekTellings {
		It("says how it signs with "+c.signature.name+", and signs so", kit.Requirement(append([]string{"RFC6407-5.3-09", "RFC6407-5.3.7-01", "RFC6407-4-02", "RFC6407-8.1-01"},
			c.signature.requires...)...), func(ctx SpecContext) {
			second, _, push := kekWatch(ctx, rekeySuite{kekCipher: kekCiphers[0], kekSignature: c.signature})
			Expect(kit.Value(second, "SA/SAK/SIG_ALGORITHM")).To(Equal(c.algorithm))
			Expect(kit.Value(second, "SA/SAK/SIG_HASH_ALGORITHM")).To(Equal(c.hash))
			Expect(kit.Value(second, "SA/SAK/SIG_KEY_LENGTH")).To(Equal(strconv.Itoa(c.bits)))
			sig, _ := kit.Field(push, "SIG")
			Expect(sig.Length).To(Equal(kekPayloadHead + c.signatureOctets))
			Expect(kit.Checked(push, "SIG")).To(Equal(capture.OK))
		})
	}

	It("asks for acknowledgements with SHA-512 in message 2 and with each new KEK", kit.Requirement("RFC8263-2-01", "RFC8263-2.3-01"), func(ctx SpecContext) {
		suite := kekPlain
		suite.ack = policy.AckKEKSHA512
		l := kit.Up(ctx, suite.setup())
		kekFollowed(ctx, l, control.RekeyArgs{KEK: true})
		var asked []string
		for _, m := range kit.MessagesSince(l, 0, "") {
			if text := kit.Value(m, "SA/SAK/KEK_ACK_REQUESTED"); text != "" {
				asked = append(asked, text)
			}
		}
		Expect(asked).To(And(HaveLen(2), HaveEach("REKEY_ACK_KEK_SHA512 (3)")))
	})

	for _, wrong := range []struct {
		what      string
		ack       policy.AckType
		deviation func(l *lab.Lab) tester.Deviation
	}{
		{"an acknowledgement with SHA-256 where it asks for SHA-512", policy.AckKEKSHA512,
			func(l *lab.Lab) tester.Deviation {
				return tester.AckAs("with SHA-256", keymat.AckSHA256, kekInForce(l))
			}},
		{"an acknowledgement with SHA-512 where it asks for SHA-256", policy.AckKEKSHA256,
			func(l *lab.Lab) tester.Deviation {
				return tester.AckAs("with SHA-512", keymat.AckSHA512, kekInForce(l))
			}},
		{"an acknowledgement with SHA-512 that is cut to 32 octets", policy.AckKEKSHA512, func(*lab.Lab) tester.Deviation {
			return tester.EditAuthenticated(core.PushACK, "half a HASH", "RFC 8263 §2.3", func(h isakmp.Hash) isakmp.Payload {
				return isakmp.Hash{Data: h.Data[:32]}
			})
		}},
		{"an acknowledgement with SHA-512 that is wrong", policy.AckKEKSHA512, func(*lab.Lab) tester.Deviation { return tester.WrongHash(core.PushACK) }},
	} {
		It("discards "+wrong.what, kit.Requirement("RFC8263-5-04", "RFC8263-2-02"), kit.Negative, func(ctx SpecContext) {
			suite := kekPlain
			suite.ack = wrong.ack
			l := kit.Up(ctx, suite.setup())
			Expect(l.GM[0].Misbehave(tester.Taps(wrong.deviation(l)))).To(Succeed())
			first := kit.Rekey(ctx, l, control.RekeyArgs{})
			Expect(kit.AwaitRefusal(ctx, l, l.KS, "RFC8263-5-04", 0, kit.Never)).
				To(BeTrue(), "the key server says that it discarded the acknowledgement")
			Expect(kekAcknowledged(ctx, l, first.Sequence)).To(BeZero(), "it counts nothing as acknowledged")

			Expect(l.GM[0].Misbehave(nil)).To(Succeed())
			second := kit.Rekey(ctx, l, control.RekeyArgs{})
			kit.Control(l.Wait(ctx, lab.Patience, func() bool { return kekAcknowledged(ctx, l, second.Sequence) == 1 }),
				"the next acknowledgement, unaltered, is recorded")
		})
	}
})

var _ = Describe("Acknowledgements by a member in each hash (RFC 8263 §2)", kit.Subject("algorithms"), kit.DUT(rule.GM), func() {
	for _, c := range []struct {
		name     string
		kind     policy.AckType
		octets   int
		requires string
	}{{"SHA-256", policy.AckKEKSHA256, 32, "RFC8263-2.1-01"}, {"SHA-512", policy.AckKEKSHA512, 64, "RFC8263-2.3-01"}} {
		for _, cipher := range []kekCipher{kekCiphers[0], kekCiphers[2], kekCiphers[3]} {
			It(fmt.Sprintf("acknowledges with %s and a key from that of %s", c.name, cipher.name),
				kit.Requirement(c.requires, "RFC8263-2-02", "RFC8263-3.2-05", "RFC8263-3.2-06"), func(ctx SpecContext) {
					l := kit.Up(ctx, rekeySuite{kekCipher: cipher, kekSignature: kekPlain.kekSignature, ack: c.kind}.setup())
					kit.Rekey(ctx, l, control.RekeyArgs{})
					Expect(l.Wait(ctx, lab.Patience, func() bool { return len(kit.Acks(l, 1, 0)) > 0 })).To(BeTrue(), "the member answers")
					ack := kit.Last(kit.MessagesSince(l, 0, core.PushACK.String()))
					hash, _ := kit.Field(ack, "HASH")
					Expect(hash.Length).To(Equal(kekPayloadHead + c.octets))
					Expect(kit.Checked(ack, "ACK HASH")).To(Equal(capture.OK))
				})
		}
	}
})

// kekWatch has a member register and follow a rekey, and returns messages 2 and 4 of the registration and the rekey.
func kekWatch(ctx context.Context, suite rekeySuite) (second, fourth, push capture.Message) {
	GinkgoHelper()
	l := kit.Up(ctx, suite.setup())
	kekFollowed(ctx, l, control.RekeyArgs{})
	for _, m := range kit.MessagesSince(l, 0, "") {
		switch m.Kind {
		case core.Pull2.String():
			second = m
		case core.Pull4.String():
			fourth = m
		case core.Push.String():
			push = m
		}
	}
	return second, fourth, push
}

// kekFollowed has the key server rekey and waits until something of it has crossed the WAN.
func kekFollowed(ctx context.Context, l *lab.Lab, args control.RekeyArgs) {
	GinkgoHelper()
	since := kit.Now(l)
	kit.Rekey(ctx, l, args)
	Expect(l.Wait(ctx, lab.Patience, func() bool {
		for _, f := range kit.WANSince(l, since) {
			if h, ok := kekHeader(f, l.KS); ok && h.Exchange == isakmp.ExchangePush {
				return true
			}
		}
		return false
	})).To(BeTrue(), "the key server sends a rekey")
}

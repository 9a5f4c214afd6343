package registration

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("What a registration says about rekeys (RFC 6407 §3.2, §5.6.2)", kit.Subject("registration"), kit.DUT(rule.KS), func() {
	It("gives SPI, IV, key and public key by which its rekeys can be read and verified",
		kit.Requirement("RFC6407-5.6.2.1-01", "RFC6407-5.6.2.2-01", "RFC6407-5.3-05", "RFC6407-5.3.2.3-01"), func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{})
			ksCome(ctx, l, 1)
			sak, kek := ksSecond(ctx, l, 1), ksFourth(ctx, l, 1)
			before := kit.Now(l)
			kit.Rekey(ctx, l, control.RekeyArgs{})
			pushes := func() []capture.Message {
				return capture.Decode(kit.WANSince(l, before), []keylog.Entry{ksRekey(sak, kek)})
			}
			var push capture.Message
			Expect(l.Wait(ctx, lab.Patience, func() bool {
				for _, m := range pushes() {
					if m.Kind == "PUSH" {
						push = m
						return true
					}
				}
				return false
			})).To(BeTrue(), "there is a rekey")
			Expect(push.Header.InitiatorCookie.String() + push.Header.ResponderCookie.String()).To(Equal(kit.Value(sak, "SA/SAK/SPI")))
			Expect(push.Decrypted).To(BeTrue(), "the KEK opens it")
			Expect(push.Err).To(BeEmpty())
			Expect(kit.Checked(push, "SIG")).To(Equal(capture.OK), "the public key verifies it")
		})

	It("gives the number of the last rekey in a registration", kit.Requirement("RFC6407-3.2-14", "RFC6407-5.7-03"), func(ctx SpecContext) {
		l := ksLab(ctx, lab.Setup{Members: 2})
		ksJoined(ctx, l, 1)
		kit.Rekey(ctx, l, control.RekeyArgs{})
		last := kit.Rekey(ctx, l, control.RekeyArgs{})
		kit.Reached(last.Sequence == 2, "the key server sends two rekeys")
		ksCome(ctx, l, 2)
		Expect(kit.Value(ksFourth(ctx, l, 2), "SEQ")).To(Equal("2"))
	})

	It("does not advance the number of rekeys by registrations", kit.Requirement("RFC6407-3.2-16"), func(ctx SpecContext) {
		l := ksLab(ctx, lab.Setup{Members: 3})
		ksJoined(ctx, l, 1)
		kit.Rekey(ctx, l, control.RekeyArgs{})
		for i := 2; i <= 3; i++ {
			ksCome(ctx, l, i)
			Expect(kit.Value(ksFourth(ctx, l, i), "SEQ")).To(Equal("1"), "SEQ for member %d", i)
		}
		ksAgain(ctx, l, 1)
		before := kit.Now(l)
		kit.Rekey(ctx, l, control.RekeyArgs{})
		Expect(l.Wait(ctx, lab.Patience, func() bool { return len(kit.MessagesSince(l, before, "PUSH")) > 0 })).
			To(BeTrue(), "there is a second rekey")
		Expect(kit.Value(kit.MessagesSince(l, before, "PUSH")[0], "SEQ")).To(Equal("2"))
	})

	It("gives a member that comes after a rekey the new keys", kit.Requirement("RFC6407-3.4-02", "RFC6407-3-02"), func(ctx SpecContext) {
		l := ksLab(ctx, lab.Setup{Members: 2})
		ksJoined(ctx, l, 1)
		rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
		ksCome(ctx, l, 2)
		Expect(ksValues(ksSecond(ctx, l, 2), "SA/SAT/SPI")).To(Equal(rekey.SPIs))
		Expect(ksValues(ksFourth(ctx, l, 2), ksTEK+"/SPI")).To(Equal(rekey.SPIs))
	})
})

// ksRekey is the Rekey SA as messages 2 and 4 give it: AES-CBC with a key of 16 octets behind an IV of as many, and RSA.
func ksRekey(second, fourth capture.Message) keylog.Entry {
	GinkgoHelper()
	const iv = 2 * 16 // hexadecimal digits
	material := kit.Value(fourth, ksKEK+"/KEK_ALGORITHM_KEY")
	Expect(len(material)).To(BeNumerically(">", iv), "there is an IV before the key")
	return keylog.Entry{
		Kind: keylog.KindRekey, SPI: kit.Value(second, "SA/SAK/SPI"), Cipher: 3, KeyBits: 128,
		IV: material[:iv], Key: material[iv:], PublicKey: kit.Value(fourth, ksKEK+"/SIG_ALGORITHM_KEY"),
		SigHash: 3, SigAlgorithm: 1, Source: lab.KeyServerAddr.String(),
	}
}

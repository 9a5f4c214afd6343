package algorithms

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// kekCipher is a cipher of PUSH messages.
type kekCipher struct {
	name      string
	transform policy.KEKTransform
	requires  string
}

var kekCiphers = []kekCipher{
	{"AES-128", policy.KEKTransform{Cipher: policy.KEKAES, KeyBits: 128}, "RFC6407-6.1-02"},
	{"AES-192", policy.KEKTransform{Cipher: policy.KEKAES, KeyBits: 192}, "RFC6407-5.3.2.3-01"},
	{"AES-256", policy.KEKTransform{Cipher: policy.KEKAES, KeyBits: 256}, "RFC6407-5.3.2.3-01"},
	{"3DES", policy.KEKTransform{Cipher: policy.KEK3DES, KeyBits: 192}, "RFC6407-5.3.2.2-01"},
}

// kekSignature is how PUSH messages are signed.
type kekSignature struct {
	name     string
	key      string // one of the test keys
	hash     policy.SigHash
	form     policy.SigForm
	requires []string
}

// kekSignatures are all there are: each size of RSA with each hash in both forms, SHA-1, and ECDSA over each curve.
func kekSignatures() []kekSignature {
	all := []kekSignature{
		{"ECDSA-256", "ks-p256", 0, policy.SigDigestInfo, []string{"RFC6407-5.3.6.4-01"}},
		{"ECDSA-384", "ks-p384", 0, policy.SigDigestInfo, []string{"RFC6407-5.3.6.5-01"}},
		{"ECDSA-521", "ks-p521", 0, policy.SigDigestInfo, []string{"RFC6407-5.3.6.6-01"}},
	}
	for _, bits := range []int{2048, 3072, 4096} {
		for _, hash := range []policy.SigHash{policy.SigHashSHA256, policy.SigHashSHA384, policy.SigHashSHA512} {
			all = append(all, kekRSA(bits, hash, policy.SigDigestInfo), kekRSA(bits, hash, policy.SigBareHash))
		}
	}
	return append(all, kekRSA(2048, policy.SigHashSHA1, policy.SigDigestInfo), kekRSA(2048, policy.SigHashSHA1, policy.SigBareHash))
}

var kekHashNames = map[policy.SigHash]string{policy.SigHashSHA1: "SHA-1", policy.SigHashSHA256: "SHA-256", policy.SigHashSHA384: "SHA-384",
	policy.SigHashSHA512: "SHA-512"}

func kekRSA(bits int, hash policy.SigHash, form policy.SigForm) kekSignature {
	s := kekSignature{name: fmt.Sprintf("RSA-%d and %s", bits, kekHashNames[hash]), key: kekRSAKey(bits), hash: hash, form: form}
	if form == policy.SigBareHash {
		s.name += " without DigestInfo" // which no requirement asks for
		return s
	}
	s.requires = []string{"RFC6407-5.3.6.1-01"}
	switch {
	case bits == 2048 && hash == policy.SigHashSHA256:
		s.requires = append(s.requires, "RFC6407-6.1-04", "RFC6407-6.1-07")
	case hash == policy.SigHashSHA1:
		s.requires = append(s.requires, "RFC6407-6.1-05")
	}
	return s
}

// kekRSAKey is the name of the test key of that size.
func kekRSAKey(bits int) string {
	if bits == 2048 {
		return "ks1"
	}
	return fmt.Sprintf("ks-rsa%d", bits)
}

// rekeySuite is a combination, with the way on which its messages go and come back.
type rekeySuite struct {
	kekCipher
	kekSignature
	multicast bool
	ack       policy.AckType
}

// kekAcks are the acknowledgements that a key server may ask for.
var kekAcks = []struct {
	name string
	kind policy.AckType
}{{"", policy.AckNone}, {", acknowledged with SHA-256", policy.AckKEKSHA256}, {", acknowledged with SHA-512", policy.AckKEKSHA512}}

var _ = Describe("Ciphers and signatures of rekeys (RFC 6407 §5.3)", kit.Subject("algorithms"), kit.DUT(rule.Both), kit.Exhaustive, kit.Scene(kit.Rekeying), func() {
	n := 0
	for _, cipher := range kekCiphers {
		for _, s := range kekSignatures() {
			way, ack := "unicast", kekAcks[n%len(kekAcks)]
			suite := rekeySuite{kekCipher: cipher, kekSignature: s, multicast: n%2 == 1, ack: ack.kind}
			if suite.multicast {
				way = "multicast"
			}
			n++
			It(fmt.Sprintf("follows rekeys by %s in %s with %s%s", way, cipher.name, s.name, ack.name),
				kit.Requirement(suite.requirements()...), func(ctx SpecContext) { suite.rekeysTwice(ctx) })
		}
	}
})

func (s rekeySuite) requirements() []string {
	all := append([]string{s.kekCipher.requires}, s.kekSignature.requires...)
	switch s.ack {
	case policy.AckKEKSHA256:
		all = append(all, "RFC8263-2.1-01")
	case policy.AckKEKSHA512:
		all = append(all, "RFC8263-2.3-01")
	}
	return all
}

// setup is a lab whose key server and members are configured for the suite.
func (s rekeySuite) setup() lab.Setup {
	GinkgoHelper()
	key, err := lab.SigningKey(s.key)
	kit.Precondition(err, "the test key can be read")
	return lab.Setup{
		KeyServer: func(c *policy.KeyServer) { c.SigningKey = key },
		Group: func(g *policy.Group) {
			if s.multicast {
				lab.Multicast(g)
			}
			g.Rekey.KEK, g.Rekey.SigHash, g.Rekey.SigForm, g.Rekey.Ack = s.transform, s.hash, s.form, s.ack
		},
		Member: func(i int, c *policy.Member) {
			hasty(i, c)
			c.Rekey = policy.MemberRekey{AcceptSHA1: s.hash == policy.SigHashSHA1, SignatureForm: s.form}
		},
	}
}

// rekeysTwice has traffic follow a rekey that brings another KEK, and one under that KEK.
func (s rekeySuite) rekeysTwice(ctx context.Context) {
	GinkgoHelper()
	l := carries(ctx, s.setup())
	next := kit.Rekey(ctx, l, control.RekeyArgs{})
	for i := range l.GM {
		Expect(kit.SwitchesTo(ctx, l, i+1, 2-i, next.SPIs[0])).To(BeTrue(), "member %d follows the rekey under the new KEK", i+1)
	}
	Expect(kit.Ping(ctx, l, 2, 1, 1).Received).To(Equal(1), "answers after the second rekey")
	if s.ack != policy.AckNone {
		Expect(l.Wait(ctx, lab.Patience, func() bool { return kekAcknowledged(ctx, l, next.Sequence) == len(l.GM) })).
			To(BeTrue(), "the key server has an acknowledgement of each member")
	}
}

// kekAcknowledged counts the members whose acknowledgement of that number the key server has.
func kekAcknowledged(ctx context.Context, l *lab.Lab, sequence uint32) (n int) {
	status, err := l.KS.KSStatus(ctx)
	if err != nil {
		return 0
	}
	for _, m := range status.Groups[0].Members {
		if m.Acked == sequence {
			n++
		}
	}
	return n
}

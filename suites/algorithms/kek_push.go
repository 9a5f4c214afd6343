package algorithms

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// kekPush is a rekey that a member has to drop.
type kekPush struct {
	what      string    // "drops a rekey " …
	requires  []rule.ID // the first is the one that the member names
	suite     rekeySuite
	deviation func(l *lab.Lab) tester.Deviation
}

var _ = Describe("Signatures and padding of rekeys at a member (RFC 6407 §5.3.6)", kit.Subject("algorithms"), kit.DUT(rule.GM), func() {
	for _, row := range slices.Concat(kekForged(), kekOtherForms(), kekCurves(), []kekPush{
		{"in 3DES that is encrypted with another key", []rule.ID{"RFC6407-4.4-01"}, kek3DES,
			func(l *lab.Lab) tester.Deviation { return tester.OtherKEK(kekInForce(l)) }},
		{"in 3DES with a block of 8 octets of padding too much", []rule.ID{"RFC2409-B-05"}, kek3DES,
			func(*lab.Lab) tester.Deviation { return tester.Padding(8) }},
	}) {
		var ids []string
		for _, id := range row.requires {
			ids = append(ids, string(id))
		}
		It("drops a rekey "+row.what, kit.Requirement(ids...), kit.Negative, func(ctx SpecContext) { row.dropped(ctx) })
	}
})

// kekSized are one signature of each algorithm and size.
func kekSized() []kekSignature {
	return append(kekSignatures()[:3], kekRSA(2048, policy.SigHashSHA256, policy.SigDigestInfo),
		kekRSA(3072, policy.SigHashSHA384, policy.SigDigestInfo), kekRSA(4096, policy.SigHashSHA512, policy.SigDigestInfo))
}

// kekForged are signatures that are none, of each algorithm.
func kekForged() (rows []kekPush) {
	for _, s := range kekSized() {
		suite := rekeySuite{kekCipher: kekCiphers[0], kekSignature: s}
		for _, wrong := range []struct {
			how    string
			change func([]byte) []byte
		}{
			{"is wrong in one bit", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }},
			{"lacks its last octet", func(b []byte) []byte { return b[:len(b)-1] }},
			{"is all zeros", func(b []byte) []byte { return make([]byte, len(b)) }},
		} {
			rows = append(rows, kekPush{"whose signature of " + s.name + " " + wrong.how, []rule.ID{"RFC6407-4.4-03"}, suite,
				func(*lab.Lab) tester.Deviation { return tester.EditSIG("a SIG that "+wrong.how, wrong.change) }})
		}
	}
	return rows
}

// kekOtherForms are right signatures, but with RSA of the other form or of another hash than the SAK's.
func kekOtherForms() (rows []kekPush) {
	for _, bits := range []int{2048, 3072, 4096} {
		usual, bare := kekRSA(bits, policy.SigHashSHA256, policy.SigDigestInfo), kekRSA(bits, policy.SigHashSHA256, policy.SigBareHash)
		rows = append(rows,
			kekPush{"signed with " + bare.name, []rule.ID{"RFC6407-4.4-03", "RFC6407-5.3.6.1-01"}, rekeySuite{kekCipher: kekCiphers[0], kekSignature: usual},
				kekSigned("without DigestInfo", usual.key, keymat.PushScheme{Hash: crypto.SHA256, Bare: true})},
			kekPush{"signed with " + usual.name + ", where it is configured for none without DigestInfo", []rule.ID{"RFC6407-4.4-03"},
				rekeySuite{kekCipher: kekCiphers[0], kekSignature: bare},
				kekSigned("with DigestInfo", usual.key, keymat.PushScheme{Hash: crypto.SHA256})})
	}
	for _, other := range []struct {
		name string
		hash crypto.Hash
	}{{"SHA-1", crypto.SHA1}, {"SHA-384", crypto.SHA384}, {"SHA-512", crypto.SHA512}} {
		rows = append(rows, kekPush{"signed with " + other.name + " where the SAK says SHA-256", []rule.ID{"RFC6407-4.4-03"}, kekPlain,
			kekSigned("with "+other.name, kekPlain.key, keymat.PushScheme{Hash: other.hash})})
	}
	return append(rows, kekPush{"signed with another curve's key", []rule.ID{"RFC6407-4.4-03", "RFC6407-5.3.6.4-01"}, kekP256,
		kekSigned("by P-384", "ks-p384", keymat.PushScheme{Hash: crypto.SHA384})})
}

// kekCurves are signatures of ECDSA whose r and s are right, but not put as they have to be.
func kekCurves() (rows []kekPush) {
	for _, c := range []struct {
		suite rekeySuite
		id    rule.ID
		hash  crypto.Hash
	}{{kekP256, "RFC6407-5.3.6.4-01", crypto.SHA256}, {kekP384, "RFC6407-5.3.6.5-01", crypto.SHA384}, {kekP521, "RFC6407-5.3.6.6-01", crypto.SHA512}} {
		requires, name := []rule.ID{"RFC6407-4.4-03", c.id}, c.suite.kekSignature.name
		rows = append(rows,
			kekPush{"whose signature of " + name + " has s before r", requires, c.suite, func(*lab.Lab) tester.Deviation {
				return tester.EditSIG("s before r", func(b []byte) []byte { return slices.Concat(b[len(b)/2:], b[:len(b)/2]) })
			}},
			kekPush{"whose signature of " + name + " is in DER", requires, c.suite,
				func(*lab.Lab) tester.Deviation {
					return tester.SignDER(kekPrivate(c.suite.key).(*ecdsa.PrivateKey), c.hash)
				}},
			kekPush{"whose signature of " + name + " is an octet too long in both of its numbers", requires, c.suite,
				func(*lab.Lab) tester.Deviation {
					return tester.SignWide(kekPrivate(c.suite.key).(*ecdsa.PrivateKey), c.hash)
				}})
	}
	return rows
}

// kekSigned is a signature of the message by a test key and another scheme.
func kekSigned(what, key string, scheme keymat.PushScheme) func(*lab.Lab) tester.Deviation {
	return func(*lab.Lab) tester.Deviation { return tester.SignAs(what, kekPrivate(key), scheme) }
}

// kekPrivate is one of the test keys.
func kekPrivate(name string) crypto.Signer {
	GinkgoHelper()
	der, err := lab.SigningKey(name)
	kit.Precondition(err, "the tester has the key "+name)
	key, err := policy.ParseSigningKey(der)
	kit.Precondition(err, "the tester reads the key "+name)
	return key
}

// kekInForce are the keys of the Rekey SA that the key server has logged last.
func kekInForce(l *lab.Lab) (entry keylog.Entry) {
	for _, k := range l.KS.Keys() {
		if k.Kind == keylog.KindRekey {
			entry = k
		}
	}
	return entry
}

// dropped has the member get the wrong rekey and then a right one, and take only that.
func (p kekPush) dropped(ctx context.Context) {
	GinkgoHelper()
	p.suite.ack = kit.Acknowledgement()
	l := kit.Up(ctx, p.suite.setup())
	named := p.requires[0]
	Expect(l.KS.Misbehave(tester.Taps(p.deviation(l)))).To(Succeed())
	kit.Rekey(ctx, l, control.RekeyArgs{}) // KS --> GM  HDR*, SEQ 1, SA, KD, SIG
	Expect(kit.AwaitRefusal(ctx, l, l.GM[0], named, 0, kit.Never)).
		To(BeTrue(), "the member says that it refused the message for %s", named)

	Expect(l.KS.Misbehave(nil)).To(Succeed())
	right := kit.Rekey(ctx, l, control.RekeyArgs{}) // KS --> GM  HDR*, SEQ 2, SA, KD, SIG
	followed := kit.Takes(ctx, l, 1, right)
	Expect(len(kit.Taken(ctx, l, 1, 0))).To(BeNumerically("<=", 1), "it takes nothing but the second rekey")
	kit.Control(followed, "it takes the next rekey, which is right")
}

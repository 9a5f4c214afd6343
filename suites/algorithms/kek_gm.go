package algorithms

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// kekRegistration is a registration with one thing that is not as the plainest one has it.
type kekRegistration struct {
	sentence    string
	requirement string // what the member names if it refuses, then what else the spec tests, with spaces between
	suite       rekeySuite
	deviation   tester.Deviation
}

// The suites from which the registrations deviate.
var (
	kekPlain = rekeySuite{kekCipher: kekCiphers[0], kekSignature: kekRSA(2048, policy.SigHashSHA256, policy.SigDigestInfo)}
	kekAES   = rekeySuite{kekCipher: kekCiphers[2], kekSignature: kekPlain.kekSignature}
	kek3DES  = rekeySuite{kekCipher: kekCiphers[3], kekSignature: kekPlain.kekSignature}
	kekP256  = rekeySuite{kekCipher: kekCiphers[0], kekSignature: kekSignatures()[0]}
	kekP384  = rekeySuite{kekCipher: kekCiphers[0], kekSignature: kekSignatures()[1]}
	kekP521  = rekeySuite{kekCipher: kekCiphers[0], kekSignature: kekSignatures()[2]}
	kekSmall = rekeySuite{kekCipher: kekCiphers[3], kekSignature: kekP256.kekSignature}
)

var _ = Describe("The algorithms of a SAK at a member (RFC 6407 §5.3)", kit.Subject("algorithms"), kit.DUT(rule.GM), func() {
	for _, row := range append(kekRefusals, kekKeyRefusals()...) {
		It(row.sentence, kit.Requirement(strings.Fields(row.requirement)...), kit.Negative, func(ctx SpecContext) { row.refused(ctx) })
	}

	for _, row := range []kekRegistration{
		{"takes 3DES without a key length", "RFC6407-5.3.3-03", kek3DES, kekSAKWithout(gdoi.KEKKeyLength)},
		{"takes 3DES with a key length of 192 bits", "RFC6407-5.3.3-02", kek3DES, kekSAKWith("KEK_KEY_LENGTH 192", wire.TV(gdoi.KEKKeyLength, 192))},
		{"takes ECDSA-256 without a hash, and means SHA-256", "RFC6407-5.3.5-01 RFC6407-8.1-01", kekP256, kekSAKWithout(gdoi.SigHashAlgorithm)},
		{"takes ECDSA-384 without a hash, and means SHA-384", "RFC6407-5.3.5-01 RFC6407-8.1-01", kekP384, kekSAKWithout(gdoi.SigHashAlgorithm)},
		{"takes ECDSA-521 without a hash, and means SHA-512", "RFC6407-5.3.5-01 RFC6407-8.1-01", kekP521, kekSAKWithout(gdoi.SigHashAlgorithm)},
		{"takes a SAK that names 3DES and ECDSA-256 and nothing else", "RFC6407-5.3-10 RFC6407-5.3.3-03 RFC6407-5.3.5-01", kekSmall,
			kekSAKOf(gdoi.KEKAlgorithm, gdoi.SigAlgorithm)},
		{"follows a group that asks for acknowledgements keyed by LKH with SHA-256", "RFC8263-4-02", kekPlain,
			kekSAKWith("KEK_ACK_REQUESTED 2", wire.TV(gdoi.KEKAckRequested, 2))},
		{"follows a group that asks for acknowledgements keyed by LKH with SHA-512", "RFC8263-4-02", kekPlain,
			kekSAKWith("KEK_ACK_REQUESTED 4", wire.TV(gdoi.KEKAckRequested, 4))},
	} {
		It(row.sentence, kit.Requirement(strings.Fields(row.requirement)...), func(ctx SpecContext) { row.taken(ctx) })
	}
})

var kekRefusals = []kekRegistration{
	kekUnsupported("cipher 0", kekPlain, wire.TV(gdoi.KEKAlgorithm, 0)),
	kekUnsupported("DES as cipher", kekPlain, wire.TV(gdoi.KEKAlgorithm, 1)),
	kekUnsupported("the unassigned cipher 4", kekPlain, wire.TV(gdoi.KEKAlgorithm, 4)),
	kekUnsupported("DSS signatures", kekPlain, wire.TV(gdoi.SigAlgorithm, 2)),
	kekUnsupported("ECDSS signatures", kekPlain, wire.TV(gdoi.SigAlgorithm, 3)),
	kekUnsupported("the unassigned signature algorithm 7", kekPlain, wire.TV(gdoi.SigAlgorithm, 7)),
	kekUnsupported("signatures with MD5", kekPlain, wire.TV(gdoi.SigHashAlgorithm, 1)),
	kekUnsupported("signatures with SHA-1, unless it is configured for them", kekPlain, wire.TV(gdoi.SigHashAlgorithm, 2)),
	kekUnsupported("signatures with the unassigned hash 6", kekPlain, wire.TV(gdoi.SigHashAlgorithm, 6)),
	kekUnsupported("ECDSA-256 with SHA-384", kekP256, wire.TV(gdoi.SigHashAlgorithm, 4)),
	kekUnsupported("ECDSA-384 with SHA-512", kekP384, wire.TV(gdoi.SigHashAlgorithm, 5)),
	kekUnsupported("ECDSA-521 with SHA-1", kekP521, wire.TV(gdoi.SigHashAlgorithm, 2)),

	{"refuses AES-256 without a key length", "RFC6407-5.3.3-01", kekAES, kekSAKWithout(gdoi.KEKKeyLength)},
	kekLength("AES with a key length of 0 bits", kekAES, 0),
	kekLength("AES with a key length of 512 bits", kekAES, 512),
	kekLength("3DES with a key length of 64 bits", kek3DES, 64),
	kekLength("3DES with a key length of 168 bits", kek3DES, 168),

	kekKeyLength("an RSA key of 2048 bits that the SAK calls one of 4096", kekPlain, 4096),
	kekKeyLength("a P-384 key that the SAK calls one of 256 bits", kekP384, 256),
	kekKeyLength("a P-521 key that the SAK calls one of 528 bits", kekP521, 528),
	{"refuses an ECDSA key where the SAK says RSA", "RFC6407-5.6.2.2-01", kekP256, kekSAKWith("SIG_ALGORITHM 1", wire.TV(gdoi.SigAlgorithm, 1))},
	{"refuses a P-256 key where the SAK says ECDSA-384", "RFC6407-5.6.2.2-01 RFC6407-5.3.6.5-01", kekP256,
		tester.EditSAK(core.Pull2, "SIG_ALGORITHM 5 and SHA-384", func(s *gdoi.SAK) {
			s.Attributes = tester.SetAttribute(s.Attributes, wire.TV(gdoi.SigAlgorithm, 5))
			s.Attributes = tester.SetAttribute(s.Attributes, wire.TV(gdoi.SigHashAlgorithm, 4))
		})},
	{"refuses an RSA key where the SAK says ECDSA-256", "RFC6407-5.6.2.2-01 RFC6407-5.3.6.4-01", kekPlain,
		kekSAKWith("SIG_ALGORITHM 4", wire.TV(gdoi.SigAlgorithm, 4))},

	kekTwoAlike("the first two", 0, 1), kekTwoAlike("the last two", 1, 2), kekTwoAlike("the first and the last", 0, 2),
}

// kekUnsupported is a SAK that names something which the member has not got.
func kekUnsupported(what string, suite rekeySuite, a wire.Attribute) kekRegistration {
	return kekRegistration{"refuses " + what, "RFC6407-5.3.2-01", suite, kekSAKWith(what, a)}
}

func kekLength(what string, suite rekeySuite, bits uint16) kekRegistration {
	return kekRegistration{"refuses " + what, "RFC6407-5.3.3-02", suite, kekSAKWith(what, wire.TV(gdoi.KEKKeyLength, bits))}
}

func kekKeyLength(what string, suite rekeySuite, bits uint16) kekRegistration {
	return kekRegistration{"refuses " + what, "RFC6407-5.3.7-01", suite, kekSAKWith(what, wire.TV(gdoi.SigKeyLength, bits))}
}

// kekTwoAlike is a key of 3DES in which two of the three are the same.
func kekTwoAlike(which string, from, to int) kekRegistration {
	const iv, part = 8, 8
	what := "a key of 3DES of which " + which + " of its three keys are the same"
	return kekRegistration{"refuses " + what, "RFC6407-5.3.2.2-01", kek3DES, kekMaterial(what, func(b []byte) []byte {
		copy(b[iv+part*to:iv+part*(to+1)], b[iv+part*from:])
		return b
	})}
}

// kekKeyRefusals are keys that are not as long as those of their cipher.
func kekKeyRefusals() (rows []kekRegistration) {
	for _, c := range kekCiphers {
		suite := rekeySuite{kekCipher: c, kekSignature: kekPlain.kekSignature}
		for _, wrong := range []struct {
			how    string
			change func([]byte) []byte
		}{
			{"that lacks an octet", func(b []byte) []byte { return b[1:] }},
			{"with an octet too many", func(b []byte) []byte { return append(b, 0) }},
			{"without the IV before it", func(b []byte) []byte { return b[len(b)-c.transform.KeyBits/8:] }},
		} {
			what := fmt.Sprintf("a KEK of %s %s", c.name, wrong.how)
			rows = append(rows, kekRegistration{"refuses " + what, "RFC6407-5.6.2.1-01", suite, kekMaterial(what, wrong.change)})
		}
	}
	return rows
}

// kekMaterial changes KEK_ALGORITHM_KEY, IV and key.
func kekMaterial(what string, change func([]byte) []byte) tester.Deviation {
	return tester.EditKeys(core.Pull4, gdoi.KDTypeKEK, what, func(p *gdoi.KeyPacket) {
		for i, a := range p.Attributes {
			if a.Type == gdoi.KEKAlgorithmKey {
				p.Attributes[i].Value = change(bytes.Clone(a.Value))
			}
		}
	})
}

// kekSAKWith has the SAK say that attribute.
func kekSAKWith(what string, a wire.Attribute) tester.Deviation {
	return tester.EditSAK(core.Pull2, what, func(s *gdoi.SAK) { s.Attributes = tester.SetAttribute(s.Attributes, a) })
}

// kekSAKWithout has the SAK lack an attribute.
func kekSAKWithout(a gdoi.KEKAttribute) tester.Deviation {
	return tester.EditSAK(core.Pull2, "no "+a.String(), func(s *gdoi.SAK) { s.Attributes = tester.RemoveAttribute(s.Attributes, uint16(a)) })
}

// kekSAKOf has the SAK have these attributes and no others.
func kekSAKOf(numbers ...uint16) tester.Deviation {
	return tester.EditSAK(core.Pull2, "the least that there can be", func(s *gdoi.SAK) {
		var least []wire.Attribute
		for _, a := range s.Attributes {
			if slices.Contains(numbers, a.Type) {
				least = append(least, a)
			}
		}
		s.Attributes = least
	})
}

// refused has the member meet the deviation in its first registration. It begins another, which is right, and takes that.
func (r kekRegistration) refused(ctx context.Context) {
	GinkgoHelper()
	l := kit.Lab(ctx, r.suite.setup())
	Expect(l.KS.Misbehave(tester.Taps(tester.Once(r.deviation)))).To(Succeed())
	kit.Precondition(l.KS.Start(ctx), "the key server starts")
	kit.Precondition(l.GM[0].Start(ctx), "the member starts")
	registered := l.GM[0].AwaitRegistered(ctx) == nil
	id := rule.ID(strings.Fields(r.requirement)[0])
	Expect(kekPulls(l)).To(Equal(2), "the member registers anew instead of taking %s", r.deviation.Name)
	kit.ExpectRefused(ctx, l.GM[0], id, BeNumerically(">", 0), "it counts a refusal for %s", id)
	kit.Control(registered, "the unaltered registration is accepted")
	Expect(l.GM[0].Registrations()).To(Equal(1), "and it is the only one")
}

// kekPulls counts the registrations that gm1 has begun, by their Message IDs.
func kekPulls(l *lab.Lab) int {
	ids := make(map[uint32]bool)
	for _, f := range kit.WANSince(l, 0) {
		if h, ok := kekHeader(f, l.GM[0]); ok && h.Exchange == isakmp.ExchangePull {
			ids[h.MessageID] = true
		}
	}
	return len(ids)
}

// kekHeader is the header of a message of key management that the peer has sent.
func kekHeader(f capture.Frame, from *lab.Peer) (isakmp.Header, bool) {
	ip, ok := lab.ParseIPv4(f.Packet)
	if !ok || ip.Source != from.Addr().Addr() {
		return isakmp.Header{}, false
	}
	_, _, data, ok := ip.UDP()
	h, err := isakmp.ParseHeader(data)
	return h, ok && err == nil
}

// taken has the member register with the deviation, and follow a rekey.
func (r kekRegistration) taken(ctx context.Context) {
	GinkgoHelper()
	l := kit.Lab(ctx, r.suite.setup())
	Expect(l.KS.Misbehave(tester.Taps(r.deviation))).To(Succeed())
	Expect(l.Up(ctx)).To(Succeed(), "the member registers")
	Expect(kekPulls(l)).To(Equal(1), "it needs no second registration")
	Expect(kit.Takes(ctx, l, 1, kit.Rekey(ctx, l, control.RekeyArgs{}))).To(BeTrue(), "it follows a rekey")
}

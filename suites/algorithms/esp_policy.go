package algorithms

import (
	"bytes"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("SAT and TEK of each transform at a member (RFC 2407 §4.5, RFC 6407 §5.6.1)", kit.Subject("algorithms"), kit.DUT(rule.GM), func() {
	auth := func(n uint16) wire.Attribute { return wire.TV(gdoi.AuthAlgorithm, n) }
	bits := func(n uint16) wire.Attribute { return wire.TV(gdoi.KeyLength, n) }
	cipherKey := func(octets int) wire.Attribute { return wire.TLV(gdoi.TEKAlgorithmKey, make([]byte, octets)) }
	desKeys := func(parts ...byte) wire.Attribute {
		var key []byte
		for _, p := range parts {
			key = append(key, bytes.Repeat([]byte{p}, 8)...)
		}
		return wire.TLV(gdoi.TEKAlgorithmKey, key)
	}
	macKey := func(octets int) wire.Attribute { return wire.TLV(gdoi.TEKIntegrityKey, make([]byte, octets)) }

	for _, c := range []struct {
		sentence, transform string
		requirement         string // what the message breaks, then what else the spec tests, with spaces between
		deviation           tester.Deviation
	}{
		{"refuses 3DES with a key length", "3des-hmac-sha1", "RFC2407-4.5-06", satWith("Key Length 192", bits(192))},
		{"refuses NULL with a key length", "null-hmac-sha256", "RFC2407-4.5-06", satWith("Key Length 128", bits(128))},
		{"refuses AES-CBC with HMAC-SHA-512 and without key length", "aes256-cbc-hmac-sha512", "RFC2407-4.5-06", satWithout(gdoi.KeyLength)},
		{"refuses AES-GCM with an ICV of 8 octets and without key length", "aes128-gcm8", "RFC4106-8.4-01", satWithout(gdoi.KeyLength)},
		{"refuses AES-GCM with an ICV of 12 octets and a length that its keys do not have", "aes128-gcm12", "RFC4106-8.4-01",
			satWith("Key Length 160", bits(160))},
		{"refuses GMAC without key length", "aes128-gmac", "RFC4543-5.3-01 RFC2407-4.5-06", satWithout(gdoi.KeyLength)},
		{"refuses GMAC with a length that its keys do not have", "aes128-gmac", "RFC4543-5.3-01", satWith("Key Length 100", bits(100))},
		{"refuses GMAC with an integrity algorithm", "aes128-gmac", "RFC4543-3-01 RFC2407-4.5-04", satWith("Authentication Algorithm 5", auth(5))},
		{"refuses AES-GCM with an ICV of 8 octets and an integrity algorithm", "aes128-gcm8", "RFC2407-4.5-04",
			satWith("Authentication Algorithm 2", auth(2))},
		{"refuses NULL without an integrity algorithm, which would be nothing at all", "null-hmac-sha256", "RFC4303-3.2-01 RFC2407-4.5-05",
			satWithout(gdoi.AuthAlgorithm)},
		{"refuses 3DES without an integrity algorithm", "3des-hmac-sha1", "RFC2407-4.5.3-01 RFC6407-5.5.1-12", satWithout(gdoi.AuthAlgorithm)},
		{"refuses NULL with an integrity algorithm that nobody knows", "null-hmac-sha256", "RFC2407-4.5.3-01",
			satWith("Authentication Algorithm 200", auth(200))},
		{"refuses KPDK as integrity algorithm", "aes128-cbc-hmac-sha256", "RFC2407-4.5.3-01", satWith("Authentication Algorithm 4", auth(4))},
		{"refuses sequence numbers of a length that nobody knows", "aes128-gcm16", "RFC2407-4.5.3-01",
			satWith("Extended Sequence Number 2", wire.TV(gdoi.ExtendedSequenceNumber, 2))},
		{"refuses AES-CCM, which it does not support", "aes128-gcm16", "RFC2407-4.5.3-01",
			tester.EditSAT(core.Pull2, "Transform ID 16", func(s *gdoi.SAT) { s.ESP.TransformID = 16 })},

		{"refuses a 3DES key of two keys", "3des-hmac-sha1", "RFC6407-5.6.1.1-01", keyWith("a key of 16 octets", cipherKey(16))},
		{"refuses a 3DES key of four keys", "3des-hmac-sha1", "RFC6407-5.6.1.1-01", keyWith("a key of 32 octets", cipherKey(32))},
		{"refuses a 3DES key that begins with the same key twice", "3des-hmac-sha1", "RFC2451-2.3-01", keyWith("two equal keys in front", desKeys(1, 1, 2))},
		{"refuses a 3DES key that ends with the same key twice", "3des-hmac-sha1", "RFC2451-2.3-01", keyWith("two equal keys behind", desKeys(1, 2, 2))},
		{"refuses a 3DES key whose first two keys differ in parity alone", "3des-hmac-sha1", "RFC2451-2.3-01",
			keyWith("keys that differ in parity", desKeys(2, 3, 4))},
		{"refuses a cipher key for NULL", "null-hmac-sha256", "RFC6407-5.6.1-01", keyWith("a cipher key", cipherKey(16))},
		{"refuses a TEK packet of NULL without its one key", "null-hmac-sha256", "RFC6407-5.6.1-01", keyWithout(gdoi.TEKIntegrityKey)},
		{"refuses a GMAC key without salt", "aes128-gmac", "RFC4543-5.4-01 RFC6407-5.6.1-04", keyWith("a key of 16 octets", cipherKey(16))},
		{"refuses a GMAC key that is longer than the SAT says", "aes128-gmac", "RFC4543-5.4-01", keyWith("a key of 36 octets", cipherKey(36))},
		{"refuses an integrity key for GMAC", "aes128-gmac", "RFC6407-5.6.1-01", keyWith("an integrity key", macKey(32))},
		{"refuses a key without salt for AES-GCM with an ICV of 8 octets", "aes128-gcm8", "RFC4106-8.1-01", keyWith("a key of 16 octets", cipherKey(16))},
		{"refuses a key without salt for AES-GCM with an ICV of 12 octets", "aes256-gcm12", "RFC4106-8.1-01", keyWith("a key of 32 octets", cipherKey(32))},
		{"refuses a key of AES-CBC with 192 bits that has 256", "aes192-cbc-hmac-sha256", "RFC6407-5.6.1-04", keyWith("a key of 32 octets", cipherKey(32))},
		{"refuses a key of HMAC-SHA-1 with 16 octets", "null-hmac-sha1", "RFC2404-3-01 RFC6407-5.6.1.2-01", keyWith("16 octets", macKey(16))},
		{"refuses a key of HMAC-SHA-1 with 32 octets", "3des-hmac-sha1", "RFC2404-3-01 RFC6407-5.6.1.2-01", keyWith("32 octets", macKey(32))},
		{"refuses a key of HMAC-SHA-384 with 32 octets", "null-hmac-sha384", "RFC4868-2.1.1-01", keyWith("32 octets", macKey(32))},
		{"refuses a key of HMAC-SHA-512 with 32 octets", "aes256-cbc-hmac-sha512", "RFC4868-2.1.1-01", keyWith("32 octets", macKey(32))},
		{"refuses a key of HMAC-SHA-512 with a whole block", "null-hmac-sha512", "RFC4868-2.1.1-01", keyWith("128 octets", macKey(128))},
	} {
		ids := strings.Fields(c.requirement)
		It(c.sentence, kit.Requirement(ids...), kit.Negative, func(ctx SpecContext) {
			refuses(ctx, withTransform(inTunnel(named(c.transform))), c.deviation, rule.ID(ids[0]))
		})
	}
})

// satWith has the SAT of message 2 say that attribute.
func satWith(what string, a wire.Attribute) tester.Deviation {
	return tester.EditSAT(core.Pull2, what, func(s *gdoi.SAT) { s.ESP.Attributes = tester.SetAttribute(s.ESP.Attributes, a) })
}

// satWithout has it lack an attribute.
func satWithout(a gdoi.SAAttribute) tester.Deviation {
	return tester.EditSAT(core.Pull2, "no "+a.String(), func(s *gdoi.SAT) {
		s.ESP.Attributes = tester.RemoveAttribute(s.ESP.Attributes, uint16(a))
	})
}

// keyWith has the TEK packet of message 4 say that attribute.
func keyWith(what string, a wire.Attribute) tester.Deviation {
	return tester.EditKeys(core.Pull4, gdoi.KDTypeTEK, what, func(p *gdoi.KeyPacket) { p.Attributes = tester.SetAttribute(p.Attributes, a) })
}

// keyWithout has it lack an attribute.
func keyWithout(a gdoi.TEKKeyAttribute) tester.Deviation {
	return tester.EditKeys(core.Pull4, gdoi.KDTypeTEK, "no "+a.String(), func(p *gdoi.KeyPacket) {
		p.Attributes = tester.RemoveAttribute(p.Attributes, uint16(a))
	})
}

// hasty has members give up soon and try again soon, if they can be told so.
func hasty(i int, c *policy.Member) {
	kit.Hurry(i, c, 100*time.Millisecond, 200*time.Millisecond)
	kit.GivesUp(i, c, 2)
}

// refuses has the device meet the deviation in its first registration. It is refused if that leads to nothing: the device
// begins another, which is right, and sends under the keys of that one only.
func refuses(ctx SpecContext, group func(*policy.Group), d tester.Deviation, id rule.ID) {
	GinkgoHelper()
	l := kit.Lab(ctx, lab.Setup{Members: 2, Hosts: true, Group: group, Member: hasty})
	kit.Precondition(l.KS.Misbehave(tester.Taps(tester.Once(d))), "the tester deviates")
	kit.Precondition(l.KS.Start(ctx), "the key server starts")
	kit.Precondition(l.GM[0].Start(ctx), "the device starts")
	begun := func() []capture.Message { return newMessages(l, core.Pull1) }
	l.Wait(ctx, lab.Patience, func() bool { return len(begun()) > 1 || l.GM[0].Registered(ctx) })
	Expect(begun()).To(HaveLen(2), "the device registers anew instead of taking a message with %s", d.Name)
	kit.ExpectRefused(ctx, l.GM[0], id, BeNumerically(">", 0), "it counts a refusal for %s", id)
	registered := l.GM[0].AwaitRegistered(ctx) == nil
	kit.Control(registered && kit.SendingSPI(ctx, l, 1, 2) != 0, "the unaltered registration is accepted")
	Expect(l.GM[0].Registrations()).To(Equal(1), "and it is the only one")
}

// newMessages returns what has crossed the WAN of that kind, repeats left out.
func newMessages(l *lab.Lab, kind core.Kind) (all []capture.Message) {
	for _, m := range kit.MessagesSince(l, 0, kind.String()) {
		if m.Repeats == 0 {
			all = append(all, m)
		}
	}
	return all
}

package algorithms

import (
	"fmt"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// What a key server owes in the SAT and the keys of each part of a transform.
var (
	satRequirements = map[policy.Cipher][]string{
		policy.CipherAESGCM16: {"RFC4106-8.3-01", "RFC4106-8.4-01", "RFC4106-8.1-01", "RFC2407-4.5-04", "RFC2407-4.5-06"},
		policy.CipherAESGCM12: {"RFC4106-8.3-01", "RFC4106-8.4-01", "RFC4106-8.1-01", "RFC2407-4.5-04", "RFC2407-4.5-06"},
		policy.CipherAESGCM8:  {"RFC4106-8.3-01", "RFC4106-8.4-01", "RFC4106-8.1-01", "RFC2407-4.5-04", "RFC2407-4.5-06"},
		policy.CipherGMAC:     {"RFC4543-3-01", "RFC4543-5.3-01", "RFC4543-5.4-01", "RFC2407-4.5-06"},
		policy.CipherAESCBC:   {"RFC3602-5.3-01", "RFC2407-4.5-06", "RFC6407-5.6.1-04"},
		policy.Cipher3DES:     {"RFC2407-4.5-06", "RFC6407-5.6.1.1-01", "RFC2451-2.2-01", "RFC2451-2.3-01"},
		policy.CipherNULL:     {"RFC2407-4.5-05", "RFC2407-4.5-06", "RFC6407-5.6.1-01", "RFC2407-4.4.4.11-01"},
	}
	keyRequirements = map[policy.Integrity][]string{
		policy.IntegrityHMACSHA1:   {"RFC2404-3-01", "RFC6407-5.6.1.2-01"},
		policy.IntegrityHMACSHA256: {"RFC4868-2.1.1-01", "RFC6407-5.6.1.2-01"},
		policy.IntegrityHMACSHA384: {"RFC4868-2.1.1-01", "RFC6407-5.6.1.2-01"},
		policy.IntegrityHMACSHA512: {"RFC4868-2.1.1-01", "RFC6407-5.6.1.2-01"},
	}
)

// transformIDs are the numbers of the registry (RFC 2407 §4.4.4 and its successors), once more.
var transformIDs = map[policy.Cipher]string{policy.Cipher3DES: "ESP_3DES (3)", policy.CipherNULL: "ESP_NULL (11)",
	policy.CipherAESCBC: "ESP_AES-CBC (12)", policy.CipherAESGCM8: "ESP_AES-GCM_8 (18)", policy.CipherAESGCM12: "ESP_AES-GCM_12 (19)",
	policy.CipherAESGCM16: "ESP_AES-GCM_16 (20)", policy.CipherGMAC: "ESP_NULL_AUTH_AES-GMAC (23)"}

// authAlgorithms are those of Authentication Algorithm (RFC 2407 §4.5, RFC 4868 §2.6).
var authAlgorithms = map[policy.Integrity]string{policy.IntegrityNone: "", policy.IntegrityHMACSHA1: "HMAC-SHA1 (2)",
	policy.IntegrityHMACSHA256: "HMAC-SHA2-256 (5)", policy.IntegrityHMACSHA384: "HMAC-SHA2-384 (6)", policy.IntegrityHMACSHA512: "HMAC-SHA2-512 (7)"}

var _ = Describe("SAT and TEK of each transform at a key server (RFC 2407 §4.5, RFC 6407 §5.6.1)", kit.Subject("algorithms"), kit.DUT(rule.KS), func() {
	for _, t := range policy.Transforms() {
		for _, esn := range []bool{false, true} {
			name, ids := t.Name(), append([]string{"RFC6407-5.5.1-07", "RFC6407-5.6.1-01"}, satRequirements[t.Cipher]...)
			ids = append(ids, keyRequirements[t.Integrity]...)
			if esn {
				name, ids = name+" with extended sequence numbers", append(ids, "RFC4303-2.2.1-02")
			}
			It(fmt.Sprintf("says what a member has to know of %s, and gives keys of its lengths", name), kit.Requirement(ids...), kit.Exhaustive,
				func(ctx SpecContext) {
					transform := inTunnel(t)
					transform.ESN = esn
					l := kit.Lab(ctx, lab.Setup{Group: withTransform(transform), Member: windowed})
					kit.Precondition(l.KS.Start(ctx), "the key server starts")
					kit.Precondition(l.GM[0].Start(ctx), "the member starts")
					judgeSAT(answered(ctx, l, core.Pull2), transform)
					judgeKeys(answered(ctx, l, core.Pull4), transform)
				})
		}
	}
})

// answered waits for a message of the key server.
func answered(ctx SpecContext, l *lab.Lab, kind core.Kind) capture.Message {
	GinkgoHelper()
	Expect(l.Wait(ctx, lab.Patience, func() bool { return len(newMessages(l, kind)) > 0 })).To(BeTrue(), "the key server sends %s", kind)
	return newMessages(l, kind)[0]
}

func judgeSAT(m capture.Message, t policy.Transform) {
	GinkgoHelper()
	bits, esn := "", ""
	if t.KeyBits > 0 {
		bits = strconv.Itoa(t.KeyBits)
	}
	if t.ESN {
		esn = "64-bit (1)"
	}
	for name, want := range map[string]string{
		"Transform ID":                      transformIDs[t.Cipher],
		"Key Length":                        bits,
		"Authentication Algorithm":          authAlgorithms[t.Integrity],
		"Extended (64-bit) Sequence Number": esn,
	} {
		Expect(kit.Value(m, "SA/SAT/"+name)).To(Equal(want), name)
	}
}

// judgeKeys demands that the keys of the SA are there, once each, in their lengths.
func judgeKeys(m capture.Message, t policy.Transform) {
	GinkgoHelper()
	packet, ok := kit.Field(m, "KD/Key Packet TEK")
	Expect(ok).To(BeTrue(), "there is a TEK packet")
	keys := map[string]int{}
	for _, f := range packet.Children {
		if f.Name != "SPI" {
			keys[f.Name] = len(f.Value) / 2
		}
	}
	want := map[string]int{}
	if n := t.CipherKeyLen(); n > 0 {
		want["TEK_ALGORITHM_KEY"] = n
	}
	if n := t.IntegrityKeyLen(); n > 0 {
		want["TEK_INTEGRITY_KEY"] = n
	}
	Expect(keys).To(Equal(want), "octets of the keys")
	if key := kit.Value(m, "KD/Key Packet TEK/TEK_ALGORITHM_KEY"); t.Cipher == policy.Cipher3DES {
		one, two, three := key[:16], key[16:32], key[32:]
		Expect(one != two && two != three).To(BeTrue(), "no key of 3DES is that before it")
	}
}

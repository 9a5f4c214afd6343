package registration

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// Where the keys are in a KD.
const (
	ksTEK = "KD/Key Packet TEK"
	ksKEK = "KD/Key Packet KEK"
	ksSID = "KD/Key Packet SID"

	ksKDHead = 8 // octets of a KD before its key packets (RFC 6407 §5.6)
)

var _ = Describe("SEQ and KD of a key server (RFC 6407 §5.6, §5.7)", kit.Subject("registration"), kit.DUT(rule.KS), func() {
	ksFourthOwes([]ksDuty{
		{"sends SEQ before KD where there are rekeys", "RFC6407-3.2-13 RFC6407-3.4-04 RFC6407-3.2-01", nil, ksMessage4("HASH", "SEQ", "KD")},
		{"sends no SEQ where there are no rekeys", "RFC6407-3.2-13 RFC6407-3.2-01", withoutRekey, ksMessage4("HASH", "KD")},
		{"sends a SEQ of 8 octets with 0 before any rekey", "RFC6407-5.7-01 RFC6407-3.2-14 RFC6407-5.7-03", nil,
			ksEach(ksOctets("SEQ", 8), ksHas("SEQ", "0"))},
		{"says how many key packets a KD has", "RFC6407-5.6-01", ksRich, ksCounted},
		{"sends a KD whose reserved fields are 0", "RFC6407-5.6-01", ksRich,
			ksEach(ksReserved("KD", 1), ksReserved("KD", 2), ksReserved(ksTEK, 1), ksReserved(ksKEK, 1), ksReserved(ksSID, 1))},
		{"sends key packets that fill the KD to its end", "RFC6407-5.6-02", ksRich, ksPacked},
		{"gives a KEK packet the SPI of the SAK", "RFC6407-5.6-03", ksRich, ksSameSPIs(ksKEK, "SA/SAK")},
		{"gives a TEK packet the SPI of its SAT", "RFC6407-5.6-03", ksRich, ksSameSPIs(ksTEK, "SA/SAT")},
		{"sends a TEK packet for each SAT and a KEK packet for the SAK", "RFC6407-3.2-18", ksRich, func(m capture.Message) {
			Expect(ksAll(m, ksTEK)).To(HaveLen(len(ksAll(m, "SA/SAT"))))
			Expect(ksAll(m, ksKEK)).To(HaveLen(1))
		}},
		{"sends only TEK packets where there are no rekeys", "RFC6407-3.2-18", ksTEKOnly, func(m capture.Message) {
			Expect(ksAll(m, ksTEK)).To(HaveLen(len(ksAll(m, "SA/SAT"))))
			Expect(ksAll(m, ksKEK)).To(BeEmpty())
		}},
		{"sends only a KEK packet where there are no Data-Security SAs", "RFC6407-3.2-18 RFC6407-5.6.1-02", ksKEKOnly, func(m capture.Message) {
			Expect(ksAll(m, ksTEK)).To(BeEmpty())
			Expect(ksAll(m, ksKEK)).To(HaveLen(1))
		}},

		{"sends one cipher key and nothing else for AES-GCM", "RFC6407-5.6.1-01", nil, ksKeys(ksTEK, "TEK_ALGORITHM_KEY")},
		{"sends one cipher key and one integrity key for AES-CBC", "RFC6407-5.6.1-01", withCBC,
			ksKeys(ksTEK, "TEK_ALGORITHM_KEY", "TEK_INTEGRITY_KEY")},
		{"sends an integrity key of 32 octets for HMAC-SHA-256", "RFC4868-2.1.1-01 RFC6407-5.6.1.2-01", withCBC,
			ksOctets(ksTEK+"/TEK_INTEGRITY_KEY", ksAttribute+32)},
		{"gives each SA with a counter mode a key of its own", "RFC6407-3.5-05", ksRich, func(m capture.Message) {
			keys := ksValues(m, ksTEK+"/TEK_ALGORITHM_KEY")
			Expect(keys).To(HaveLen(2))
			Expect(keys[0]).NotTo(Equal(keys[1]))
		}},
		{"gives each SA with AES-GCM a salt of its own", "RFC4106-4-02 RFC4106-8.1-01", ksRich, func(m capture.Message) {
			keys := ksValues(m, ksTEK+"/TEK_ALGORITHM_KEY")
			Expect(keys).To(HaveLen(2))
			Expect(keys[0][2*16:]).NotTo(Equal(keys[1][2*16:]), "the octets behind those of the cipher key")
		}},

		{"sends at most one KEK packet", "RFC6407-5.6.2-03", nil, func(m capture.Message) { Expect(ksAll(m, ksKEK)).To(HaveLen(1)) }},
		{"sends one cipher key and one public key in a KEK packet", "RFC6407-5.6.2-01", nil,
			ksKeys(ksKEK, "KEK_ALGORITHM_KEY", "SIG_ALGORITHM_KEY")},
		{"sends an IV and a key of 16 octets each as KEK", "RFC6407-5.6.2.1-01 RFC6407-5.6.2-02 RFC6407-5.3.3-01", nil,
			ksOctets(ksKEK+"/KEK_ALGORITHM_KEY", ksAttribute+16+16)},
		{"names the length of the signing key that it gives", "RFC6407-5.3.7-01", nil, func(m capture.Message) {
			der, err := hex.DecodeString(kit.Value(m, ksKEK+"/SIG_ALGORITHM_KEY"))
			Expect(err).NotTo(HaveOccurred())
			key, err := x509.ParsePKIXPublicKey(der)
			Expect(err).NotTo(HaveOccurred())
			Expect(key).To(BeAssignableToTypeOf(&rsa.PublicKey{}))
			ksHas("SA/SAK/SIG_KEY_LENGTH", strconv.Itoa(key.(*rsa.PublicKey).N.BitLen()))(m)
		}},

		{"sends a SID packet with the keys of a counter mode", "RFC6407-5.6.4.4-01 RFC6407-3.4-06 RFC6407-5.6.4.1-01", nil,
			ksKeys(ksSID, "NUMBER_OF_SID_BITS", "SID_VALUE")},
		{"sends a SID packet without SPI", "RFC6407-5.6.4-01", nil, ksLacks(ksSID, "SPI")},
		{"sends one SID for all SAs to a member that asks for none", "RFC6407-3.5-02 RFC6054-4-01 RFC6054-4-06", ksRich, func(m capture.Message) {
			Expect(ksAll(m, ksSID+"/SID_VALUE")).To(HaveLen(1))
		}},
	})

	for _, bits := range []int{128, 192, 256} {
		octets := bits / 8
		ksFourthOwes([]ksDuty{
			{"sends key and salt of AES-GCM with " + strconv.Itoa(bits) + " bits", "RFC4106-8.1-01 RFC6407-5.6.1-04", ksWith(lab.GCM(), bits),
				ksOctets(ksTEK+"/TEK_ALGORITHM_KEY", ksAttribute+octets+4)},
			{"sends the key of AES-CBC with " + strconv.Itoa(bits) + " bits", "RFC6407-5.6.1-04 RFC6407-5.6.1.1-01", ksWith(lab.CBC(), bits),
				ksOctets(ksTEK+"/TEK_ALGORITHM_KEY", ksAttribute+octets)},
		})
	}

	for _, bits := range []int{8, 12, 16} {
		ksFourthOwes([]ksDuty{{"says that SIDs have " + strconv.Itoa(bits) + " bits", "RFC6407-5.6.4.1-01 RFC6054-3-06 RFC6054-3-05",
			func(g *policy.Group) { g.SIDBits = bits }, ksHas(ksSID+"/NUMBER_OF_SID_BITS", strconv.Itoa(bits))}})
	}
})

// ksMessage4 demands that message 4 has these payloads; those of message 2 are before them.
func ksMessage4(names ...string) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		Expect(kit.Names(m)[3:]).To(Equal(names))
	}
}

// ksPackets are the key packets of the KD.
func ksPackets(m capture.Message) []capture.Field {
	return append(append(ksAll(m, ksKEK), ksAll(m, ksTEK)...), ksAll(m, ksSID)...)
}

func ksCounted(m capture.Message) {
	GinkgoHelper()
	Expect(ksPackets(m)).NotTo(BeEmpty())
	ksHas("KD/Key Packets", strconv.Itoa(len(ksPackets(m))))(m)
}

// ksPacked demands that the lengths of the key packets add up to that of the KD.
func ksPacked(m capture.Message) {
	GinkgoHelper()
	kd, ok := kit.Field(m, "KD")
	Expect(ok).To(BeTrue(), "there is a KD")
	octets := ksKDHead
	for _, f := range ksPackets(m) {
		octets += f.Length
	}
	Expect(kd.Length).To(Equal(octets))
}

// ksSameSPIs demands that the packets at one path have the SPIs of the payloads at the other.
func ksSameSPIs(packets, payloads string) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		Expect(ksValues(m, packets+"/SPI")).To(And(Not(BeEmpty()), ConsistOf(ksValues(m, payloads+"/SPI"))))
		Expect(ksAll(m, packets+"/SPI")).To(HaveLen(len(ksAll(m, packets))), "each has an SPI")
	}
}

// ksKeys demands that each packet at the path has these attributes, each once, and no others.
func ksKeys(path string, names ...string) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		Expect(ksAll(m, path)).NotTo(BeEmpty(), path)
		for _, packet := range ksAll(m, path) {
			var found []string
			for _, f := range packet.Children {
				if f.Name != "SPI" && f.Name != "RESERVED" {
					found = append(found, f.Name)
				}
			}
			Expect(found).To(ConsistOf(names))
		}
	}
}

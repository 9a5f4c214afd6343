package registration

import (
	"slices"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// Sizes in octets (RFC 6407 §5.2, §5.3).
const (
	ksSAHead   = 16
	ksSAFirst  = "SA Attribute Next Payload"
	ksRekeySPI = 16
)

var _ = Describe("SA of a key server (RFC 6407 §5.2 to §5.4)", kit.Subject("registration"), kit.DUT(rule.KS), func() {
	ksSecondOwes([]ksDuty{
		{"sends an SA with DOI 2", "RFC6407-5.2-05", ksRich, ksIs("SA/DOI", "GDOI (2)")},
		{"sends an SA with situation 0", "RFC6407-5.2-06", ksRich, ksIs("SA/Situation", "0")},
		{"names SAK as the first payload inside the SA", "RFC6407-5.2-07", ksRich, ksIs("SA/"+ksSAFirst, "SAK (15)")},
		{"names GAP as the first payload inside an SA without SAK", "RFC6407-5.2-07 RFC6407-5.4-03", ksTEKOnly, ksIs("SA/"+ksSAFirst, "GAP (22)")},
		{"names SAT as the first payload inside an SA with nothing else", "RFC6407-5.2-07", withoutRekey, ksIs("SA/"+ksSAFirst, "SAT (16)")},
		{"sends an SA whose first reserved field is 0", "RFC6407-5.2-03", ksRich, ksReserved("SA", 1)},
		{"sends an SA whose second reserved field is 0", "RFC6407-5.2-08", ksRich, ksReserved("SA", 2)},
		{"sends an SA whose length covers SAK, GAP and SATs", "RFC6407-5.2-04 RFC6407-5.2.1-01", ksRich, ksFilled},
		{"sends no SAK, GAP or SAT outside the SA", "RFC6407-5.2-01 RFC6407-5.2-02 RFC6407-3.2-01", ksRich, func(m capture.Message) {
			Expect(kit.Names(m)).To(Equal([]string{"HASH", "NONCE", "SA"}))
		}},
		{"sends at most one SAK and one GAP", "RFC6407-5.2.1-03", ksRich, func(m capture.Message) {
			Expect(ksAll(m, "SA/SAK")).To(HaveLen(1))
			Expect(ksAll(m, "SA/GAP")).To(HaveLen(1))
		}},
		{"puts the SAK before GAP and SATs", "RFC6407-5.2.1-04", ksRich, ksBefore("SAK", "GAP", "SAT")},
		{"puts the GAP before SATs", "RFC6407-5.4-02", ksRich, ksBefore("GAP", "SAT")},
		{"sends no GAP that would say nothing", "RFC6407-5.2.1-04", nil, ksLacks("SA", "GAP")},
		{"sends a SAK alone where there are no Data-Security SAs", "RFC6407-5.2.1-02 RFC6407-5.3-01", ksKEKOnly, ksInSA("SAK")},
		{"sends SATs alone where there are no rekeys", "RFC6407-5.2.1-02 RFC6407-5.5-01", ksTwoTEKs, ksInSA("SAT", "SAT")},

		{"puts a GAP behind the SAK", "RFC6407-5.3-01", ksRich, ksFollowed("SAK", "GAP")},
		{"puts a SAT behind the SAK where there is no GAP", "RFC6407-5.3-01", nil, ksFollowed("SAK", "SAT")},
		{"sends a SAK whose first reserved field is 0", "RFC6407-5.3-02", ksRich, ksReserved("SA/SAK", 1)},
		{"sends a SAK whose second reserved field is 0", "RFC6407-5.3-06", ksRich, ksReserved("SA/SAK", 4)},
		{"sends a SAK with an SPI of 16 octets", "RFC6407-5.3-05", ksRich, ksOctets("SA/SAK/SPI", ksRekeySPI)},
		{"sends basic KEK attributes in Basic form", "RFC6407-5.3-07", ksRich,
			ksBasic("SA/SAK", "KEK_ALGORITHM", "KEK_KEY_LENGTH", "SIG_HASH_ALGORITHM", "SIG_ALGORITHM", "SIG_KEY_LENGTH")},
		{"names the cipher of rekeys", "RFC6407-5.3-08 RFC6407-6.1-03", ksRich, ksIs("SA/SAK/KEK_ALGORITHM", "AES (3)")},
		{"names the length of the rekeys' cipher key", "RFC6407-5.3.3-01", ksRich, ksIs("SA/SAK/KEK_KEY_LENGTH", "128")},
		{"names the lifetime of the KEK in four octets", "RFC6407-5.3.4-01", ksRich,
			ksEach(ksOctets("SA/SAK/KEK_KEY_LIFETIME", ksAttribute+4), ksAbout("SA/SAK/KEK_KEY_LIFETIME", 86400))},
		{"names the algorithm of the rekeys' signatures", "RFC6407-5.3-09", ksRich, ksIs("SA/SAK/SIG_ALGORITHM", "RSA (1)")},
		{"names a hash for the rekeys' signatures that is not MD5", "RFC6407-6.1-06", nil, ksIs("SA/SAK/SIG_HASH_ALGORITHM", "SHA-256 (3)")},
		{"names no key management algorithm", "RFC6407-5.3-11", ksRich, ksLacks("SA/SAK", "KEK_MANAGEMENT_ALGORITHM")},

		{"puts a SAT behind the GAP", "RFC6407-5.4-05", ksRich, ksFollowed("GAP", "SAT")},
		{"sends a GAP whose reserved field is 0", "RFC6407-5.4-06", ksRich, ksReserved("SA/GAP", 1)},
		{"sends the activation delay of the group", "RFC5374-4.2.1-02", ksRich, ksIs("SA/GAP/ACTIVATION_TIME_DELAY", strconv.Itoa(ksATD))},
		{"sends the deactivation delay of the group", "RFC5374-4.2.1-03", ksRich, ksIs("SA/GAP/DEACTIVATION_TIME_DELAY", strconv.Itoa(ksDTD))},
		{"does not ask for Sender-IDs itself", "RFC6407-5.4.2-01", ksRich, ksLacks("SA/GAP", "SENDER_ID_REQUEST")},
	})
})

// ksFilled demands that the SA is as long as its head and what is inside.
func ksFilled(m capture.Message) {
	GinkgoHelper()
	sa, ok := kit.Field(m, "SA")
	Expect(ok).To(BeTrue(), "there is an SA")
	end := sa.Offset + ksSAHead
	for _, f := range sa.Children[slices.IndexFunc(sa.Children, func(f capture.Field) bool { return f.Name == ksSAFirst })+1:] {
		Expect(f.Offset).To(Equal(end), "where %s begins", f.Name)
		end += f.Length
	}
	Expect(sa.Length).To(Equal(end-sa.Offset), "the length of the SA")
}

// ksPayloads are the names of what is inside the SA and is no field of it.
func ksPayloads(m capture.Message) []string {
	names := ksNames(m, "SA")
	return slices.DeleteFunc(names, func(name string) bool {
		return slices.Contains([]string{"DOI", "Situation", ksSAFirst, "RESERVED"}, name)
	})
}

// ksInSA demands that the SA has these payloads and no others.
func ksInSA(names ...string) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		Expect(ksPayloads(m)).To(Equal(names))
	}
}

// ksBefore demands that each payload of the first type in the SA comes before those of the other types, which are there.
func ksBefore(first string, others ...string) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		names := ksPayloads(m)
		Expect(names).To(ContainElement(first))
		for _, other := range others {
			Expect(names).To(ContainElement(other))
			Expect(slices.Index(names[slices.Index(names, other):], first)).To(Equal(-1), "%s before %s in %v", first, other, names)
		}
	}
}

// ksFollowed demands that the payload behind the one is the other.
func ksFollowed(one, other string) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		names := ksPayloads(m)
		at := slices.Index(names, one)
		Expect(at).To(BeNumerically(">=", 0), "there is a %s", one)
		Expect(len(names)).To(BeNumerically(">", at+1), "something follows the %s", one)
		Expect(names[at+1]).To(Equal(other))
	}
}

// ksAbout demands that what is left of a lifetime of so many seconds, which began with the group, is said.
func ksAbout(path string, seconds int) func(capture.Message) {
	return func(m capture.Message) {
		GinkgoHelper()
		Expect(ksAll(m, path)).NotTo(BeEmpty(), path)
		for _, text := range ksValues(m, path) {
			n, err := strconv.Atoi(text)
			Expect(err).NotTo(HaveOccurred())
			Expect(n).To(And(BeNumerically("<=", seconds), BeNumerically(">", seconds-60)), path)
		}
	}
}

package registration

import (
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("SAT of a key server (RFC 6407 §5.5)", kit.Subject("registration"), kit.DUT(rule.KS), func() {
	ksSecondOwes([]ksDuty{
		{"puts nothing but SATs behind a SAT", "RFC6407-5.5-01", ksRich, ksInSA("SAK", "GAP", "SAT", "SAT")},
		{"sends SATs whose reserved field is 0", "RFC6407-5.5-02", ksRich, ksReserved("SA/SAT", 1)},
		{"sends SATs of ESP as Protocol-ID 1", "RFC6407-5.5-03 RFC6407-6.2-01", ksRich, ksIs("SA/SAT/Protocol-ID", "ESP (1)")},
		{"sends the selectors of the group's policy", "RFC6407-3.4-02 RFC6407-5.5.1-04", ksRich, ksEach(
			ksHas("SA/SAT/Protocol", "ICMP (1)", "0"),
			ksIs("SA/SAT/Source", "ID_IPV4_ADDR_SUBNET 10.0.0.0/255.0.0.0"),
			ksIs("SA/SAT/Destination", "ID_IPV4_ADDR_SUBNET 10.0.0.0/255.0.0.0"))},
		{"sends what the group's policy says about packets", "RFC6407-3.4-02", ksRich, ksEach(
			ksIs("SA/SAT/Encapsulation Mode", "tunnel (1)"),
			ksIs("SA/SAT/Address Preservation", "source and destination (4)"),
			ksIs("SA/SAT/SA Direction", "symmetric (3)"))},
		{"names a registered ESP transform", "RFC6407-5.5.1-07", withCBC, ksIs("SA/SAT/Transform ID", "ESP_AES-CBC (12)")},
		{"names AES-GCM with a full ICV as transform 20", "RFC4106-8.3-01 RFC6407-5.5.1-07", nil,
			ksIs("SA/SAT/Transform ID", "ESP_AES-GCM_16 (20)")},
		{"sends SATs with an SPI of four octets above 255, each another", "RFC4303-2.1-06 RFC6407-5.5.1-08", ksRich, ksOwnSPIs},
		{"sends no Group Description", "RFC6407-5.5.1-09", ksRich, ksLacks("SA/SAT", "Group Description")},
		{"sends basic attributes of a SAT in Basic form", "RFC2407-4.5-01 RFC6407-8.2-01", withCBC, ksEach(
			ksBasic("SA/SAT", "SA Life Type", "Encapsulation Mode", "Authentication Algorithm", "Key Length"),
			ksBasicIfSent("SA/SAT", "Address Preservation", "SA Direction"))},
		{"puts SA Life Duration right behind SA Life Type", "RFC2407-4.5-02", nil, func(m capture.Message) {
			names := ksNames(m, "SA/SAT", "SA Life Type", "SA Life Duration", "Encapsulation Mode", "Key Length")
			Expect(names).To(HaveLen(4))
			Expect(names[:2]).To(Equal([]string{"SA Life Type", "SA Life Duration"}))
		}},
		{"names what is left of the SA's lifetime, in seconds", "RFC6407-5.5.1-11 RFC6407-3.4-02", nil,
			ksEach(ksIs("SA/SAT/SA Life Type", "seconds (1)"), ksAbout("SA/SAT/SA Life Duration", 3600))},
		{"names no Authentication Algorithm with AES-GCM", "RFC2407-4.5-04", nil, ksLacks("SA/SAT", "Authentication Algorithm")},
		{"names the Authentication Algorithm of AES-CBC", "RFC6407-5.5.1-12", withCBC,
			ksIs("SA/SAT/Authentication Algorithm", "HMAC-SHA2-256 (5)")},
	})

	for _, bits := range []int{128, 192, 256} {
		key := strconv.Itoa(bits)
		ksSecondOwes([]ksDuty{
			{"names the Key Length of AES-GCM with " + key + " bits", "RFC4106-8.4-01 RFC2407-4.5-06", ksWith(lab.GCM(), bits),
				ksHas("SA/SAT/Key Length", key)},
			{"names the Key Length of AES-CBC with " + key + " bits", "RFC3602-5.3-01 RFC2407-4.5-06", ksWith(lab.CBC(), bits),
				ksHas("SA/SAT/Key Length", key)},
		})
	}
})

// ksTwoTEKs is a group of two SAs without rekeys.
func ksTwoTEKs(g *policy.Group) {
	withTwoSAs(g)
	withoutRekey(g)
}

// ksOwnSPIs demands that all SATs have different SPIs, none of them reserved (RFC 4303 §2.1).
func ksOwnSPIs(m capture.Message) {
	GinkgoHelper()
	seen := map[string]bool{}
	for _, f := range ksAll(m, "SA/SAT/SPI") {
		Expect(f.Length).To(Equal(4))
		spi, err := strconv.ParseUint(f.Value, 16, 32)
		Expect(err).NotTo(HaveOccurred())
		Expect(spi).To(BeNumerically(">", 255))
		Expect(seen[f.Value]).To(BeFalse(), "SPI %s twice", f.Value)
		seen[f.Value] = true
	}
	Expect(seen).NotTo(BeEmpty())
}

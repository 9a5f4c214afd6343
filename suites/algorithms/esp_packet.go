package algorithms

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// authenticity is the requirement by which a forged packet is refused.
func authenticity(t policy.Transform) rule.ID {
	if t.Integrity == policy.IntegrityNone {
		return "RFC4303-3.4.4.2-01"
	}
	return "RFC4303-3.4.4.1-01"
}

// named finds a transform by its word in configurations.
func named(name string) policy.Transform {
	for _, t := range policy.Transforms() {
		if t.Name() == name {
			return t
		}
	}
	panic("no transform " + name)
}

// What a sender owes in the packets of each transform, beyond what its parts say.
var sealRequirements = map[policy.Cipher][]string{
	policy.CipherAESGCM16: {"RFC4106-5-01", "RFC4106-3.1-01", "RFC4106-4-01", "RFC4106-6-03"},
	policy.CipherAESGCM12: {"RFC4106-5-01", "RFC4106-3.1-01", "RFC4106-4-01", "RFC4106-6-03"},
	policy.CipherAESGCM8:  {"RFC4106-5-01", "RFC4106-3.1-01", "RFC4106-4-01", "RFC4106-6-03"},
	policy.CipherGMAC:     {"RFC4543-3.1-01", "RFC4543-3.4-01"},
}

var _ = Describe("ESP packets of each transform (RFC 4303 §3.3, §3.4)", kit.Subject("algorithms"), kit.DUT(rule.GM), func() {
	for _, t := range policy.Transforms() {
		It(fmt.Sprintf("seals %s so that an independent receiver opens it, with padding of less than a block", t.Name()),
			kit.Requirement(append(espRequirements(t), sealRequirements[t.Cipher]...)...), kit.Exhaustive, func(ctx SpecContext) {
				s := espDevice(ctx, t, nil)
				form, _ := t.Cipher.Form()
				for i, p := range s.sends(3, 3) {
					c, err := s.keys.Open(p.Packet)
					Expect(err).NotTo(HaveOccurred(), "packet %d opens", i+1)
					Expect(c.Sequence).To(Equal(uint32(i + 1)))
					Expect(c.Next).To(Equal(uint8(4)))
					Expect(c.IV).To(HaveLen(form.IV))
					Expect(c.ICV).To(HaveLen(t.ICVLen()))
					Expect(c.Inner).To(HaveLen(innerOctets))
					Expect(len(c.Padding)).To(BeNumerically("<", form.Block))
				}
			})

		It(fmt.Sprintf("drops packets of %s with one octet altered, wherever that is", t.Name()), kit.Negative, kit.Exhaustive,
			kit.Requirement(append(espRequirements(t), string(authenticity(t)))...), func(ctx SpecContext) {
				s := espDevice(ctx, t, nil)
				form, _ := t.Cipher.Form()
				body := 8 + form.IV
				altered := [][]byte{s.forged(tester.ESPFlip(7)), s.forged(tester.ESPFlip(body)), s.forged(tester.ESPFlip(body + 30)),
					s.forged(tester.ESPFlip(-t.ICVLen() - 1)), s.forged(tester.ESPFlip(-t.ICVLen())), s.forged(tester.ESPFlip(-1))}
				if form.IV > 0 {
					altered = append(altered, s.forged(tester.ESPFlip(8)), s.forged(tester.ESPFlip(body-1)))
				}
				s.drops(authenticity(t), nil, altered...)
			})
	}

	for _, c := range []struct {
		transform string
		lengths   []int // of ICVs that the transform does not have
		id        string
	}{
		{"null-hmac-sha1", []int{8, 16, 20}, "RFC2404-2-01"},
		{"3des-hmac-sha1", []int{8, 20}, "RFC2404-2-01"},
		{"aes128-cbc-hmac-sha256", []int{12, 32}, "RFC4868-2.3-01"},
		{"null-hmac-sha256", []int{12, 20, 32}, "RFC4868-2.3-01"},
		{"aes128-cbc-hmac-sha384", []int{12, 16, 48}, "RFC4868-2.3-01"},
		{"aes128-cbc-hmac-sha512", []int{12, 16, 64}, "RFC4868-2.3-01"},
		{"aes128-gcm16", []int{8, 12}, "RFC4106-6-03"},
		{"aes128-gcm12", []int{4, 8, 16}, "RFC4106-6-03"},
		{"aes128-gcm8", []int{4, 12, 16}, "RFC4106-6-03"},
		{"aes128-gmac", []int{8, 12}, "RFC4543-3.4-01"},
	} {
		t := named(c.transform)
		It(fmt.Sprintf("drops packets of %s with an ICV that is cut anywhere else than after %d octets", c.transform, t.ICVLen()),
			kit.Requirement(c.id, string(authenticity(t))), kit.Negative, func(ctx SpecContext) {
				s := espDevice(ctx, t, nil)
				var forged [][]byte
				for _, n := range c.lengths {
					forged = append(forged, s.forged(tester.ESPICV(n)))
				}
				s.drops(authenticity(t), nil, forged...)
			})
	}

	It("draws each IV of 3DES-CBC at random", kit.Requirement("RFC2451-2.1-01"), func(ctx SpecContext) {
		const packets = 24
		s := espDevice(ctx, named("3des-hmac-sha1"), nil)
		var last []byte
		seen, octets := make(map[string]bool), [8]map[byte]int{}
		for i := range octets {
			octets[i] = make(map[byte]int)
		}
		for _, p := range s.sends(packets, packets) {
			c, err := s.keys.Open(p.Packet)
			Expect(err).NotTo(HaveOccurred())
			Expect(c.IV).To(HaveLen(8))
			Expect(seen).NotTo(HaveKey(string(c.IV)), "no IV comes twice")
			Expect(c.IV).NotTo(Equal(last), "it is not the last block of the packet before")
			seen[string(c.IV)], last = true, c.LastBlock
			for i, octet := range c.IV {
				octets[i][octet]++
				Expect(octets[i][octet]).To(BeNumerically("<", packets/2), "octet %d of the IV is not %#02x again and again", i, octet)
			}
		}
	})

	It("uses no IV of GMAC twice", kit.Requirement("RFC4543-3.1-01", "RFC6054-2-01"), func(ctx SpecContext) {
		s := espDevice(ctx, named("aes256-gmac"), nil)
		seen := make(map[string]bool)
		for _, p := range s.sends(20, 20) {
			c, err := s.keys.Open(p.Packet)
			Expect(err).NotTo(HaveOccurred())
			Expect(seen).NotTo(HaveKey(string(c.IV)))
			seen[string(c.IV)] = true
		}
	})
})

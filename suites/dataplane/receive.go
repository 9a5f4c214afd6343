package dataplane

import (
	"encoding/hex"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// octetsInside is the length of the inner packets here: with 18 octets of padding and 2 of trailer they fill whole blocks of
// every cipher.
const octetsInside = 44

var _ = Describe("ESP packets that a member receives (RFC 4303 §3.4)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	forge := func(s *scene, options ...tester.ESPOption) []byte {
		return s.group().Packet(sized(s.back(), octetsInside).Bytes(), options...)
	}

	const (
		noSA    = "RFC4303-3.4.2-01"
		icv     = "RFC4303-3.4.4.1-01"
		tag     = "RFC4303-3.4.4.2-01"
		padding = "RFC4303-2.4-04"
	)
	for _, c := range []struct {
		name      string
		transform policy.Transform
		id        rule.ID
		options   []tester.ESPOption
		more      []string
	}{
		{"drops an AES-GCM packet whose sequence number was altered", lab.GCM(), tag, []tester.ESPOption{tester.ESPFlip(7)}, nil},
		{"drops an AES-GCM packet whose IV was altered", lab.GCM(), tag, []tester.ESPOption{tester.ESPFlip(15)}, nil},
		{"drops an AES-GCM packet whose ciphertext was altered", lab.GCM(), tag, []tester.ESPOption{tester.ESPFlip(50)}, nil},
		{"drops an AES-GCM packet whose tag was altered at its beginning", lab.GCM(), tag, []tester.ESPOption{tester.ESPFlip(-16)}, nil},
		{"drops an AES-GCM packet whose tag was altered at its end", lab.GCM(), tag, []tester.ESPOption{tester.ESPFlip(-1)}, nil},
		{"drops an AES-CBC packet whose sequence number was altered", lab.CBC(), icv, []tester.ESPOption{tester.ESPFlip(7)}, nil},
		{"drops an AES-CBC packet whose IV was altered", lab.CBC(), icv, []tester.ESPOption{tester.ESPFlip(23)}, nil},
		{"drops an AES-CBC packet whose ciphertext was altered", lab.CBC(), icv, []tester.ESPOption{tester.ESPFlip(60)}, nil},
		{"drops an AES-CBC packet whose ICV was altered at its beginning", lab.CBC(), icv, []tester.ESPOption{tester.ESPFlip(-16)}, nil},
		{"drops an AES-CBC packet whose ICV was altered at its end", lab.CBC(), icv, []tester.ESPOption{tester.ESPFlip(-1)}, nil},
		{"drops a packet with an ICV of 12 octets instead of 16", lab.CBC(), icv, []tester.ESPOption{tester.ESPShortICV()},
			[]string{"RFC4868-2.3-01"}},
		{"drops a packet whose SPI was altered", lab.GCM(), noSA, []tester.ESPOption{tester.ESPFlip(3)}, nil},
		{"drops a packet whose SPI names no SA", lab.GCM(), noSA, []tester.ESPOption{tester.ESPSPI(0x00c0ffee)}, nil},
		{"drops a packet whose SPI is 0", lab.GCM(), noSA, []tester.ESPOption{tester.ESPSPI(0)}, []string{"RFC4303-2.1-05"}},
		{"drops an authentic packet whose padding does not count", lab.GCM(), padding,
			[]tester.ESPOption{tester.ESPPadding(make([]byte, 18))}, nil},
		{"drops an authentic packet whose padding begins with 2", lab.CBC(), padding,
			[]tester.ESPOption{tester.ESPPadding(counting(2, 18))}, nil},
		{"drops an authentic packet whose Pad Length exceeds the packet", lab.GCM(), padding,
			[]tester.ESPOption{tester.ESPPadding(counting(1, 18)), tester.ESPPadLength(255)}, nil},
	} {
		It(c.name, kit.Requirement(append([]string{string(c.id)}, c.more...)...), kit.Negative, func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: withTransform(c.transform)})
			s.drops(c.id, forge(s, c.options...))
		})
	}

	It("leaves a trace of every packet that fails authentication: one count each, and a log line that names SPI and addresses",
		kit.Requirement("RFC4303-3.4.3-09", "RFC4303-4-01"), kit.Negative, func(ctx SpecContext) {
			s := device(ctx, lab.Setup{})
			s.drops(tag, forge(s, tester.ESPFlip(-1)), forge(s, tester.ESPFlip(-2)), forge(s, tester.ESPFlip(-3)))
			s.Wait(ctx, lab.Patience, func() bool { return len(s.refusals(tag)) > 0 })
			Expect(s.refusals(tag)).To(ContainElement(And(ContainSubstring(kit.SPI(s.group().SPI)), ContainSubstring(h2.String()),
				ContainSubstring(h1.String()))))
		})

	It("discards a dummy packet without a word", kit.Requirement("RFC4303-2.6-01"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		s.drops("", forge(s, tester.ESPNext(59)))
		Expect(s.GM[0].Logged("REFUSED")).To(BeEmpty(), "a dummy is no error")
	})

	for _, next := range []struct {
		name   string
		number uint8
	}{{"UDP", 17}, {"IPv6", 41}} {
		It("drops an authentic IPv4 packet whose next header says that it is "+next.name, kit.Requirement("RFC4303-2.6-03"), kit.Negative,
			func(ctx SpecContext) {
				s := device(ctx, lab.Setup{})
				s.drops("RFC4303-2.6-03", forge(s, tester.ESPNext(next.number)))
			})
	}

	It("takes packets of AES-GCM in whatever way their sender makes the IVs", kit.Requirement("RFC6054-3-04"), func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		for _, iv := range []string{"2affffffffffffff", "2afffffffffffffe", "2a00000000000000", "2a5ce1e7f00dd00d"} {
			octets, err := hex.DecodeString(iv)
			kit.Precondition(err, "the IV can be read")
			inner := s.back()
			Expect(s.takes(inner, s.group().Packet(inner.Bytes(), tester.ESPIV(octets)))).NotTo(BeNil(), "IV %s", iv)
		}
	})

	It("does not process a packet that is still a fragment", kit.Requirement("RFC4303-3.4.1-01"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		s.drops("", forge(s, tester.OuterMoreFragments(), tester.OuterID(7)))
	})

	It("puts an ESP packet together that was fragmented on its way, in whatever order it comes", kit.Requirement("RFC4303-3.4.1-01"),
		func(ctx SpecContext) {
			s := device(ctx, lab.Setup{})
			inner := sized(s.back(), 1400)
			pieces := lab.Fragment(s.group().Packet(inner.Bytes(), tester.OuterID(1)), 576)
			Expect(s.takes(inner, pieces...)).NotTo(BeNil(), "in order")
			inner = sized(s.back(), 1400)
			pieces = lab.Fragment(s.group().Packet(inner.Bytes(), tester.OuterID(2)), 576)
			Expect(s.takes(inner, pieces[2], pieces[0], pieces[1])).NotTo(BeNil(), "out of order")
		})

	for _, n := range []int{0, 1, 2, 255} {
		It(fmt.Sprintf("takes a packet with %d octets of padding", n), kit.Requirement("RFC4303-2.4-01", "RFC4303-2.4-02"),
			func(ctx SpecContext) {
				s := device(ctx, lab.Setup{})
				inner := sized(s.back(), 44+(6-n%4)%4) // with padding and trailer a multiple of four
				Expect(s.takes(inner, s.group().Packet(inner.Bytes(), tester.ESPPadding(counting(1, n))))).NotTo(BeNil())
			})
	}

	It("delivers a packet with its own length when padding against traffic analysis follows it", kit.Requirement("RFC4303-2.7-01"),
		func(ctx SpecContext) {
			s := device(ctx, lab.Setup{})
			inner := s.back()
			got := s.takes(inner, s.group().Packet(inner.Bytes(), tester.ESPTrafficPadding(100)))
			Expect(got).NotTo(BeNil(), "it is delivered")
			Expect(got.Bytes()).To(HaveLen(len(inner.Bytes())))
		})
})

// counting is n octets that count from first.
func counting(first byte, n int) []byte {
	octets := make([]byte, n)
	for i := range octets {
		octets[i] = first + byte(i)
	}
	return octets
}

// refusals returns what the device logged of the packets that it refused for a requirement.
func (s *scene) refusals(id rule.ID) []string {
	var texts []string
	for _, l := range s.GM[0].Logged("REFUSED") {
		if l.Requirement == string(id) {
			texts = append(texts, l.Text)
		}
	}
	return texts
}

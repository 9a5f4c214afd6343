package dataplane

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// nextNone is the Next Header of a dummy packet (RFC 4303 §2.6).
const nextNone = 59

// concealing has members do that against traffic analysis.
func concealing(t policy.TFC) lab.Setup {
	return lab.Setup{Member: carrying(func(d *policy.DataPath) { d.TFC = t })}
}

var _ = Describe("Padding and dummies against traffic analysis (RFC 4303 §2.6, §2.7)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	It("sends dummy packets when it is configured so, which count and authenticate like others", kit.Requirement("RFC4303-2.6-02"), func(ctx SpecContext) {
		const every, packets = 2, 6
		s := device(ctx, concealing(policy.TFC{DummyAfter: every}))
		before := kit.Now(s.Lab)
		for range packets {
			s.send(s.packet())
		}
		s.Wait(ctx, lab.Patience, func() bool { return len(s.onWAN(before)) >= packets+packets/every })
		dummies, numbers, ivs := 0, map[uint32]bool{}, map[string]bool{}
		for _, p := range s.onWAN(before) {
			Expect(p.ESP).NotTo(BeNil(), "nothing is in clear")
			numbers[p.ESP.Sequence], ivs[string(p.ESP.IV)] = true, true
			if p.ESP.Next == nextNone {
				dummies++
			}
		}
		Expect(dummies).To(Equal(packets / every))
		Expect(numbers).To(HaveLen(packets+packets/every), "sequence numbers")
		Expect(ivs).To(HaveLen(packets+packets/every), "IVs")
	})

	It("loses nothing and delivers nothing else when both members send dummies", kit.Requirement("RFC4303-2.6-01", "RFC4303-2.6-02"), func(ctx SpecContext) {
		s := pair(ctx, concealing(policy.TFC{DummyAfter: 1}))
		before := kit.Now(s.Lab)
		Expect(kit.Ping(ctx, s.Lab, 1, 2, 5)).To(Equal(lab.PingResult{Sent: 5, Received: 5}))
		Expect(s.onLANOf(2, before)).To(HaveLen(5), "packets that are delivered to the other host")
	})

	for _, octets := range []int{60, 256, 257, 1400} {
		It(fmt.Sprintf("pads a packet of %d octets to a multiple of 256, as far as the path carries it, and leaves its length as it is", octets),
			kit.Requirement("RFC4303-2.7-01"), func(ctx SpecContext) {
				const unit = 256
				s := device(ctx, concealing(policy.TFC{PadTo: unit}))
				out := s.leaves1(sized(s.packet(), octets))
				Expect(out.ESP).NotTo(BeNil(), "it leaves in ESP")
				Expect(out.Inner.Bytes()).To(HaveLen(octets), "the length that the inner packet has")
				Expect(out.Size).To(BeNumerically("<=", lab.MTU))
				if padded := len(out.ESP.Inner); padded%unit != 0 {
					Expect(out.Size).To(BeNumerically(">", lab.MTU-4), "%d octets: the path carries no more", padded)
				}
			})
	}

	for _, octets := range []int{56, 1400, 3000} {
		It(fmt.Sprintf("carries pings of %d octets to the other host and back when packets are padded and hidden among dummies", octets),
			kit.Requirement("RFC4303-2.7-01", "RFC4303-2.6-02"), func(ctx SpecContext) {
				pair(ctx, concealing(policy.TFC{PadTo: 512, DummyAfter: 3})).pings(octets)
			})
	}
})

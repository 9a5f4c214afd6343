package algorithms

import (
	"fmt"
	"math"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// cycle is how many sequence numbers have the same upper half.
const cycle = 1 << 32

// extended makes a transform's sequence numbers 64 bits long.
func extended(name string) policy.Transform {
	t := named(name)
	t.ESN = true
	return t
}

// oneOfEach are transforms that authenticate in different ways.
var oneOfEach = []string{"aes128-gcm16", "aes128-gcm8", "aes128-gmac", "aes128-cbc-hmac-sha256", "null-hmac-sha1"}

// at is the option that makes an honest packet of that number.
func at(n uint64) []tester.ESPOption { return []tester.ESPOption{tester.ESPExtended(n)} }

var _ = Describe("Extended sequence numbers that a member receives (RFC 4303 appendix A2)", kit.Subject("algorithms"), kit.DUT(rule.GM), func() {
	for _, name := range oneOfEach {
		It("follows a sender of "+name+" across the end of a cycle, in order and out of order", kit.Requirement("RFC4303-A2-01"),
			func(ctx SpecContext) {
				s := espDevice(ctx, extended(name), windowed)
				for _, n := range []uint64{1, cycle - 100, cycle - 1, cycle, cycle + 3, cycle - 2, cycle + 1, cycle + 2000} {
					Expect(s.takes(at(n)...)).To(BeTrue(), "number %d", n)
				}
			})

		It("drops a packet of "+name+" that comes again a cycle later", kit.Requirement("RFC4303-A2-01", string(authenticity(named(name)))),
			kit.Negative, func(ctx SpecContext) {
				s := espDevice(ctx, extended(name), windowed)
				old := s.forged(tester.ESPExtended(2000))
				s.Inject(lab.MemberName(2), old)
				for _, n := range []uint64{3000, cycle - 100, cycle + 1000} {
					kit.Reached(s.takes(at(n)...), "the numbers go on")
				}
				s.drops(authenticity(named(name)), at(cycle+1001), old)
			})

		It("drops a packet of "+name+" that was sealed with another upper half", kit.Negative,
			kit.Requirement("RFC4303-2.2.1-02", string(authenticity(named(name)))), func(ctx SpecContext) {
				s := espDevice(ctx, extended(name), windowed)
				s.drops(authenticity(named(name)), at(20), s.forged(tester.ESPExtended(cycle+10)), s.forged(tester.ESPExtended(7*cycle+11)))
			})
	}

	It("takes no number twice on both sides of a cycle's end", kit.Requirement("RFC4303-3.4.3-04", "RFC4303-A2-01"), kit.Negative,
		func(ctx SpecContext) {
			s := espDevice(ctx, extended("aes128-gcm16"), windowed)
			for _, n := range []uint64{cycle - 100, cycle - 1, cycle + 5} {
				kit.Reached(s.takes(at(n)...), "the numbers go on")
			}
			s.drops("RFC4303-3.4.3-04", at(cycle+6), s.forged(at(cycle-1)...), s.forged(at(cycle+5)...))
		})

	It("refuses extended sequence numbers if it has no replay window to find them with", kit.Negative,
		kit.Requirement("RFC2407-4.5.3-01", "RFC4303-2.2.1-01"), kit.Feature("no-window"), func(ctx SpecContext) {
			refuses(ctx, nil, tester.EditSAT(core.Pull2, "extended sequence numbers", func(s *gdoi.SAT) {
				s.ESP.Attributes = tester.SetAttribute(s.ESP.Attributes, wire.TV(gdoi.ExtendedSequenceNumber, 1))
			}), "RFC2407-4.5.3-01")
		})
})

// starting has members begin their SAs at that number. In earnest nobody gets so far within a test.
func starting(first uint64, window int) func(int, *policy.Member) {
	return func(_ int, c *policy.Member) { c.FirstSequence, c.ReplayWindow = first, window }
}

var _ = Describe("The end of the sequence numbers (RFC 4303 §2.2, §3.3.3)", kit.Subject("algorithms"), kit.DUT(rule.GM), func() {
	for _, c := range []struct {
		name, transform string
		esn             bool
		last            uint64
	}{
		{"stops sending before the 32 bits of its sequence numbers would cycle", "aes128-gcm16", false, math.MaxUint32},
		{"stops sending with AES-CBC before the 32 bits of its sequence numbers would cycle", "aes128-cbc-hmac-sha256", false, math.MaxUint32},
		{"stops sending before the 64 bits of extended sequence numbers would cycle", "aes128-gcm16", true, math.MaxUint64},
	} {
		It(c.name+", and tells why", kit.Requirement("RFC4303-3.3.3-01", "RFC4303-2.2-03", "RFC4303-3.3.3-02"), func(ctx SpecContext) {
			t := named(c.transform)
			t.ESN = c.esn
			s := espDevice(ctx, t, starting(c.last-2, replayWindow))
			for i, p := range s.sends(6, 3) {
				got, err := s.keys.OpenCycle(p.Packet, uint32(c.last>>32))
				Expect(err).NotTo(HaveOccurred(), "packet %d opens", i+1)
				Expect(got.Sequence).To(Equal(uint32(c.last) - 2 + uint32(i)))
			}
			refused := func() uint64 { return s.GM[0].Refused(ctx, "RFC4303-3.3.3-01") }
			s.Wait(ctx, lab.Patience, func() bool { return refused() >= 3 })
			Expect(refused()).To(Equal(uint64(3)), "packets that could not be sent any more")
			Expect(s.GM[0].AwaitLog(ctx, "REFUSED", 0, lab.Patience)).To(BeTrue())
			Expect(s.GM[0].Logged("REFUSED")[0].Text).To(And(ContainSubstring(kit.SPI(s.keys.SPI)), ContainSubstring(lab.HostAddr(1).String()),
				ContainSubstring(lab.HostAddr(2).String())), "SPI and addresses")
		})
	}

	It("goes on with 0 when anti-replay is off", kit.Requirement("RFC4303-3.3.3-03"), kit.Feature("no-window"), func(ctx SpecContext) {
		s := espDevice(ctx, named("aes128-gcm16"), starting(math.MaxUint32-1, 0))
		var numbers []uint32
		for _, p := range s.sends(4, 4) {
			_, err := s.keys.Open(p.Packet)
			Expect(err).NotTo(HaveOccurred())
			numbers = append(numbers, p.Sequence)
		}
		Expect(numbers).To(Equal([]uint32{math.MaxUint32 - 1, math.MaxUint32, 0, 1}))
	})

	for _, name := range oneOfEach {
		It("authenticates with "+name+" the upper half of its extended sequence numbers, which it does not send",
			kit.Requirement("RFC4303-2.2.1-01", "RFC4303-2.2.1-02"), func(ctx SpecContext) {
				s := espDevice(ctx, extended(name), starting(cycle-2, replayWindow))
				for i, p := range s.sends(4, 4) {
					n := cycle - 2 + uint64(i)
					got, err := s.keys.OpenCycle(p.Packet, uint32(n>>32))
					Expect(err).NotTo(HaveOccurred(), "number %d", n)
					Expect(got.Sequence).To(Equal(uint32(n)))
				}
			})
	}
})

var _ = Describe("Members across the end of a cycle (RFC 4303 §2.2.1)", kit.Subject("algorithms"), kit.DUT(rule.Both), func() {
	for _, name := range oneOfEach {
		It(fmt.Sprintf("loses nothing under %s when extended sequence numbers go beyond 32 bits", name), kit.Requirement("RFC4303-2.2.1-01", "RFC4303-A2-01"),
			func(ctx SpecContext) {
				l := kit.Up(ctx, lab.Setup{Members: 2, Hosts: true, Group: withTransform(inTunnel(extended(name))),
					Member: starting(cycle-3, replayWindow)})
				Expect(kit.Ping(ctx, l, 1, 2, 8).Received).To(Equal(8))
				opens(l, named(name))
			})
	}
})

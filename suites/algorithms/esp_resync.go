package algorithms

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// resyncing has members look for the upper half after so many failures, over so many cycles.
func resyncing(failures, cycles int) func(int, *policy.Member) {
	return func(i int, c *policy.Member) {
		windowed(i, c)
		c.DataPath.Resync = policy.Resync{Failures: failures, Cycles: cycles}
	}
}

// lose has the device take one packet and its sender lose so many cycles of packets. It returns the number after them.
func (s *espScene) lose(cycles uint64) uint64 {
	GinkgoHelper()
	const top = 1000
	kit.Reached(s.takes(at(top)...), "the packets before the loss are taken")
	return cycles*cycle + 2*top
}

var _ = Describe("Extended sequence numbers after a loss of 2^32 packets (RFC 4303 appendix A3)", kit.Subject("algorithms"), kit.DUT(rule.GM), func() {
	for _, name := range oneOfEach {
		It("finds a sender of "+name+" again of whom it has lost 2^32 packets", kit.Requirement("RFC4303-A2-01"), func(ctx SpecContext) {
			// How many of the next packets a device loses is its own affair: RFC 4303 has no number.
			const patience = 256
			s := espDevice(ctx, extended(name), windowed)
			n := s.lose(1)
			for range patience {
				s.Inject(lab.MemberName(2), s.forged(at(n)...))
				n++
			}
			Expect(s.takes(at(n)...)).To(BeTrue(), "packet %d after the loss is taken", patience+1)
			Expect(s.takes(at(n+100)...)).To(BeTrue(), "and so are those behind it")
		})
	}

	for _, c := range []struct{ failures, cycles int }{{2, 2}, {5, 3}} {
		It(fmt.Sprintf("tries %d higher upper halves after %d packets in a row that are not authentic, and no sooner", c.cycles, c.failures),
			kit.Requirement("RFC4303-A2-01"), func(ctx SpecContext) {
				s := espDevice(ctx, extended("aes128-gcm16"), resyncing(c.failures, c.cycles))
				n := s.lose(uint64(c.cycles))
				before := kit.Now(s.Lab)
				for range c.failures - 1 {
					s.Inject(lab.MemberName(2), s.forged(at(n)...))
					n++
				}
				Expect(s.takes(at(n)...)).To(BeTrue(), "packet %d after the loss is taken", c.failures)
				Expect(s.delivered(before)).To(HaveLen(1), "and none before it")
			})
	}

	It("tries no upper half beyond the bound of its configuration", kit.Requirement("RFC4303-A2-01", "RFC4303-3.4.4.2-01"), kit.Negative,
		func(ctx SpecContext) {
			s := espDevice(ctx, extended("aes128-gcm16"), resyncing(2, 3))
			n := s.lose(4)
			var beyond [][]byte
			for i := range uint64(6) {
				beyond = append(beyond, s.forged(at(n+i)...))
			}
			s.drops("RFC4303-3.4.4.2-01", at(1001), beyond...)
		})

	It("is not led to another upper half by forged packets, however many", kit.Requirement("RFC4303-A2-01", "RFC4303-3.4.4.2-01"), kit.Negative,
		func(ctx SpecContext) {
			s := espDevice(ctx, extended("aes128-gcm16"), resyncing(2, 3))
			n := s.lose(1)
			var forged [][]byte
			for i := range uint64(20) {
				forged = append(forged, s.forged(tester.ESPExtended(n+i), tester.ESPFlip(-1)))
			}
			s.drops("RFC4303-3.4.4.2-01", at(1001), forged...)
		})
})

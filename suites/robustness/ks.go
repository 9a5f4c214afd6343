package robustness

import (
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Floods at a key server (RFC 6407 §7.2.5)", kit.Subject("robustness"), kit.DUT(rule.KS), func() {
	It("keeps as many unfinished Phase 1 exchanges as it is told to, and lets the oldest go for one more",
		kit.Requirement("RFC6407-7.2.5-02"), func(ctx SpecContext) {
			const kept = 6
			s := keeping(ctx, policy.HalfOpen{Total: kept})
			for i := range kept - 1 {
				s.stranger(neighbour(i))
			}
			s.arrives()
			Expect(s.forgotten()).To(BeFalse(), "there is room for all of them")
			s.stranger(neighbour(kept))
			s.arrives()
			Expect(s.forgotten()).To(BeTrue(), "the oldest has given way to one more")
		})

	It("keeps as many unfinished Phase 1 exchanges with one address as it is told to, and lets its oldest go for one more",
		kit.Requirement("RFC6407-7.2.5-02"), func(ctx SpecContext) {
			const kept = 4
			s := keeping(ctx, policy.HalfOpen{PerAddress: kept})
			from := func(i int) netip.AddrPort { return netip.AddrPortFrom(s.GM[0].Addr().Addr(), uint16(5000+i)) }
			for i := range kept - 1 {
				s.stranger(from(i))
			}
			for i := range 2 * kept {
				s.stranger(neighbour(i))
			}
			s.arrives()
			Expect(s.forgotten()).To(BeFalse(), "there is room for all of that address, whatever others do")
			s.stranger(from(kept))
			s.arrives()
			Expect(s.forgotten()).To(BeTrue(), "the oldest of that address has given way to one more")
		})

	It("lets a member register while strangers send first messages without end", kit.Requirement("RFC6407-7.2.5-02"), kit.Negative,
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			const kept, strangers, rounds = 20, 200, 250
			s := keeping(ctx, policy.HalfOpen{Total: kept})
			registered := func() bool { return s.GM[1].Registered(ctx) }
			for round := range rounds {
				for i := range 4 {
					s.stranger(distant((4*round + i) % strangers))
				}
				s.Pass(ctx, 2*time.Millisecond)
				if round == rounds/2 {
					kit.Precondition(s.GM[1].Start(ctx), "the second member starts")
				}
			}
			status, err := s.KS.KSStatus(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(status.HalfOpen).To(BeNumerically("<=", kept), "it keeps no more than it is told to")
			Expect(status.Groups[0].Members).To(HaveLen(1), "nobody else is let in")
			kit.Control(registered(), "a member registers in their midst")
		})

	It("lets a member register while another one begins PULLs without end", kit.Requirement("RFC6407-7.2.5-02", "RFC6407-7.2.5-04"),
		kit.Negative, func(ctx SpecContext) {
			const pulls = 300
			l := kit.Lab(ctx, lab.Setup{Members: 2})
			kit.Precondition(l.KS.Start(ctx), "the key server starts")
			kit.Precondition(l.GM[0].Start(ctx), "the first member starts")
			kit.Precondition(l.GM[0].AwaitRegistered(ctx), "the first member registers")
			before, err := l.KS.KSStatus(ctx)
			Expect(err).NotTo(HaveOccurred())
			for id := range uint32(pulls) {
				beginPull(l, id+1)
			}
			l.Pass(ctx, time.Second)
			after, err := l.KS.KSStatus(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(after.Groups[0].NextSID).To(Equal(before.Groups[0].NextSID), "message 1 takes no Sender-ID")
			Expect(after.Groups[0].Members).To(HaveLen(1))
			kit.Precondition(l.GM[1].Start(ctx), "the second member starts")
			kit.Control(l.GM[1].AwaitRegistered(ctx) == nil, "another member registers")
		})
})

// beginPull sends message 1 of a PULL by hand, under the first member's Phase 1 SA.
func beginPull(l *lab.Lab, id uint32) {
	GinkgoHelper()
	s := &scene{Lab: l}
	var phase1 keylog.Entry
	for _, e := range l.GM[0].Keys() {
		if e.Kind == keylog.KindPhase1 {
			phase1 = e
		}
	}
	var last []byte
	for _, data := range s.answers(l.GM[0].Addr()) {
		if h, err := isakmp.ParseHeader(data); err == nil && h.Exchange == isakmp.ExchangeMainMode {
			last = data
		}
	}
	p, err := tester.NewPull(phase1, last, id)
	kit.Precondition(err, "there is a Phase 1 SA to use")
	data, err := p.First([]byte("a nonce of 24 octets, ha"), lab.GroupID)
	kit.Precondition(err, "the tester makes a message")
	s.puts(l.GM[0].Addr(), data)
}

package rekey

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Repeated and missed GROUPKEY-PUSH messages at a member (RFC 6407 §7.3)", kit.Subject("rekey"), kit.DUT(rule.GM), func() {
	for _, c := range []struct {
		how   string
		alter []func(*policy.Group)
	}{{"unicast", nil}, {"multicast", multicast}} {
		It("takes a "+c.how+" rekey once, of which three copies come", kit.Requirement("RFC6407-7.3.4-02", "RFC6407-7.3.4-01"), kit.Negative,
			func(ctx SpecContext) {
				s := group(ctx, c.alter...)
				since := kit.Now(s.Lab)
				s.Intercept(func(c *lab.Crossing) {
					if exchangeOf(c.Packet) == isakmp.ExchangePush {
						c.Copies = 2
					}
				})
				thrice := s.rekey(control.RekeyArgs{})
				Expect(s.follows(thrice)).To(BeTrue())
				s.Intercept(nil)
				next := s.rekey(control.RekeyArgs{})
				kit.Control(s.follows(next), "it takes the next rekey")
				Expect(s.taken(since)).To(Equal([]uint32{thrice.Sequence, next.Sequence}), "it acknowledges the message once")
				Expect(s.refused("RFC6407-7.3.4-02", 2)).To(Equal(2), "its log says that it knew two messages already, before it looked at their number")
				Expect(s.refusals("RFC6407-4.4-02")).To(BeZero())
			})
	}

	It("takes a copy of the rekey that replaced its KEK for what it is", kit.Requirement("RFC6407-7.3.4-02", "RFC6407-4-05"), kit.Negative,
		func(ctx SpecContext) {
			s := group(ctx)
			copied := s.recorded(isakmp.ExchangePush)
			replacing := s.rekey(control.RekeyArgs{KEK: true})
			kit.Reached(s.follows(replacing), "the member takes the new KEK")
			s.Intercept(nil)

			since := kit.Now(s.Lab)
			s.Inject(s.KS.Name(), (*copied)[0])
			next := s.rekey(control.RekeyArgs{})
			kit.Control(s.follows(next), "it takes a rekey under the new KEK")
			Expect(s.taken(since)).To(Equal([]uint32{next.Sequence}), "it does not acknowledge the copy")
			Expect(s.pulls(since)).To(BeEmpty())
		})

	It("looks at the number of a rekey before its SIG", kit.Requirement("RFC6407-7.3.5-01", "RFC6407-4.4-02"), kit.Negative, func(ctx SpecContext) {
		s := group(ctx)
		accepted := s.rekey(control.RekeyArgs{})
		kit.Reached(s.follows(accepted), "the member follows an ordinary rekey")
		since := kit.Now(s.Lab)
		s.rekey(control.RekeyArgs{}, tester.SEQ(core.Push, accepted.Sequence), tester.WrongSignature(core.Push))
		next := s.rekey(control.RekeyArgs{})
		kit.Control(s.follows(next), "it takes the next rekey")
		Expect(s.taken(since)).To(Equal([]uint32{next.Sequence}))
		Expect(s.refused("RFC6407-4.4-02", 1)).To(Equal(1), "its log says that it refused the message for its number")
		Expect(s.refusals("RFC6407-4.4-03")).To(BeZero(), "and not for its SIG, which costs more to see")
	})

	It("looks at the form of a rekey before its number", kit.Requirement("RFC6407-7.3.5-01", "RFC6407-4.4-01"), kit.Negative, func(ctx SpecContext) {
		s := group(ctx)
		accepted := s.rekey(control.RekeyArgs{})
		kit.Reached(s.follows(accepted), "the member follows an ordinary rekey")
		since := kit.Now(s.Lab)
		s.rekey(control.RekeyArgs{}, tester.SEQ(core.Push, accepted.Sequence), inOrder(seq, kd, sa))
		next := s.rekey(control.RekeyArgs{})
		kit.Control(s.follows(next), "it takes the next rekey")
		Expect(s.taken(since)).To(Equal([]uint32{next.Sequence}))
		Expect(s.refused("RFC6407-4.4-01", 1)).To(Equal(1), "its log says that it refused the message for its form")
		Expect(s.refusals("RFC6407-4.4-02")).To(BeZero(), "and not for its number")
	})

	It("takes no rekey from before its registration when it has lost its memory", kit.Requirement("RFC6407-3.2-15", "RFC6407-4.4-02"), kit.Negative,
		func(ctx SpecContext) {
			s := group(ctx)
			old := s.recorded(isakmp.ExchangePush)
			for range 2 {
				kit.Reached(s.follows(s.rekey(control.RekeyArgs{})), "the member follows a rekey")
			}
			s.Intercept(nil)
			kit.Precondition(s.GM[0].Stop(), "the member stops")
			kit.Precondition(s.GM[0].Start(ctx), "the member starts again") // KS --> GM  HDR*, HASH(4), SEQ 2, KD
			kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the member registers")
			before, since := s.protects(), kit.Now(s.Lab)

			for _, packet := range *old {
				s.Inject(s.KS.Name(), packet)
			}
			s.refuses("RFC6407-4.4-02", len(*old)-1, since)
			Expect(s.sending()).To(Equal(before), "it goes on with the keys that it registered for")
			next := s.rekey(control.RekeyArgs{})
			kit.Control(s.follows(next), "it takes a rekey from after its registration")
			Expect(s.taken(since)).To(Equal([]uint32{next.Sequence}), "it acknowledges no old message")
			s.expectRefused("RFC6407-4.4-02", len(*old), "its log says that it refused every old message for its number")
		})

	It("registers again before its SAs end if no rekey comes, and goes on sending", kit.Requirement("RFC6407-5.5.1-11"),
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			s := group(ctx, func(g *policy.Group) { g.SAs[0].Lifetime = 10 * time.Minute })
			first, given, since := s.protects(), s.Now(), kit.Now(s.Lab)
			s.withhold(isakmp.ExchangePush)
			Expect(s.Wait(ctx, 10*time.Minute, func() bool { return s.registeredTimes() > 1 })).To(BeTrue(), "it registers again")
			Expect(s.Now()).To(BeTemporally("<", given.Add(10*time.Minute)), "while its SA is alive")
			Expect(s.pulls(since)).NotTo(BeEmpty())
			second := s.sending()
			Expect(second).NotTo(BeElementOf(first, nothing), "it sends under the SA that it has missed")

			s.Intercept(nil)
			Expect(s.follows(s.rekey(control.RekeyArgs{}))).To(BeTrue(), "it has the number that belongs to it, too, and takes the next rekey")
		})
})

// recorded keeps the packets of an exchange that the key server sends from now on.
func (s *scene) recorded(exchange isakmp.ExchangeType) *[][]byte {
	var packets [][]byte
	s.Intercept(func(c *lab.Crossing) {
		if c.From == s.KS.Name() && exchangeOf(c.Packet) == exchange {
			packets = append(packets, c.Packet)
		}
	})
	return &packets
}

// registeredTimes is how often the member has registered.
func (s *scene) registeredTimes() int { return s.GM[0].Registrations() }

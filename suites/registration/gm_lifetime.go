package registration

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Lifetimes given at registration (RFC 6407 §5.3.4, RFC 2407 §4.5)", kit.Subject("registration"),
	kit.DUT(rule.GM), func() {
		It("takes rekeys under a KEK until its lifetime ends", kit.Requirement("RFC6407-5.3.4-01"), kit.Negative,
			kit.Needs(lab.NeedVirtualTime),
			func(ctx SpecContext) {
				const lifetime = 100 * time.Second
				l := newLab(ctx, nil, nil)
				misbehave(l, sakWith("KEK_KEY_LIFETIME 100", wire.TLV32(gdoi.KEKKeyLifetime, uint32(lifetime.Seconds()))))
				start(ctx, l)
				kit.Precondition(l.GM[0].AwaitRegistered(ctx), "the member registers")
				given := l.Now()
				misbehave(l, tester.Withhold(core.Pull2)) // no other registration from here on

				passUntil(ctx, l, given.Add(lifetime-5*time.Second))
				last := kit.Rekey(ctx, l, control.RekeyArgs{})
				Expect(follows(ctx, l, last.SPIs[0])).To(BeTrue(), "it takes a rekey 5 s before the end")

				passUntil(ctx, l, given.Add(lifetime+5*time.Second))
				late := kit.Rekey(ctx, l, control.RekeyArgs{})
				Expect(follows(ctx, l, late.SPIs[0])).To(BeFalse(), "it takes none 5 s after the end")
				behave(l)
				kit.Control(follows(ctx, l, late.SPIs[0]), "it gets the same keys by registering")
			})

		It("keeps an SA without lifetime for 28800 s", kit.Requirement("RFC2407-4.5-03"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			const lifetime = 28800 * time.Second
			l := newLab(ctx, withoutRekey, nil)
			misbehave(l, satWithout(gdoi.SALifeType), satWithout(gdoi.SALifeDuration))
			start(ctx, l)
			Expect(l.GM[0].AwaitRegistered(ctx)).To(Succeed())
			given := l.Now()
			kit.Precondition(l.KS.Stop(), "the key server stops")

			passUntil(ctx, l, given.Add(lifetime-500*time.Millisecond))
			Expect(sending(ctx, l)).NotTo(Equal(nothing), "it sends half a second before the end")
			passUntil(ctx, l, given.Add(lifetime+500*time.Millisecond))
			Expect(sending(ctx, l)).To(Equal(nothing), "it sends no more half a second after the end")
		})
	})

// passUntil lets time pass until then.
func passUntil(ctx SpecContext, l *lab.Lab, then time.Time) { l.Pass(ctx, then.Sub(l.Now())) }

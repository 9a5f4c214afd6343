package lifecycle

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// passing is how long Phase 1 SAs live where they do not live long.
const passing = 2 * time.Second

// outlived has a group whose members have no Phase 1 SA any more: its Rekey SA is not bound to them.
func outlived(ctx SpecContext, alter ...func(*policy.Group)) *scene {
	GinkgoHelper()
	l := kit.Up(ctx, lab.Setup{Members: 2, Hosts: true, Group: asking(alter...),
		KeyServer: func(c *policy.KeyServer) { c.Phase1.Lifetime = passing },
		Member: func(i int, c *policy.Member) {
			hasty(i, c)
			c.Phase1.Lifetime = passing
		}})
	l.Pass(ctx, 2*passing)
	return &scene{l, ctx}
}

var ways = []struct {
	how   string
	alter []func(*policy.Group)
}{{"by unicast", nil}, {"by multicast", []func(*policy.Group){lab.Multicast}}}

var _ = Describe("A Rekey SA that outlives Phase 1 at a key server (RFC 6407 §4)", kit.Subject("lifecycle"), kit.DUT(rule.KS), func() {
	for _, c := range ways {
		It("sends rekeys "+c.how+" to members whose Phase 1 SA has ended", kit.Requirement("RFC6407-4-09", "RFC6407-4.3-01"), func(ctx SpecContext) {
			s := outlived(ctx, c.alter...)
			for _, what := range []control.RekeyArgs{{}, {KEK: true}, {}} {
				p := s.rekey(what)
				for i := range s.GM {
					Expect(s.carriesOut(i+1, p)).To(BeTrue(), "gm%d gets it", i+1)
				}
			}
		})
	}
})

var _ = Describe("A Rekey SA that outlives Phase 1 at a group member (RFC 6407 §4.4)", kit.Subject("lifecycle"), kit.DUT(rule.GM), func() {
	for _, c := range ways {
		It("follows rekeys "+c.how+" though its Phase 1 SA has ended, and has no reason to register again",
			kit.Requirement("RFC6407-4.4-04", "RFC6407-4-05"), func(ctx SpecContext) {
				s := outlived(ctx, c.alter...)
				before := s.registrations(1)
				for _, what := range []control.RekeyArgs{{}, {KEK: true}, {}} {
					p := s.rekey(what)
					Expect(s.carriesOut(1, p)).To(BeTrue())
					s.goesOver(1, p)
					Expect(s.protects(1, 2)).To(Equal(p.SPIs[0]), "it sends under the new SA")
				}
				Expect(s.registrations(1)).To(Equal(before))
			})
	}
})

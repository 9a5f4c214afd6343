package timers

import (
	"cmp"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("The lifetimes that a key server of GET VPN hands out", kit.Subject("timers"), kit.DUT(rule.KS), func() {
	for _, c := range []struct {
		what         string
		kek, tek     int // 0: not configured
		requirements []string
	}{
		{"what nobody has configured", 0, 0, []string{"GETVPN-TIMER-03", "GETVPN-TIMER-07"}},
		{"a day and a second", 86401, 86401, []string{"GETVPN-LONGSA-01"}},
		{"30 days", 2592000, 2592000, []string{"GETVPN-LONGSA-01"}},
	} {
		It("tells members "+c.what+" as it is", kit.Requirement(c.requirements...), func(ctx SpecContext) {
			s := group(ctx, 1, living(c.kek, c.tek))
			given := s.given(1)
			Expect(ends(given, lifeOfKEK).Sub(given.At)).To(about(seconds(cmp.Or(c.kek, 86400))))
			if c.tek == 0 {
				kit.Reading("GETVPN-TIMER-03", "a TEK of which nothing is configured lives %s s", kit.Value(given, lifeOfTEK))
			}
			Expect(ends(given, lifeOfTEK).Sub(given.At)).To(Or(about(seconds(cmp.Or(c.tek, 3600))), about(seconds(cmp.Or(c.tek, 86400)))))
		})
	}

	for _, c := range []struct {
		requirement string
		kek, tek    int
		advised     bool
	}{
		{"GETVPN-TIMER-06", 3600, 3600, true},
		{"GETVPN-TIMER-06", 7200, 3600, true},
		{"GETVPN-TIMER-06", 10800, 3600, false},
		{"GETVPN-TIMER-13", 86400, 300, true},
		{"GETVPN-TIMER-13", 86400, 900, true},
		{"GETVPN-TIMER-13", 86400, 901, false},
		{"GETVPN-TIMER-13", 86400, 2700, false},
	} {
		says := "says nothing of"
		if c.advised {
			says = "advises its operator against"
		}
		It(fmt.Sprintf("%s a KEK of %d s with a TEK of %d s, and works", says, c.kek, c.tek), kit.Requirement(c.requirement), func(ctx SpecContext) {
			s := group(ctx, 1, living(c.kek, c.tek))
			Expect(s.tells("LIFETIME_ADVICE", c.advised)).To(Equal(c.advised))
			Expect(ends(s.given(1), lifeOfTEK).Sub(s.given(1).At)).To(about(seconds(c.tek)))
		})
	}

	It("hands out long lifetimes for a group without a KEK as well", kit.Requirement("GETVPN-LONGSA-01"), func(ctx SpecContext) {
		s := group(ctx, 1, living(0, 2592000), func(g *policy.Group) { g.Rekey = policy.RekeyPolicy{Transport: policy.TransportNone} })
		given := s.given(1)
		Expect(ends(given, lifeOfTEK).Sub(given.At)).To(about(seconds(2592000)))
	})
})

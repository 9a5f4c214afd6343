package timers

import (
	"cmp"

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
			Expect(ends(given, lifeOfTEK).Sub(given.At)).To(about(seconds(cmp.Or(c.tek, 3600))))
		})
	}

	It("hands out long lifetimes for a group without a KEK as well", kit.Requirement("GETVPN-LONGSA-01"), func(ctx SpecContext) {
		s := group(ctx, 1, living(0, 2592000), func(g *policy.Group) { g.Rekey = policy.RekeyPolicy{Transport: policy.TransportNone} })
		given := s.given(1)
		Expect(ends(given, lifeOfTEK).Sub(given.At)).To(about(seconds(2592000)))
	})
})

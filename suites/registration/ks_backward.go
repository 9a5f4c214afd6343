package registration

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// ksBackward is a group whose new members are to read nothing from before.
func ksBackward(g *policy.Group) { g.Rekey.Backward = true }

var _ = Describe("Backward access control of a key server (RFC 6407 §7.4.2)", kit.Subject("registration"), kit.DUT(rule.KS), func() {
	for _, c := range []struct {
		how   string
		alter func(*policy.Group)
	}{{"by unicast", func(*policy.Group) {}}, {"by multicast", lab.Multicast}} {
		It("gives a member that joins no Data-Security SA that was in use before, and tells the others of new ones "+c.how,
			kit.Requirement("RFC6407-7.4.2-01"), func(ctx SpecContext) {
				l := kit.Lab(ctx, lab.Setup{Members: 2, Hosts: true, Group: func(g *policy.Group) {
					ksBackward(g)
					c.alter(g)
				}})
				kit.Precondition(l.KS.Start(ctx), "the key server starts")
				ksJoined(ctx, l, 1)
				before := kit.Rekey(ctx, l, control.RekeyArgs{})
				kit.Reached(kit.SwitchesTo(ctx, l, 1, 2, before.SPIs[0]), "the first member sends under an SA that a rekey has brought")
				used := append(before.SPIs, ksValues(ksSecond(ctx, l, 1), "SA/SAT/SPI")...)
				since := kit.Now(l)
				ksJoined(ctx, l, 2)
				given := append(ksValues(ksSecond(ctx, l, 2), "SA/SAT/SPI"), ksValues(ksFourth(ctx, l, 2), ksTEK+"/SPI")...)
				for _, spi := range used {
					Expect(given).NotTo(ContainElement(spi), "of an SA from before")
				}
				var told []string
				Expect(l.Wait(ctx, lab.Patience, func() bool {
					told = ksTold(l, since)
					return len(told) > 0
				})).To(BeTrue(), "the first member is told of new SAs")
				for i := range l.GM {
					Expect(kit.SwitchesTo(ctx, l, i+1, 2-i, told[0])).To(BeTrue(), "gm%d sends under what both have", i+1)
				}
			})
	}

	It("gives a member that registers again what the group has", kit.Requirement("RFC6407-7.4.2-01", "RFC6407-3.4-02"), func(ctx SpecContext) {
		l := kit.Lab(ctx, lab.Setup{Members: 1, Group: ksBackward})
		kit.Precondition(l.KS.Start(ctx), "the key server starts")
		ksJoined(ctx, l, 1)
		next := kit.Rekey(ctx, l, control.RekeyArgs{})
		ksAgain(ctx, l, 1)
		Expect(ksValues(kit.Last(ksAllPulls(l, "PULL2")), "SA/SAT/SPI")).To(Equal(next.SPIs))
	})
})

// ksTold are the SPIs of the Data-Security SAs that rekeys have brought since the mark.
func ksTold(l *lab.Lab, since kit.Mark) (spis []string) {
	for _, m := range kit.MessagesSince(l, since, "PUSH") {
		spis = append(spis, ksValues(m, "SA/SAT/SPI")...)
	}
	return spis
}

package membership

import (
	"context"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// aside has the key server be behind another interface of gm1 than the one that stands for the group, and gm1 join streams there by hand.
func aside(ctx context.Context, joins ...policy.Stream) *lab.Lab {
	GinkgoHelper()
	setup := hosts(2, promptly, lab.Multicast)
	setup.Aside = []int{1}
	setup.Member = func(i int, c *policy.Member) {
		if hasty(i, c); i == 1 {
			c.Joins = joins
		}
	}
	return kit.Up(ctx, setup)
}

// byHand is the stream of the rekeys on the interface by which they come.
func byHand(source netip.Addr) policy.Stream {
	return policy.Stream{Group: lab.MulticastGroup, Interface: lab.AsideName, Source: source}
}

// hears has the key server rekey, which gm2 hears for certain, and reports whether gm1 goes over to the new SA.
func hears(ctx context.Context, l *lab.Lab) bool {
	GinkgoHelper()
	before := kit.SendingSPI(ctx, l, 1, 2)
	rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
	kit.Reached(kit.Takes(ctx, l, 2, rekey), "the rekey comes to a member by the interface of its address")
	l.Pass(ctx, kit.Settle)
	after := kit.SendingSPI(ctx, l, 1, 2)
	Expect(after).To(Or(Equal(before), WithTransform(kit.SPI, Equal(rekey.SPIs[0]))))
	return after != before
}

var _ = Describe("Rekeys by multicast that come by another interface (profile getvpn)", kit.Subject(subject), kit.DUT(rule.GM), func() {
	var anybody netip.Addr

	It("are not heard unless they are joined there by hand", kit.Requirement("GETVPN-MCAST-11"), kit.Negative, func(ctx SpecContext) {
		Expect(hears(ctx, aside(ctx))).To(BeFalse())
		kit.Control(hears(ctx, aside(ctx, byHand(anybody))), "joined by hand on that interface, it hears them")
	})

	It("are heard of the source that the join names, and of no other", kit.Requirement("GETVPN-MCAST-11"), kit.Negative, func(ctx SpecContext) {
		Expect(hears(ctx, aside(ctx, byHand(lab.MemberAddr(2))))).To(BeFalse(), "another source than the key server")
		kit.Control(hears(ctx, aside(ctx, byHand(lab.KeyServerAddr))), "it hears the key server")
	})

	It("are heard as long as the join is configured", kit.Requirement("GETVPN-MCAST-11"), kit.Negative, func(ctx SpecContext) {
		l := aside(ctx, byHand(anybody))
		kit.Control(hears(ctx, l), "joined by hand it hears them")
		kit.Precondition(l.GM[0].TakeJoins(ctx), "the join is taken away")
		Expect(hears(ctx, l)).To(BeFalse())
	})
})

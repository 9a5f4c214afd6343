package registration

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// sharing gives the key server so many of the group's Sender-IDs; the others are those of other key servers.
func sharing(first, last uint32) func(*policy.Group) {
	return func(g *policy.Group) { g.SIDRange = policy.SIDRange{First: first, Last: last} }
}

var _ = Describe("Sender-IDs of one key server among several (RFC 6054 §4)", kit.Subject("registration"), kit.DUT(rule.KS), func() {
	const first, last = 100, 103

	for _, share := range []struct {
		name        string
		first, last uint32
	}{{"of its own share", first, last}, {"of a share that ends with the last there is", ksSIDs - 4, ksSIDs - 1}, {"of a share that begins with 0", 0, 3}} {
		It("hands out SIDs "+share.name+" only, and makes new SAs when they are used up", kit.Requirement("RFC6054-4-04", "RFC6054-4-05", "RFC6407-3.5-10"),
			func(ctx SpecContext) {
				l := ksLab(ctx, lab.Setup{Members: 2, Group: sharing(share.first, share.last)})
				ksCome(ctx, l, 1, tester.SenderIDRequest(3))
				Expect(ksGiven(ksFourth(ctx, l, 1))).To(Equal(ksCount(int(share.first), int(share.first)+3)))
				ksCome(ctx, l, 2)
				Expect(ksGiven(ksFourth(ctx, l, 2))).To(Equal(ksCount(int(share.last), int(share.last)+1)), "the last of them")
				old := kit.Last(ksPulls(l, 2, "PULL2"))
				ksAgain(ctx, l, 2)
				Expect(ksGiven(kit.Last(ksPulls(l, 2, "PULL4")))).To(Equal(ksCount(int(share.first), int(share.first)+1)), "the first once more")
				Expect(kit.Value(kit.Last(ksPulls(l, 2, "PULL2")), "SA/SAT/SPI")).NotTo(Equal(kit.Value(old, "SA/SAT/SPI")), "for another SA")
			})
	}

	It("refuses a member that asks for more SIDs than its share has", kit.Requirement("RFC6054-4-04", "RFC6054-4-05"), kit.Negative,
		func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{Group: sharing(first, last)})
			ksRefuses(ctx, l, 1, "RFC6054-4-05", tester.SenderIDRequest(last-first+2))
			Expect(ksGiven(kit.Last(ksPulls(l, 1, "PULL4")))).To(Equal(ksCount(first, first+1)))
		})
})

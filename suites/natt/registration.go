package natt

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("The port of a registration at a key server (RFC 6407 §2.2)", kit.Subject("natt"), kit.DUT(rule.KS), kit.Feature("nat-traversal"), func() {
	moved(keyServerSide, core.MainMode6)
})

var _ = Describe("The port of a registration at a group member (RFC 6407 §2.2)", kit.Subject("natt"), kit.DUT(rule.GM), kit.Feature("nat-traversal"), func() {
	moved(memberSide, core.MainMode5)
})

// moved makes the specs of where a registration goes on, which is decided with that message of the device.
func moved(mine side, decides core.Kind) {
	It(mine.name+" goes on with a registration behind a NAT on port 4500, and completes it there", kit.Requirement("RFC6407-2.2-03"), func(ctx SpecContext) {
		s := begin(ctx, behind())
		for _, kind := range []core.Kind{decides, mine.pulls()[0], mine.pulls()[1]} {
			d := s.message(ctx, s.device, kind)
			Expect(d.from.Port()).To(BeEquivalentTo(port), "%s leaves from there", kind)
			Expect(d.marked).To(BeTrue(), "%s has a marker", kind)
		}
		Expect(s.registered(ctx)).To(BeTrue())
	})

	It(mine.name+" stays on port 848 with a peer behind a NAT that cannot do otherwise, and completes the registration there",
		kit.Requirement("RFC6407-2.2-03"), func(ctx SpecContext) {
			s := begin(ctx, behind(), tester.NoNATVendor(mine.other().offers))
			for _, kind := range []core.Kind{decides, mine.pulls()[0], mine.pulls()[1]} {
				d := s.message(ctx, s.device, kind)
				Expect(d.from.Port()).To(BeEquivalentTo(lab.Port), "%s leaves from there", kind)
				Expect(d.marked).To(BeFalse(), "%s has no marker", kind)
			}
			Expect(s.registered(ctx)).To(BeTrue())
		})
}

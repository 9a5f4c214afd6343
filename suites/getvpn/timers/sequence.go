package timers

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("The number of the last rekey as a device of GET VPN shows it", kit.Subject("timers"), func() {
	// counts compares what is shown with the numbers on the wire.
	counts := func(ctx SpecContext, shown func(*scene) uint32) {
		GinkgoHelper()
		s := group(ctx, 1)
		Expect(shown(s)).To(BeZero(), "there has been no rekey")
		kit.Reading("GETVPN-SEQ-12", "before the first rekey it shows the number 0")
		for range 3 {
			since := kit.Now(s.Lab)
			next := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			kit.Reached(kit.Takes(ctx, s.Lab, 1, next), "the member takes a rekey")
			Expect(numbers(s.pushes(since))).To(Equal([]string{fmt.Sprint(shown(s))}))
		}
	}

	It("is the one on the wire, at a key server", kit.Requirement("GETVPN-SEQ-12"), kit.DUT(rule.KS), func(ctx SpecContext) {
		counts(ctx, func(s *scene) uint32 {
			status, err := s.KS.KSStatus(ctx)
			kit.Precondition(err, "the key server tells its state")
			return status.Groups[0].Sequence
		})
	})

	It("is the one on the wire, at a member", kit.Requirement("GETVPN-SEQ-12"), kit.DUT(rule.GM), func(ctx SpecContext) {
		counts(ctx, func(s *scene) uint32 {
			status, err := s.GM[0].GMStatus(ctx)
			kit.Precondition(err, "the member tells its state")
			return status.Sequence
		})
	})
})

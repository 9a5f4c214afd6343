package registration

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Conflicting attributes at a member (RFC 2407 §4.5.2)", kit.Subject("registration"), kit.DUT(rule.GM), func() {
	for _, c := range []struct {
		says      string
		deviation tester.Deviation
	}{
		{"names two modes", satFirst("Encapsulation Mode 2 and 1", wire.TV(gdoi.EncapsulationMode, 2))},
		{"names two lifetimes", satFirst("lifetimes of 60 s and another", wire.TV(gdoi.SALifeType, 1), wire.TLV32(gdoi.SALifeDuration, 60))},
	} {
		It("answers a SAT that "+c.says+" with ATTRIBUTES-NOT-SUPPORTED, under the SA", kit.Requirement("RFC2407-4.5.2-02", "RFC2408-3.14-01"), func(ctx SpecContext) {
			l := newLab(ctx, nil, nil)
			misbehave(l, tester.Once(c.deviation))
			start(ctx, l)
			var told []capture.Message
			l.Wait(ctx, lab.Patience, func() bool {
				told = notified(l, isakmp.NotifyAttributesNotSupported)
				return len(told) > 0
			})
			Expect(told).To(HaveLen(1))
			Expect(told[0].Header.Flags&isakmp.FlagEncryption).NotTo(BeZero(), "it is protected")
			Expect(told[0].Err).To(BeEmpty(), "the notification has its layout")
			Expect(kit.Value(told[0], "N/DOI")).To(HavePrefix("GDOI"))
			Expect(kit.Value(told[0], "N/Protocol")).To(HavePrefix("ISAKMP"))
			Expect(l.GM[0].AwaitRegistered(ctx)).To(Succeed(), "it takes a policy without that")
		})
	}
})

// notified are the first member's notifications of that type.
func notified(l *lab.Lab, t isakmp.NotifyType) (found []capture.Message) {
	for _, m := range kit.MessagesSince(l, 0, core.Informational.String()) {
		if m.From.Addr() == l.GM[0].Addr().Addr() && kit.Value(m, "N") == t.String() {
			found = append(found, m)
		}
	}
	return found
}

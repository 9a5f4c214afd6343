package algorithms

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("ESP transforms (RFC 6407 §5.5.1)", kit.Subject("algorithms"), kit.DUT(rule.Both), func() {
	It("carries traffic before and after a rekey under the default transform", kit.Requirement("RFC6407-5.5.1-07"), func(ctx SpecContext) {
		carries(ctx, lab.Setup{})
	})
})

// carries registers two members, has their hosts talk, rekeys, and has them talk under the new SAs.
func carries(ctx context.Context, setup lab.Setup) *lab.Lab {
	GinkgoHelper()
	setup.Members, setup.Hosts = 2, true
	l := kit.Lab(ctx, setup)
	Expect(l.Up(ctx)).To(Succeed(), "every member registers")
	Expect(kit.Ping(ctx, l, 1, 2, 2).Received).To(Equal(2), "answers before the rekey")
	old := kit.SendingSPI(ctx, l, 1, 2)
	result, err := l.KS.Rekey(ctx, control.RekeyArgs{KEK: true})
	Expect(err).NotTo(HaveOccurred(), "the key server rekeys")
	Expect(result.SPIs).NotTo(BeEmpty())
	for i := range l.GM {
		Expect(kit.SwitchesTo(ctx, l, i+1, 2-i, result.SPIs[0])).To(BeTrue(), "member %d sends under the new SA", i+1)
	}
	since := kit.Now(l)
	Expect(kit.Ping(ctx, l, 1, 2, 2).Received).To(Equal(2), "answers after the rekey")
	Expect(kit.ClearSince(l, since)).To(BeEmpty(), "packets in clear")
	for _, p := range kit.ESPSince(l, since) {
		Expect(p.SPI).NotTo(Equal(old), "a packet under the replaced SA")
	}
	return l
}

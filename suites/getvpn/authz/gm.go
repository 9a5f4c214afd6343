package authz

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("A member of GET VPN whose pre-shared key changes", kit.Subject("authz"), kit.DUT(rule.GM), kit.Feature("profile:getvpn"), func() {
	It("goes on in its group, and registers with the new key the next time", kit.Requirement("GETVPN-AUTHZ-03"), kit.Negative, func(ctx SpecContext) {
		setup := network(policy.Authorization{Addresses: addresses(1, 2)})
		setup.Hosts = true
		l := kit.Up(ctx, setup)
		before := kit.SendingSPI(ctx, l, 1, 2)
		kit.Reached(before != 0, "packets of its hosts are protected")
		renew := func(keys []policy.PSK) { keys[0].Key = []byte("another key of the lab") }
		_, err := l.KS.Configure(ctx, func(c *policy.KeyServer) { renew(c.Phase1.PSKs) })
		kit.Precondition(err, "the key server takes another pre-shared key")

		kit.Precondition(l.GM[0].TakeKeys(ctx, renew), "the member takes it, too")
		Expect(kit.SendingSPI(ctx, l, 1, 2)).To(Equal(before), "its hosts' packets go on under the SA that it has")
		Expect(kit.Takes(ctx, l, 1, kit.Rekey(ctx, l, control.RekeyArgs{}))).To(BeTrue(), "rekeys go on")
		since := kit.Now(l)
		kit.Precondition(l.GM[0].Clear(ctx), "it registers afresh")
		Expect(l.Wait(ctx, lab.Patience, func() bool { return gets(l, since, 1) })).To(BeTrue(), "it registers with the new key")

		since = kit.Now(l)
		kit.Precondition(l.GM[1].Clear(ctx), "another member registers afresh")
		l.Pass(ctx, kit.Settle)
		Expect(gets(l, since, 2)).To(BeFalse(), "with the key from before nobody does")
		kit.Precondition(l.GM[1].TakeKeys(ctx, renew), "it takes the new key")
		kit.Precondition(l.GM[1].Clear(ctx), "and begins anew")
		kit.Control(l.Wait(ctx, lab.Patience, func() bool { return gets(l, since, 2) }), "with the new key it registers")
	})
})

// gets reports whether member i has been given keys since the mark.
func gets(l *lab.Lab, since kit.Mark, i int) bool {
	for _, m := range kit.MessagesSince(l, since, core.Pull4.String()) {
		if m.To.Addr() == l.GM[i-1].Addr().Addr() {
			return true
		}
	}
	return false
}

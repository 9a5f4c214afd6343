package pairs

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Two devices and the traffic of their hosts (RFC 6407 §5.5, RFC 5374 §3.1)", kit.Subject("pairs"), kit.DUT(rule.Both), kit.Scene(kit.DataPlane), func() {
	for _, c := range []struct {
		name      string
		transform policy.Transform
	}{{"AES-GCM", lab.GCM()}, {"AES-CBC with HMAC-SHA-256", lab.CBC()}} {
		It("hosts reach each other in ESP between their own addresses, and nothing of it is in clear: "+c.name,
			kit.Requirement("RFC6407-3.3-07", "RFC5374-3.1-01", "RFC5374-3.1-02"), func(ctx SpecContext) {
				const count = 5
				l := up(ctx, lab.Setup{Members: 2, Hosts: true, Group: func(g *policy.Group) { g.SAs[0].Transform = c.transform }})
				since := kit.Now(l)
				Expect(kit.Ping(ctx, l, 1, 2, count).Received).To(Equal(count), "answers")
				Expect(kit.ClearSince(l, since)).To(BeEmpty(), "packets in clear")
				packets := kit.ESPSince(l, since)
				Expect(packets).To(HaveLen(2*count), "packets in ESP")
				for _, p := range packets {
					Expect(lab.Protected.Contains(p.From) && lab.Protected.Contains(p.To)).To(BeTrue(), "from %s to %s", p.From, p.To)
					Expect(p.SPI).To(Equal(packets[0].SPI), "all in the group's SA")
				}
			})
	}
	It("members go over to the SA of a rekey", kit.Requirement("RFC6407-4-06"), func(ctx SpecContext) {
		l := up(ctx, lab.Setup{Members: 2, Hosts: true})
		rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
		Expect(rekey.SPIs).NotTo(BeEmpty(), "SAs of the rekey")
		for i := range l.GM {
			Expect(kit.SwitchesTo(ctx, l, i+1, 2-i, rekey.SPIs[0])).To(BeTrue(), "%s sends under the SA of the rekey", l.GM[i].Name())
		}
	})
	It("each member opens what any other has sent, in a group of three", kit.Requirement("RFC6407-3.3-07"), func(ctx SpecContext) {
		const members = 3
		l := up(ctx, lab.Setup{Members: members, Hosts: true})
		for from := 1; from <= members; from++ {
			to := from%members + 1
			Expect(kit.Ping(ctx, l, from, to, 2).Received).To(Equal(2), "answers of %s to %s", lab.HostName(to), lab.HostName(from))
		}
	})
})

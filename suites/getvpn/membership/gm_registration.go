package membership

import (
	"net/netip"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// joined reports whether the last that was said on the WAN of a multicast group is that somebody is in it.
func joined(l *lab.Lab, group netip.Addr) (in bool) {
	for _, f := range kit.WANSince(l, 0) {
		ip, _ := lab.Parse(f.Packet)
		for _, r := range ip.Reports() {
			if r.Group == group {
				in = r.Member
			}
		}
	}
	return in
}

var _ = Describe("Registration of a member (profile getvpn)", kit.Subject(subject), kit.DUT(rule.GM), func() {
	for _, id := range []uint32{1, 3333, 0x7fffffff} {
		It("asks for its group by the number that it is configured with: "+strconv.Itoa(int(id)), kit.Requirement("GETVPN-REG-03"), func(ctx SpecContext) {
			setup := of(1, func(g *policy.Group) { g.ID = id })
			setup.Member = func(i int, c *policy.Member) {
				hasty(i, c)
				c.Group = id
			}
			m := only(talk(kit.Up(ctx, setup), 0), core.Pull1)[0]
			Expect(kit.Value(m, "ID/ID Type")).To(ContainSubstring("(11)"), "as a key identifier")
			Expect(kit.Value(m, "ID")).To(Equal(strconv.Itoa(int(id))))
		})
	}

	It("registers by unicast with a group whose rekeys are multicast, joins their group and takes them there",
		kit.Requirement("GETVPN-REG-13", "GETVPN-REG-20", "GETVPN-MCAST-02", "GETVPN-MCAST-08"), func(ctx SpecContext) {
			l := kit.Up(ctx, of(1, lab.Multicast))
			said := talk(l, 0)
			Expect(said).To(HaveLen(len(mainMode) + len(pull)))
			for _, m := range said {
				Expect(m.To.Addr().IsMulticast()).To(BeFalse(), "%s goes to %s", m.Kind, m.To)
			}
			Expect(l.Wait(ctx, lab.Patience, func() bool { return joined(l, lab.MulticastGroup) })).To(BeTrue(), "it reports that it is in the group")
			Expect(kit.Takes(ctx, l, 1, kit.Rekey(ctx, l, control.RekeyArgs{}))).To(BeTrue(), "it takes a rekey that comes there")
		})
})

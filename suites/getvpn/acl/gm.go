package acl

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// everything is a list that protects all traffic between the networks of the lab.
var everything = []policy.ACE{permit(0, lab.Protected, lab.Protected)}

var _ = Describe("Access lists at a member of GET VPN", kit.Subject("acl"), kit.DUT(rule.GM), func() {
	It("lets what the group's list denies leave in clear, and come in so", kit.Requirement("GETVPN-ACL-11"), func(ctx SpecContext) {
		s := up(ctx, setup(2, []policy.ACE{deny(ospf, host(1), host(2)), permit(0, lab.Protected, lab.Protected)}))
		Expect(s.fate(1, packet(ospf, 1, 2, 0, 0))).To(Equal(inClear), "OSPF")
		Expect(s.fate(1, packet(udp, 1, 2, 40000, 40001))).To(Equal(protected), "the rest")
		Expect(s.arrives(2, 1, packet(ospf, 2, 1, 0, 0))).To(BeTrue(), "OSPF of the other side")
		Expect(s.arrives(2, 1, packet(udp, 2, 1, 40000, 40001))).To(BeFalse(), "the rest, in clear")
	})

	It("has the first entry that takes a packet decide: its own, then the group's in their order", kit.Requirement("GETVPN-ACL-05", "GETVPN-ACL-06"),
		func(ctx SpecContext) {
			s := up(ctx, setup(3, []policy.ACE{permit(0, host(1), host(2)), deny(udp, host(1), host(3)), permit(0, lab.Protected, lab.Protected)},
				deny(0, host(1), host(2))))
			Expect(s.fate(1, packet(udp, 1, 2, 40000, 40001))).To(Equal(inClear), "what its own list denies and the group's permits")
			Expect(s.fate(1, packet(udp, 1, 3, 40000, 40001))).To(Equal(inClear), "what the group's second entry denies")
			Expect(s.fate(1, packet(tcp, 1, 3, 40000, 80))).To(Equal(protected), "what the group's last entry permits")
			if s.GM[0].Offers(peer.ReadLog) {
				Expect(s.GM[0].Messages("GM_ACL_MERGE")).NotTo(BeEmpty(), "it tells that it has put two lists together")
			}
		})

	It("lets what its own list denies leave in clear though the group's list permits it, and come in so",
		kit.Requirement("GETVPN-ACL-04", "GETVPN-ACL-03", "GETVPN-ACL-11"), func(ctx SpecContext) {
			s := up(ctx, setup(3, everything, deny(0, host(1), host(2))))
			Expect(s.fate(1, packet(udp, 1, 2, 40000, 40001))).To(Equal(inClear), "what it denies")
			Expect(s.fate(1, packet(udp, 1, 3, 40000, 40001))).To(Equal(protected), "the rest")
			Expect(s.arrives(2, 1, packet(udp, 2, 1, 40000, 40001))).To(BeTrue(), "what comes back of it in clear")
			Expect(s.arrives(3, 1, packet(udp, 3, 1, 40000, 40001))).To(BeFalse(), "the rest in clear")
		})

	It("drops what its own list permits, and says so", kit.Requirement("GETVPN-ACL-03", "GETVPN-ACL-04"), kit.Negative, func(ctx SpecContext) {
		s := up(ctx, setup(3, everything, permit(0, host(1), host(2))))
		Expect(s.fate(1, packet(udp, 1, 2, 40000, 40001))).To(Equal(dropped))
		if s.GM[0].Offers(peer.ReadLog) {
			Expect(s.GM[0].Messages("GM_ACL_PERMIT")).NotTo(BeEmpty(), "it tells of the entry")
		}
		kit.Control(s.fate(1, packet(udp, 1, 3, 40000, 40001)) == protected, "the rest is protected")
	})

	It("takes ports and protocols of entries into account", kit.Requirement("GETVPN-ACL-05", "GETVPN-ACL-11"), func(ctx SpecContext) {
		s := up(ctx, setup(2, []policy.ACE{
			ports(deny(udp, anywhere, anywhere), 848, 848), ports(deny(tcp, anywhere, anywhere), 0, 23), deny(eigrp, anywhere, anywhere), permit(0, lab.Protected, lab.Protected),
		}))
		for _, c := range []struct {
			what   string
			packet []byte
			want   string
		}{
			{"port 848 to port 848", packet(udp, 1, 2, 848, 848), inClear},
			{"port 848 to another", packet(udp, 1, 2, 848, 849), protected},
			{"telnet", packet(tcp, 1, 2, 40000, 23), inClear},
			{"port 23 the other way", packet(tcp, 1, 2, 23, 40000), protected},
			{"EIGRP", packet(eigrp, 1, 2, 0, 0), inClear},
			{"OSPF", packet(ospf, 1, 2, 0, 0), protected},
		} {
			Expect(s.fate(1, c.packet)).To(Equal(c.want), c.what)
		}
	})

	It("drops what the list permits once there is no SA for it", kit.Requirement("GETVPN-ACL-08"), kit.Needs(lab.NeedVirtualTime), kit.Negative,
		func(ctx SpecContext) {
			one := setup(2, []policy.ACE{permit(udp, lab.Protected, lab.Protected)})
			list := one.Group
			one.Group = func(g *policy.Group) { list(g); g.SAs[0].Lifetime = 10 * time.Minute }
			s := up(ctx, one)
			kit.Reached(s.fate(1, packet(udp, 1, 2, 40000, 40001)) == protected, "it is protected while there is an SA")
			kit.Precondition(s.KS.Stop(), "the key server ends")
			s.Pass(ctx, 11*time.Minute)
			Expect(s.fate(1, packet(udp, 1, 2, 40000, 40001))).To(Equal(dropped))
			kit.Control(s.fate(1, packet(tcp, 1, 2, 40000, 80)) == inClear, "what no entry takes still leaves in clear")
		})
})

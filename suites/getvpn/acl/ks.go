package acl

import (
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("The access list of a group of GET VPN at its key server", kit.Subject("acl"), kit.DUT(rule.KS), func() {
	It("tells its members the entries in their order, of which those that permit are SAs", kit.Requirement("GETVPN-ACL-01"),
		func(ctx SpecContext) {
			s := up(ctx, setup(1, []policy.ACE{
				deny(ospf, anywhere, anywhere), permit(0, host(1), lab.Protected), deny(0, host(2), lab.Protected), permit(0, lab.Protected, lab.Protected),
			}))
			protocols, sources := s.offers()
			Expect(protocols).To(HaveLen(4), "an entry is one SAT")
			Expect(protocols[1]).To(Equal("ESP (1)"))
			Expect(protocols[3]).To(Equal("ESP (1)"))
			Expect(protocols[0]).NotTo(Equal("ESP (1)"), "what is denied has no SA")
			Expect(protocols[2]).To(Equal(protocols[0]))
			Expect(sources).To(HaveLen(4))
			Expect(sources[1]).To(HaveSuffix(host(1).Addr().String()))
			Expect(sources[2]).To(HaveSuffix(host(2).Addr().String()))
		})

	It("has what its list denies leave in clear, and what it permits protected", kit.Requirement("GETVPN-ACL-02", "GETVPN-ACL-01"), func(ctx SpecContext) {
		s := up(ctx, setup(2, []policy.ACE{deny(ospf, anywhere, anywhere), permit(0, lab.Protected, lab.Protected)}))
		Expect(s.fate(1, packet(ospf, 1, 2, 0, 0))).To(Equal(inClear), "OSPF")
		Expect(s.fate(1, packet(udp, 1, 2, 40000, 40001))).To(Equal(protected), "the rest")
	})

	It("has what no entry of its list takes leave in clear", kit.Requirement("GETVPN-ACL-09", "GETVPN-ACL-02"), func(ctx SpecContext) {
		s := up(ctx, setup(2, []policy.ACE{permit(tcp, lab.Protected, lab.Protected)}))
		Expect(s.fate(1, packet(tcp, 1, 2, 40000, 80))).To(Equal(protected))
		Expect(s.fate(1, packet(udp, 1, 2, 40000, 40001))).To(Equal(inClear))
	})

	for n, entries := range []int{100, 101} {
		It(fmt.Sprintf("honours the first 100 of a list of %d entries", entries), kit.Requirement("GETVPN-ACL-10"), kit.Row(n), func(ctx SpecContext) {
			s := up(ctx, setup(1, many(entries)))
			protocols, _ := s.offers()
			Expect(protocols).To(HaveLen(100), "the entries that a member is told")
			if s.KS.Offers(peer.ReadLog) {
				Expect(s.KS.Messages("GDOI_ACL_NUM")).To(HaveLen(entries-100), "the messages about entries that do not count")
			}
		})
	}

	It("refuses a list of IPv6 that names AH, and goes on with the one that it has", kit.Requirement("GETVPN-ACL-15"), kit.Negative, func(ctx SpecContext) {
		s := up(ctx, setup(2, []policy.ACE{permit(0, lab.Protected, lab.Protected)}))
		_, err := s.KS.Configure(ctx, func(c *policy.KeyServer) {
			c.Groups[0].SAs[0].AccessList = append(c.Groups[0].SAs[0].AccessList, permit(policy.ProtocolAHP, lab.Protected6, lab.Protected6))
		})
		Expect(err).To(HaveOccurred(), "the configuration is refused")
		kit.Control(s.fate(1, packet(udp, 1, 2, 40000, 40001)) == protected, "the group goes on")
	})
})

// many is a list of so many entries, of which the 50th permits and the others deny.
func many(n int) (list []policy.ACE) {
	for i := range n {
		one := netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(i), 1}), 32)
		if i == 49 {
			list = append(list, permit(0, lab.Protected, lab.Protected))
			continue
		}
		list = append(list, deny(0, one, one))
	}
	return list
}

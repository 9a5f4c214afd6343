package acl

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

const igmp = 2

// report is a host's report that it is in the group of the rekeys, as a router forwards none but a proxy does (RFC 3376 §4.2, RFC 4605).
func report() []byte {
	body := []byte{0x22, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 0, 0, 0, 0}
	group := lab.IPv4Family.Group().As4()
	copy(body[12:], group[:])
	sum := lab.Checksum(body)
	body[2], body[3] = byte(sum>>8), byte(sum)
	return lab.IPv4{Source: lab.HostAddr(1), Destination: lab.IPv4Family.Group(), Protocol: igmp, TTL: 8, Payload: body}.Bytes()
}

var _ = Describe("IGMP under a policy of GET VPN for all packets", kit.Subject("acl"), func() {
	everywhere := permit(0, anywhere, anywhere)
	exempt := deny(igmp, anywhere, anywhere)
	for _, role := range []rule.Role{rule.KS, rule.GM} {
		under := map[rule.Role]string{rule.KS: " (key server)", rule.GM: " (member)"}[role]
		for _, c := range []struct {
			what  string
			group []policy.ACE
			own   []policy.ACE
			fate  string
		}{
			{"is protected as everything else", []policy.ACE{everywhere}, nil, protected},
			{"leaves in clear if the list of the group denies it", []policy.ACE{exempt, everywhere}, nil, inClear},
			{"leaves in clear if the member's own list denies it", []policy.ACE{everywhere}, []policy.ACE{exempt}, inClear},
		} {
			It(c.what+", and rekeys by multicast arrive where it does"+under, kit.DUT(role), kit.Requirement("GETVPN-MCAST-10"), kit.Needs(lab.NeedMulticast),
				func(ctx SpecContext) {
					one := setup(2, c.group, c.own...)
					list := one.Group
					one.Group = func(g *policy.Group) { list(g); lab.Multicast(g) }
					s := up(ctx, one)
					Expect(s.fate(1, report())).To(Equal(c.fate), "a report that is forwarded")
					Expect(s.fate(1, packet(udp, 1, 2, 40000, 40001))).To(Equal(protected), "the rest")
					if c.fate == inClear {
						Expect(kit.Takes(ctx, s.Lab, 1, kit.Rekey(ctx, s.Lab, control.RekeyArgs{}))).To(BeTrue(), "a rekey by multicast arrives")
					}
				})
		}
	}
})

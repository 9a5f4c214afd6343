package membership

import (
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// hosts is of with a host behind each member.
func hosts(members int, alter ...func(*policy.Group)) lab.Setup {
	s := of(members, alter...)
	s.Hosts = true
	return s
}

func init() {
	for _, side := range sides {
		Describe("Traffic of a group, by "+side.who+" (profile getvpn)", kit.Subject(subject), kit.DUT(side.role), func() {
			It(side.who+" has hosts behind two members reach each other before a rekey and after it, and the members negotiate nothing",
				kit.Requirement("GETVPN-REG-08"), func(ctx SpecContext) {
					l := kit.Up(ctx, hosts(2, promptly))
					first := kit.SendingSPI(ctx, l, 1, 2)
					Expect(kit.Ping(ctx, l, 1, 2, 3).Received).To(Equal(3), "under the SA of the registration")
					rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
					Expect(kit.Ping(ctx, l, 1, 2, 10).Received).To(Equal(10), "while the rekey is carried out")
					Expect(kit.SwitchesTo(ctx, l, 1, 2, rekey.SPIs[0])).To(BeTrue(), "under the SA of the rekey, not %s", kit.SPI(first))
					Expect(between(talk(l, 0), l.GM[0].Addr().Addr(), l.GM[1].Addr().Addr())).To(BeEmpty(), "no key management goes between the members")
					Expect(kit.ClearSince(l, 0)).To(BeEmpty(), "nothing of the hosts crosses the WAN in clear")
				})
		})
	}
}

// sent has a host put an echo request on its link and returns the ESP packet that the member makes of it.
func sent(ctx SpecContext, l *lab.Lab, from, to netip.Addr) kit.ESP {
	GinkgoHelper()
	since := kit.Now(l)
	packet, err := lab.EchoPacket(from, to, false, 7, 1, false, []byte("of a group"))
	kit.Precondition(err, "the tester makes a packet")
	kit.Precondition(l.Hosts[0].Send(packet), "the host sends")
	var left []kit.ESP
	mine := func() bool {
		left = nil
		for _, p := range kit.ESPSince(l, since) {
			if p.From == from || p.From == l.GM[0].Addr().Addr() { // answers come back as well
				left = append(left, p)
			}
		}
		return len(left) > 0
	}
	Expect(l.Wait(ctx, lab.Patience, mine)).To(BeTrue(), "a packet from %s to %s leaves in ESP", from, to)
	return left[0]
}

var _ = Describe("Addresses that are preserved, and the one SA of a group (profile getvpn)", kit.Subject(subject), kit.DUT(rule.GM), func() {
	It("sends what one host has for another from its address to the other's, in ESP",
		kit.Requirement("GETVPN-ADDRPRES-01", "GETVPN-ADDRPRES-06"), func(ctx SpecContext) {
			l := kit.Up(ctx, hosts(2))
			p := sent(ctx, l, lab.HostAddr(1), lab.HostAddr(2))
			Expect([]netip.Addr{p.From, p.To}).To(Equal([]netip.Addr{lab.HostAddr(1), lab.HostAddr(2)}))
			ip, ok := lab.Parse(p.Packet)
			Expect(ok).To(BeTrue())
			Expect(ip.Protocol).To(BeEquivalentTo(50))
			Expect(kit.Ping(ctx, l, 1, 2, 1).Received).To(Equal(1), "the other member opens it")
		})

	It("sends everything that the policy names under one SA, whoever it is from and to", kit.Requirement("GETVPN-ADDRPRES-03", "GETVPN-PLAT-10"),
		func(ctx SpecContext) {
			l := kit.Up(ctx, hosts(4))
			spis := make(map[string]int)
			for _, from := range []netip.Addr{lab.HostAddr(1), lab.HostAddr(1).Next()} {
				for to := 2; to <= 4; to++ {
					spis[kit.SPI(sent(ctx, l, from, lab.HostAddr(to)).SPI)]++
				}
			}
			Expect(spis).To(HaveLen(1), "six flows, and members that have never spoken to each other")
			Expect(kit.SPI(kit.SendingSPI(ctx, l, 4, 1))).To(BeKeyOf(spis), "the others send under the same")
		})

	It("encrypts once what a host sends to a multicast group, to the group's address, and every other member opens it",
		kit.Requirement("GETVPN-ADDRPRES-05"), kit.Needs(lab.NeedMulticast), func(ctx SpecContext) {
			l := kit.Up(ctx, hosts(3, lab.Multicast, toward239))
			since := kit.Now(l)
			p := sent(ctx, l, lab.HostAddr(1), lab.MulticastGroup)
			Expect([]netip.Addr{p.From, p.To}).To(Equal([]netip.Addr{lab.HostAddr(1), lab.MulticastGroup}))
			for i := 2; i <= 3; i++ {
				Expect(l.Wait(ctx, lab.Patience, func() bool { return arrived(l, since, i) })).To(BeTrue(), "it comes out behind gm%d", i)
			}
			n := 0
			for _, out := range kit.ESPSince(l, since) {
				if out.To == lab.MulticastGroup {
					n++
				}
			}
			Expect(n).To(Equal(1), "the network copies it, not the member")
		})
})

// toward239 has the group protect what its hosts send to the lab's multicast group too.
func toward239(g *policy.Group) {
	sa := g.SAs[0]
	sa.Selector = policy.Selector{Source: lab.Protected, Destination: netip.PrefixFrom(lab.MulticastGroup, 32)}
	g.SAs = append(g.SAs, sa)
}

// arrived reports whether something to the multicast group has come out on the link behind member i since the mark.
func arrived(l *lab.Lab, since kit.Mark, i int) bool {
	for _, f := range l.Frames()[since:] {
		if ip, ok := lab.Parse(f.Packet); ok && f.Link == lab.LANName(i) && ip.Destination == lab.MulticastGroup && ip.Source == lab.HostAddr(1) {
			return true
		}
	}
	return false
}

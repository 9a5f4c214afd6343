package membership

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// mtu is that of the WAN.
const mtu = 1500

// pair has a group protect what goes between the networks behind gm1 and gm i.
func pair(g *policy.Group, i int) {
	g.SAs = append([]policy.SAPolicy(nil), g.SAs[0])
	g.SAs[0].Selector = policy.Selector{Source: lab.MemberLAN(1), Destination: lab.MemberLAN(i)}
	g.SAs[0].Also = []policy.Selector{{Source: lab.MemberLAN(i), Destination: lab.MemberLAN(1)}}
}

// inBoth has gm1 be in two groups: in the first with gm2, in the second with gm3.
func inBoth() lab.Setup {
	setup := hosts(3, promptly)
	setup.KeyServer = func(c *policy.KeyServer) {
		other := c.Groups[0]
		other.Name, other.ID = "other", otherGroup
		c.Groups = append(c.Groups, other)
		pair(&c.Groups[0], 2)
		pair(&c.Groups[1], 3)
	}
	setup.Member = func(i int, c *policy.Member) {
		switch hasty(i, c); i {
		case 1:
			c.Group, c.Groups = 0, []policy.Membership{{Group: lab.GroupID}, {Group: otherGroup}}
		case 3:
			c.Group = otherGroup
		}
	}
	return setup
}

var _ = Describe("What a member keeps apart (profile getvpn)", kit.Subject(subject), kit.DUT(rule.GM), func() {
	It("has keys of its own in each of two groups, of which a rekey of one leaves the other alone", kit.Requirement("GETVPN-REG-16"),
		func(ctx SpecContext) {
			l := kit.Up(ctx, inBoth())
			first, second := kit.SendingSPI(ctx, l, 1, 2), kit.SendingSPI(ctx, l, 1, 3)
			Expect(first).NotTo(Equal(second), "each group has its SA")
			rekey := kit.Rekey(ctx, l, control.RekeyArgs{Group: lab.GroupID})
			Expect(kit.SwitchesTo(ctx, l, 1, 2, rekey.SPIs[0])).To(BeTrue(), "it follows the rekey of the first")
			Expect(kit.SendingSPI(ctx, l, 1, 3)).To(Equal(second), "and goes on in the second")
			kit.Reading("GETVPN-REG-16", "is in two groups of IPv4 at once")
		})

	It("begins no registration under a Phase 1 policy that is not its own", kit.Requirement("GETVPN-REG-11"), kit.Negative, func(ctx SpecContext) {
		l := kit.Lab(ctx, of(1))
		Expect(l.KS.Misbehave(tester.Taps(tester.Once(tester.SetOffered(core.MainMode2, wire.TV(isakmp.AttrHashAlgorithm, 2)))))).To(Succeed())
		kit.Precondition(l.KS.Start(ctx), "the key server starts")
		kit.Precondition(l.GM[0].Start(ctx), "the member starts")
		l.Wait(ctx, 2*lab.Patience, func() bool { return len(only(talk(l, 0), core.MainMode1)) > 1 }) // it first repeats itself, and then pauses
		joined := l.GM[0].AwaitRegistered(ctx) == nil
		begun := only(talk(l, 0), core.MainMode1)
		Expect(len(begun)).To(BeNumerically(">=", 2), "it begins Phase 1 anew")
		asked := only(talk(l, 0), core.Pull1)
		kit.Control(joined && len(asked) == 1, "it asks for its group once Phase 1 is as it offered it")
		Expect(asked[0].Header.InitiatorCookie).NotTo(Equal(begun[0].Header.InitiatorCookie))
	})

	It("asks for multicast rekeys on its outside and not on the network behind it", kit.Requirement("GETVPN-MCAST-09"), func(ctx SpecContext) {
		l := kit.Up(ctx, hosts(1, lab.Multicast))
		Expect(l.Wait(ctx, lab.Patience, func() bool { return joined(l, lab.MulticastGroup) })).To(BeTrue(), "it joins on the WAN")
		for _, f := range l.Frames() {
			ip, _ := lab.Parse(f.Packet)
			for _, r := range ip.Reports() {
				Expect(f.Link == lab.LANName(1) && r.Group == lab.MulticastGroup).To(BeFalse(), "nothing is joined on the LAN")
			}
		}
	})

	It("forwards in transport mode what fits the path when it is protected, and no packet with DF that does not", kit.Requirement("GETVPN-MTU-03"),
		kit.Negative, func(ctx SpecContext) {
			setup := hosts(2, func(g *policy.Group) { g.SAs[0].Transform.Mode = policy.ModeTransport })
			setup.Member = func(i int, c *policy.Member) {
				hasty(i, c)
				c.DataPath.Transport = true
			}
			l := kit.Up(ctx, setup)
			since := kit.Now(l)
			big, err := lab.EchoPacket(lab.HostAddr(1), lab.HostAddr(2), false, 7, 1, true, make([]byte, mtu-28))
			kit.Precondition(err, "the tester makes a packet")
			kit.Precondition(l.Hosts[0].Send(big), "the host sends a packet as big as the path takes, with DF")
			l.Pass(ctx, kit.Settle)
			Expect(outward(l, since)).To(BeEmpty(), "protected it would be too big")
			kit.Reading("GETVPN-MTU-03", "does not forward a packet of %d octets with DF in transport mode", len(big))
			kit.Control(kit.Ping(ctx, l, 1, 2, 1).Received == 1, "a packet that fits goes through")
			Expect(outward(l, since)[0].From).To(Equal(lab.HostAddr(1)))
		})
})

var _ = Describe("What a key server keeps apart (profile getvpn)", kit.Subject(subject), kit.DUT(rule.KS), func() {
	It("lets nobody register whose Phase 1 policy is not its own", kit.Requirement("GETVPN-REG-11"), kit.Negative, func(ctx SpecContext) {
		setup := of(2)
		setup.Member = func(i int, c *policy.Member) {
			if hasty(i, c); i == 1 {
				c.Phase1.AllowWeak, c.Phase1.Proposals = true, []policy.Proposal{{Encryption: policy.Phase13DES, Hash: policy.Phase1SHA1, Group: policy.MODP1024}}
			}
		}
		l := kit.Lab(ctx, setup)
		kit.Precondition(l.KS.Start(ctx), "the key server starts")
		kit.Precondition(l.GM[0].Start(ctx), "the member starts")
		kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return len(only(talk(l, 0), core.MainMode1)) > 0 }), "the member offers a policy")
		l.Pass(ctx, kit.Settle)
		Expect(only(talk(l, 0), core.MainMode2)).To(BeEmpty(), "the key server chooses nothing of it")
		kit.Precondition(l.GM[1].Start(ctx), "another member starts")
		kit.Control(l.GM[1].AwaitRegistered(ctx) == nil, "a member with the policy of the key server registers")
		Expect(between(only(talk(l, 0), core.Pull2), l.KS.Addr().Addr(), l.GM[0].Addr().Addr())).To(BeEmpty())
	})

	It("sends registrations and rekeys from the address that it is configured with", kit.Requirement("GETVPN-CFG-06"), func(ctx SpecContext) {
		l := kit.Up(ctx, of(2))
		rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
		Expect(kit.Takes(ctx, l, 2, rekey)).To(BeTrue(), "a member takes the rekey")
		answers := 0
		for _, m := range talk(l, 0) {
			if m.To.Addr() == l.GM[0].Addr().Addr() || m.To.Addr() == l.GM[1].Addr().Addr() {
				answers++
				Expect(m.From).To(Equal(l.KS.Addr()), m.Kind)
			}
		}
		Expect(answers).To(BeNumerically(">=", 2*5+2), "five messages of each registration, and a rekey to each")
	})
})

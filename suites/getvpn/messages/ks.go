package messages

import (
	"net/netip"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// asking has the group ask for acknowledgements.
func asking(g *policy.Group) { g.Rekey.Ack = policy.AckKEKSHA256 }

// excludable has a hierarchy of keys, so that members can be taken out, and asks for acknowledgements made with them.
func excludable(g *policy.Group) {
	g.Rekey.Management, g.Rekey.Ack = policy.ManagementLKH, policy.AckLKHSHA256
}

// another adds a group to a key server.
func another(c *policy.KeyServer) {
	second := c.Groups[0]
	second.Name, second.ID = "another", lab.GroupID+1
	c.Groups = append(c.Groups, second)
}

// configured registers, and has the key server go by another policy of the group.
func configured(alter func(*policy.Group)) func(SpecContext, *lab.Lab) {
	return func(ctx SpecContext, l *lab.Lab) {
		GinkgoHelper()
		registers(ctx, l)
		_, err := l.KS.Configure(ctx, func(c *policy.KeyServer) { alter(&c.Groups[0]) })
		kit.Precondition(err, "the key server takes another policy while it runs")
	}
}

// rekeySA is what the tester knows of the Rekey SA.
func rekeySA(l *lab.Lab) keylog.Entry {
	GinkgoHelper()
	keys := l.GM[1].Keys()
	i := slices.IndexFunc(keys, func(e keylog.Entry) bool { return e.Kind == keylog.KindRekey })
	kit.Reached(i >= 0, "the tester knows the Rekey SA")
	return keys[i]
}

// onlySecond lets nobody but the second member in.
func onlySecond(g *policy.Group) {
	second := lab.MemberAddr(2)
	g.Members = []netip.Prefix{netip.PrefixFrom(second, second.BitLen())}
}

// choosy has the first member take no policy that the group has.
func choosy(i int, c *policy.Member) {
	if i == 1 {
		elsewhere := netip.MustParsePrefix("172.16.0.0/12")
		c.Authorised = []policy.Flow{{Source: policy.RangeOf(elsewhere), Destination: policy.RangeOf(elsewhere)}}
	}
}

// secondRegisters starts the second member and reports whether it registers.
func secondRegisters(ctx SpecContext, l *lab.Lab) bool {
	return l.GM[1].Start(ctx) == nil && l.GM[1].AwaitRegistered(ctx) == nil
}

// cleared registers all members and has the operator of the key server clear the group.
func cleared(ctx SpecContext, l *lab.Lab) {
	GinkgoHelper()
	registers(ctx, l)
	kit.Precondition(l.KS.ClearGroups(ctx), "the operator clears the group")
}

// swallowed has a null route lead to the member, and a rekey go there.
func swallowed(ctx SpecContext, l *lab.Lab) {
	GinkgoHelper()
	registers(ctx, l)
	_, err := l.KS.Configure(ctx, func(c *policy.KeyServer) {
		c.Router.NullRoutes = []netip.Prefix{netip.PrefixFrom(member(l).Addr().Addr(), 32)}
	})
	kit.Precondition(err, "the key server has a null route")
	since := kit.Now(l)
	kit.Rekey(ctx, l, control.RekeyArgs{})
	Expect(kit.MessagesSince(l, since, core.Push.String())).To(BeEmpty(), "no rekey leaves for the member")
}

// otherInterface is one at which nobody registers.
const otherInterface = "Ethernet1/0"

// twoInterfaces has the key server have its address of IPv6 at another interface than that of registrations.
func twoInterfaces(c *policy.KeyServer) {
	c.Router.Interfaces = []policy.Interface{{Name: otherInterface, Address: netip.AddrPortFrom(lab.KeyServerAddr6, lab.Port)}}
	c.Phase1.PSKs = append(c.Phase1.PSKs, policy.PSK{Peer: lab.WAN6, Key: c.Phase1.PSKs[0].Key})
}

// atTheOther has the first member register there.
func atTheOther(i int, c *policy.Member) {
	if i != 1 {
		return
	}
	c.Address, c.OtherAddress = netip.AddrPortFrom(c.OtherAddress, lab.Port), c.Address.Addr()
	c.KeyServers = []netip.AddrPort{netip.AddrPortFrom(lab.KeyServerAddr6, lab.Port)}
	c.Phase1.PSKs[0].Peer = lab.WAN6
}

// turnedAway has the first member ask for the group, and get nothing.
func turnedAway(ctx SpecContext, l *lab.Lab) {
	GinkgoHelper()
	begins(ctx, l)
	kit.Reached(l.KS.AwaitMessage(ctx, "UNREGISTERED_INTERFACE", 0, lab.Patience) || len(kit.MessagesSince(l, 0, core.Pull1.String())) > 0, "the member asks for the group")
	Expect(kit.MessagesSince(l, 0, core.Pull2.String())).To(BeEmpty(), "it is offered nothing")
}

// smallEngine has room for one registration while a rekey is being signed, which takes long.
func smallEngine(c *policy.KeyServer) {
	c.Router.Engine = policy.CryptoEngine{Signing: lab.Patience, Registrations: 1}
}

// overloaded has two members begin to register while a rekey is being signed.
func overloaded(ctx SpecContext, l *lab.Lab) {
	GinkgoHelper()
	begins(ctx, l)
	kit.Precondition(l.GM[0].AwaitRegistered(ctx), "the first member is registered")
	kit.Rekey(ctx, l, control.RekeyArgs{})
	Expect(l.KS.Messages("TRANSERR")).To(BeEmpty(), "one rekey alone is not too much")
	for _, gm := range l.GM[1:] {
		kit.Precondition(gm.Start(ctx), "another member starts")
	}
}

// acknowledges is a rekey that the first member acknowledges.
func acknowledges(ctx SpecContext, l *lab.Lab) bool {
	GinkgoHelper()
	before := kit.Now(l)
	Expect(member(l).Misbehave(nil)).To(Succeed())
	kit.Rekey(ctx, l, control.RekeyArgs{})
	return l.Wait(ctx, lab.Patience, func() bool { return len(kit.MessagesSince(l, before, core.PushACK.String())) > 0 })
}

// silent has the first member acknowledge one rekey and none of the three that follow.
func silent(ctx SpecContext, l *lab.Lab) {
	GinkgoHelper()
	registers(ctx, l)
	kit.Reached(acknowledges(ctx, l), "an ordinary rekey is acknowledged")
	Expect(member(l).Misbehave(tester.Taps(tester.Withhold(core.PushACK)))).To(Succeed())
	for range 3 {
		kit.Rekey(ctx, l, control.RekeyArgs{})
		l.Pass(ctx, time.Minute)
	}
}

var _ = Describe("What a key server of GET VPN tells (Cisco GET VPN, system logging messages)", kit.Subject("messages"), kit.DUT(rule.KS), func() {
	tellsEach(keyServer, []message{
		{mnemonic: "KS_REGS_COMPL", when: "when it has registered a member", requirements: "GETVPN-REG-29", cause: registers, values: ofMember},
		{mnemonic: "KS_FIRST_GM", when: "when the first member registers", requirements: "GETVPN-REG-29", cause: registers, values: ofMember},
		{mnemonic: "KS_GROUP_ADD", when: "when the group is configured", requirements: "GETVPN-SYSLOG-06", cause: begins, values: fromServer},
		{mnemonic: "GDOI_ON_OFF", when: "when the key server's first group is in use", cause: begins, values: on},
		{mnemonic: "ISAKMP_ON_OFF", when: "when the key server begins to speak ISAKMP", cause: begins, values: on},
		{mnemonic: "KS_SEND_UNICAST_REKEY", when: "when it sends a rekey to each member", requirements: "GETVPN-REKEY-30", feature: "unicast",
			cause: rekeyed(control.RekeyArgs{}), values: func(l *lab.Lab) map[string]string { return numbered(1, fromServer(l)) }},
		{mnemonic: "KS_SEND_MCAST_REKEY", when: "when it sends a rekey to a multicast group", requirements: "GETVPN-REKEY-30", feature: "multicast",
			setup: lab.Setup{Group: lab.Multicast}, cause: rekeyed(control.RekeyArgs{}), values: func(l *lab.Lab) map[string]string {
				return numbered(1, map[string]string{"ks_addr": address(l.KS), "mcast_addr": lab.MulticastGroup.String()})
			}},
		{mnemonic: "KS_NO_RSA_KEYS", when: "when there is no key to sign rekeys with", requirements: "GETVPN-REKEY-23",
			setup: lab.Setup{KeyServer: func(c *policy.KeyServer) { c.SigningKey = nil }}, cause: begins},
		{mnemonic: "KS_REKEY_TRANS_2_MULTI", when: "when the group goes over to multicast rekeys", requirements: "GETVPN-REKEY-29", feature: "multicast",
			cause: configured(lab.Multicast)},
		{mnemonic: "KS_REKEY_TRANS_2_UNI", when: "when the group goes over to unicast rekeys", requirements: "GETVPN-REKEY-29", feature: "multicast",
			setup: lab.Setup{Group: lab.Multicast}, cause: configured(func(g *policy.Group) {
				g.Rekey.Transport, g.Rekey.Address = policy.TransportUnicast, netip.AddrPort{}
			})},
		{mnemonic: "KS_BLACKHOLE_ACK", when: "when a null route swallows a rekey for a member", requirements: "GETVPN-SYSLOG-04 GETVPN-SYSLOG-10",
			cause: swallowed, values: ofMember},
		{mnemonic: "UNREGISTERED_INTERFACE", when: "when somebody registers at an interface that is not for that",
			requirements: "GETVPN-SYSLOG-10 GETVPN-REG-28", setup: lab.Setup{Members: 2, IPv6: true, KeyServer: twoInterfaces, Member: atTheOther},
			cause: turnedAway, values: func(*lab.Lab) map[string]string { return map[string]string{"interface": otherInterface} },
			control: secondRegisters, alive: "a member registers at the interface of registrations"},
		{mnemonic: "TRANSERR", when: "when members register while it signs a rekey, and its crypto engine has no room", requirements: "GETVPN-SYSLOG-10",
			setup: lab.Setup{Members: 3, KeyServer: smallEngine}, cause: overloaded},
		{mnemonic: "KS_CLEAR_REGISTER", when: "when its operator clears the group", requirements: "GETVPN-SYSLOG-05", cause: cleared},
		{mnemonic: "GM_DELETE", when: "when a member is deleted with its group", requirements: "GETVPN-EJECT-05", cause: cleared, values: ofMember},
		{mnemonic: "KS_LAST_GM", when: "when the last member is gone", requirements: "GETVPN-REG-29", cause: cleared, values: ofMember},

		{mnemonic: "KS_HASH_FAIL", when: "when HASH(1) is wrong", requirements: "GETVPN-REG-25",
			cause:  misbehaving(member, tester.WrongHash(core.Pull1)),
			values: ofMember, control: registeredAfter(member, 1), alive: "the member registers with unaltered messages"},
		{mnemonic: "KS_HASH_FAIL", when: "when HASH(3) is wrong", requirements: "GETVPN-REG-25",
			cause:  misbehaving(member, tester.WrongHash(core.Pull3)),
			values: ofMember, control: registeredAfter(member, 1), alive: "the member registers with unaltered messages"},
		{mnemonic: "KS_GM_REJECTS_SA_PAYLOAD", when: "when a member does not take the policy", requirements: "GETVPN-REG-26",
			setup: lab.Setup{Members: 2, Member: choosy}, cause: begins,
			values: ofMember, control: secondRegisters, alive: "a member that takes it registers"},
		{mnemonic: "KS_UNAUTHORIZED", when: "when somebody who may not asks for the group", requirements: "GETVPN-SYSLOG-02",
			setup: lab.Setup{Members: 2, Group: onlySecond}, cause: begins,
			values: ofMember, control: secondRegisters, alive: "a member that may registers"},
		{mnemonic: "KS_UNSOL_ACK", when: "when an acknowledgement is of somebody who is no member", requirements: "GETVPN-ACK-04 GETVPN-SYSLOG-02", feature: "ack",
			setup: lab.Setup{Group: asking}, cause: func(ctx SpecContext, l *lab.Lab) {
				registers(ctx, l)
				Expect(member(l).Misbehave(tester.Taps(tester.AckID("another address", func(id *isakmp.ID) { id.Data[3] = 99 })))).To(Succeed())
				kit.Rekey(ctx, l, control.RekeyArgs{})
			},
			values:  func(*lab.Lab) map[string]string { return map[string]string{"gm_addr": "192.0.2.99"} },
			control: acknowledges, alive: "the next rekey is acknowledged by a member"},
		{mnemonic: "KS_NACK_GM_EJECT", when: "when a member acknowledges none of three rekeys", requirements: "GETVPN-EJECT-05", feature: "ack",
			needs: lab.NeedVirtualTime, setup: lab.Setup{Group: asking}, cause: silent, values: func(l *lab.Lab) map[string]string {
				return map[string]string{"gm_addr": address(member(l)), "n": "3"}
			},
			control: func(ctx SpecContext, l *lab.Lab) bool {
				return member(l).Misbehave(nil) == nil && member(l).Clear(ctx) == nil && l.KS.AwaitMessage(ctx, "KS_REGS_COMPL", 1, lab.Patience)
			}, alive: "the member is let in again"},
	})

	It("tells KS_GM_REVOKED when a member that was excluded acknowledges a rekey", kit.Requirement(all, "GETVPN-EJECT-05", "GETVPN-SYSLOG-02"), kit.Negative,
		kit.Feature("lkh", "ack"), func(ctx SpecContext) {
			l := kit.Up(ctx, lab.Setup{Profile: policy.ProfileGETVPN, Members: 2, Group: excludable})
			kit.Reached(acknowledges(ctx, l), "an ordinary rekey is acknowledged")
			under, second := rekeySA(l), l.GM[1].Addr()
			_, err := l.KS.Exclude(ctx, l.GM[1])
			kit.Precondition(err, "the key server excludes a member")
			data, err := tester.ForgeACK(under, 2, second.Addr())
			kit.Precondition(err, "the tester makes an acknowledgement")
			packet, err := lab.UDPPacket(second, l.KS.Addr(), 64, data)
			kit.Precondition(err, "the tester makes a packet")
			l.Inject(l.GM[1].Name(), packet)
			Expect(l.KS.AwaitMessage(ctx, "KS_GM_REVOKED", 0, lab.Patience)).To(BeTrue(), "it told %s", mnemonics(l.KS))
			if fields := l.KS.Messages("KS_GM_REVOKED")[0].Fields; len(fields) > 0 {
				Expect(fields["gm_addr"]).To(Equal(second.Addr().String()))
			}
			kit.Control(acknowledges(ctx, l), "the next rekey is acknowledged by a member")
		})

	It("tells KS_GROUP_DELETE when a group is taken out of the configuration", kit.Requirement(all, "GETVPN-SYSLOG-06"), func(ctx SpecContext) {
		l := kit.Up(ctx, lab.Setup{Profile: policy.ProfileGETVPN, KeyServer: another})
		_, err := l.KS.Configure(ctx, func(c *policy.KeyServer) { c.Groups = c.Groups[:1] })
		kit.Precondition(err, "the key server takes another policy while it runs")
		Expect(l.KS.AwaitMessage(ctx, "KS_GROUP_DELETE", 0, lab.Patience)).To(BeTrue(), "it told %s", mnemonics(l.KS))
		if fields := l.KS.Messages("KS_GROUP_DELETE")[0].Fields; len(fields) > 0 {
			Expect(fields["group"]).To(BeElementOf("another", "1235"))
		}
	})

	It("tells KS_BAD_ID when a member asks for a group that there is not", kit.Requirement(all, "GETVPN-SYSLOG-07"), kit.Negative, func(ctx SpecContext) {
		l := kit.Lab(ctx, lab.Setup{Profile: policy.ProfileGETVPN})
		misbehaving(member, tester.GroupID([]byte{0, 0, 4, 211}))(ctx, l)
		Expect(l.KS.AwaitMessage(ctx, "KS_BAD_ID", 0, lab.Patience)).To(BeTrue(), "it told %s", mnemonics(l.KS))
		if fields := l.KS.Messages("KS_BAD_ID")[0].Fields; len(fields) > 0 {
			Expect(fields["gm_addr"]).To(Equal(address(member(l))))
		}
		kit.Control(registeredAfter(member, 1)(ctx, l), "the member registers when it asks for its group")
	})
})

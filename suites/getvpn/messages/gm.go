package messages

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// unassigned is a protocol that the registry of SATs does not have.
const unassigned = 100

// rekeyed registers, and has the key server send a rekey.
func rekeyed(args control.RekeyArgs) func(SpecContext, *lab.Lab) {
	return func(ctx SpecContext, l *lab.Lab) {
		GinkgoHelper()
		registers(ctx, l)
		kit.Rekey(ctx, l, args)
	}
}

// rekeyedWith registers, and has the key server send a rekey that is not as it should be.
func rekeyedWith(args control.RekeyArgs, d tester.Deviation) func(SpecContext, *lab.Lab) {
	return func(ctx SpecContext, l *lab.Lab) {
		GinkgoHelper()
		registers(ctx, l)
		kit.Rekey(ctx, l, control.RekeyArgs{})
		Expect(member(l).AwaitMessage(ctx, "GM_RECV_REKEY", 0, lab.Patience)).To(BeTrue(), "an ordinary rekey is received")
		Expect(l.KS.Misbehave(tester.Taps(d))).To(Succeed())
		kit.Rekey(ctx, l, args)
	}
}

// takesTheNext reports whether the member tells of another rekey, which is right.
func takesTheNext(ctx SpecContext, l *lab.Lab) bool {
	GinkgoHelper()
	before := len(member(l).Messages("GM_RECV_REKEY"))
	Expect(l.KS.Misbehave(nil)).To(Succeed())
	kit.Rekey(ctx, l, control.RekeyArgs{})
	return member(l).AwaitMessage(ctx, "GM_RECV_REKEY", before, lab.Patience)
}

// redirected has a SAK name another destination of PUSH messages.
func redirected(what string, to []byte) tester.Deviation {
	return tester.EditSAK(core.Push, what, func(s *gdoi.SAK) { s.Destination.Data = to })
}

// strangeKey is the public key of PUSH messages replaced by octets that are none.
func strangeKey(p *gdoi.KeyPacket) {
	p.Attributes = tester.SetAttribute(p.Attributes, wire.TLV(gdoi.SigAlgorithmKey, make([]byte, 64)))
}

// alone has the key server fall silent, after all have registered, and so much time pass.
func alone(d time.Duration, mnemonic string) func(SpecContext, *lab.Lab) {
	return func(ctx SpecContext, l *lab.Lab) {
		GinkgoHelper()
		registers(ctx, l)
		kit.Precondition(l.KS.Stop(), "the key server ends")
		from(l, member(l), mnemonic)
		l.Wait(ctx, d, func() bool { return len(member(l).Messages(mnemonic)) > earlier[l] })
	}
}

// shortKEK and shortTEK are policies whose keys end soon.
func shortKEK(g *policy.Group) { g.Rekey.KEKLifetime = 10 * time.Minute }
func shortTEK(g *policy.Group) { g.SAs[0].Lifetime = 10 * time.Minute }

// transport has ESP in transport mode, which the data path of a member does not do unless it is told to.
func transport(s *gdoi.SAT) {
	s.ESP.Attributes = tester.SetAttribute(s.ESP.Attributes, wire.TV(gdoi.EncapsulationMode, uint16(policy.ModeTransport)))
}

var _ = Describe("What a member of GET VPN tells (Cisco GET VPN, system logging messages)", kit.Subject("messages"), kit.DUT(rule.GM), func() {
	tellsEach(member, []message{
		{mnemonic: "GM_REGS_COMPL", when: "when its registration is complete", cause: registers, values: between},
		{mnemonic: "GM_REGISTER", when: "when it begins to register", cause: begins, values: between},
		{mnemonic: "GM_CM_ATTACH", when: "when the policy of the group is put on the interface", requirements: "GETVPN-ACL-16", cause: begins},
		{mnemonic: "GM_ENABLE_GDOI_CM", when: "when what it protects has come from the key server", requirements: "GETVPN-ACL-16", cause: registers, values: fromServer},
		{mnemonic: "GM_INSTALL_POLICIES_SUCCESS", when: "when the policies of a registration are installed", cause: registers, values: between},
		{mnemonic: "SA_KEK_UPDATED", when: "when a KEK has come with its registration", cause: registers},
		{mnemonic: "SA_TEK_UPDATED", when: "when TEKs have come with its registration", cause: registers},
		{mnemonic: "GDOI_ON_OFF", when: "when its first group is in use", cause: begins, values: on},
		{mnemonic: "ISAKMP_ON_OFF", when: "when it begins to speak ISAKMP", cause: begins, values: on},

		{mnemonic: "GM_RECV_REKEY", when: "when a unicast rekey is received", requirements: "GETVPN-REKEY-30", feature: "unicast",
			cause: rekeyed(control.RekeyArgs{}), values: func(l *lab.Lab) map[string]string {
				return numbered(1, map[string]string{"ks_addr": address(l.KS), "dst_addr": address(l.GM[0])})
			}},
		{mnemonic: "GM_RECV_REKEY", when: "when a multicast rekey is received", requirements: "GETVPN-REKEY-30", feature: "multicast",
			setup: lab.Setup{Group: lab.Multicast}, cause: rekeyed(control.RekeyArgs{}), values: func(l *lab.Lab) map[string]string {
				return numbered(1, map[string]string{"ks_addr": address(l.KS), "dst_addr": lab.MulticastGroup.String()})
			}},
		{mnemonic: "SA_KEK_UPDATED", when: "when a rekey has brought a KEK", cause: func(ctx SpecContext, l *lab.Lab) {
			registers(ctx, l)
			from(l, member(l), "SA_KEK_UPDATED")
			kit.Rekey(ctx, l, control.RekeyArgs{KEK: true})
		}},
		{mnemonic: "SA_TEK_UPDATED", when: "when a rekey has brought TEKs", cause: func(ctx SpecContext, l *lab.Lab) {
			registers(ctx, l)
			from(l, member(l), "SA_TEK_UPDATED")
			kit.Rekey(ctx, l, control.RekeyArgs{})
		}},
		{mnemonic: "GM_REKEY_TRANS_2_UNI", when: "when it registers in a group with unicast rekeys", requirements: "GETVPN-REKEY-29", feature: "unicast",
			cause: registers},
		{mnemonic: "GM_REKEY_TRANS_2_MULTI", when: "when a KEK says that rekeys come by multicast from now on", requirements: "GETVPN-REKEY-29",
			feature: "multicast", cause: rekeyedWith(control.RekeyArgs{KEK: true}, redirected("a multicast group", lab.MulticastGroup.AsSlice()))},
		{mnemonic: "GM_REKEY_TRANS_2_UNI", when: "when a KEK says that rekeys come by unicast from now on", requirements: "GETVPN-REKEY-29",
			feature: "multicast", setup: lab.Setup{Group: lab.Multicast},
			cause: rekeyedWith(control.RekeyArgs{KEK: true}, redirected("no multicast group", []byte{0, 0, 0, 0}))},
		{mnemonic: "GM_RECV_DELETE", when: "when the key server deletes everything", requirements: "GETVPN-EJECT-06",
			cause: rekeyed(control.RekeyArgs{DeleteAll: true}), values: fromServer},

		{mnemonic: "GDOI_REKEY_SEQ_FAILURE", when: "when the number of a rekey is not above the last", requirements: "GETVPN-SEQ-06",
			cause:   rekeyedWith(control.RekeyArgs{}, tester.SEQ(core.Push, 1)),
			values:  func(*lab.Lab) map[string]string { return map[string]string{"seq": "1", "last_seq": "1"} },
			control: takesTheNext, alive: "the next rekey is taken"},
		{mnemonic: "GDOI_REKEY_FAILURE", when: "when a rekey that is signed lacks a payload", requirements: "GETVPN-REKEY-28",
			cause:   rekeyedWith(control.RekeyArgs{}, tester.Omit(core.Push, isakmp.PayloadKD, "RFC 6407 §4")),
			values:  between,
			control: takesTheNext, alive: "the next rekey is taken"},
		{mnemonic: "GM_HASH_FAIL", when: "when HASH(2) is wrong", requirements: "GETVPN-REG-25",
			cause:  misbehaving(keyServer, tester.WrongHash(core.Pull2)),
			values: fromServer, control: registeredAfter(keyServer, 1), alive: "it registers with unaltered messages"},
		{mnemonic: "GM_HASH_FAIL", when: "when HASH(4) is wrong", requirements: "GETVPN-REG-25",
			cause:  misbehaving(keyServer, tester.WrongHash(core.Pull4)),
			values: fromServer, control: registeredAfter(keyServer, 1), alive: "it registers with unaltered messages"},
		{mnemonic: "GM_REJECTING_SA_PAYLOAD", when: "when the policy has a transform that nobody knows", requirements: "GETVPN-REG-26",
			cause:  misbehaving(keyServer, tester.EditSAT(core.Pull2, "Transform ID 100", func(s *gdoi.SAT) { s.ESP.TransformID = unassigned })),
			values: fromServer, control: registeredAfter(keyServer, 1), alive: "it registers with an unaltered policy"},
		{mnemonic: "UNSUPPORTED_TEK_PROTO", when: "when a TEK is of a protocol other than ESP", requirements: "GETVPN-SYSLOG-07",
			cause:   misbehaving(keyServer, tester.EditSAT(core.Pull2, "Protocol-ID 100", func(s *gdoi.SAT) { s.ProtocolID = unassigned })),
			values:  func(*lab.Lab) map[string]string { return map[string]string{"proto": "100"} },
			control: registeredAfter(keyServer, 1), alive: "it registers with an unaltered policy"},
		{mnemonic: "UNEXPECTED_SIGKEY", when: "when the key of signatures is not what the policy says", requirements: "GETVPN-SYSLOG-07",
			cause:   misbehaving(keyServer, tester.EditKeys(core.Pull4, gdoi.KDTypeKEK, "SIG_ALGORITHM_KEY of zeros", strangeKey)),
			control: registeredAfter(keyServer, 1), alive: "it registers with an unaltered key"},
		{mnemonic: "GM_NO_CRYPTO_ENGINE", when: "when the policy asks for what its data path cannot do", requirements: "GETVPN-SYSLOG-03",
			cause:   misbehaving(keyServer, tester.EditSAT(core.Pull2, "transport mode", transport)),
			control: registeredAfter(keyServer, 1), alive: "it registers with an unaltered policy"},

		{mnemonic: "GM_REKEY_NOT_RECD", when: "when the rekey that its SAs wait for has not come, if it is to tell that", requirements: "GETVPN-SYSLOG-10",
			needs: lab.NeedVirtualTime, within: time.Minute, setup: lab.Setup{Group: shortTEK, Member: func(_ int, c *policy.Member) { c.Rekey.TellMissed = true }},
			cause: alone(10*time.Minute, "GM_REKEY_NOT_RECD"), values: fromServer},
		{mnemonic: "GM_RE_REGISTER", when: "when no rekey has come and its SAs end soon", needs: lab.NeedVirtualTime, within: time.Minute,
			setup: lab.Setup{Group: shortTEK}, cause: alone(10*time.Minute, "GM_RE_REGISTER")},
		{mnemonic: "GM_DELETE_EXPIRED_KEK", when: "when the life of its KEK is over", needs: lab.NeedVirtualTime, within: time.Minute,
			setup: lab.Setup{Group: shortKEK}, cause: alone(15*time.Minute, "GM_DELETE_EXPIRED_KEK")},
		{mnemonic: "GM_CLEAR_REGISTER", when: "when its operator clears the group", requirements: "GETVPN-SYSLOG-05", cause: func(ctx SpecContext, l *lab.Lab) {
			registers(ctx, l)
			kit.Precondition(member(l).Can(peer.ControlClear), "the member has an operator")
			kit.Precondition(member(l).Clear(ctx), "the operator clears the group")
		}},
		{mnemonic: "GM_CM_DETACH", when: "when the policy of the group is taken off the interface", requirements: "GETVPN-ACL-16", cause: leaves},
		{mnemonic: "GM_UNREGISTER", when: "when it leaves the group", requirements: "GETVPN-EJECT-06", cause: leaves},
	})

	It("tells GM_NO_IPSEC_FLOWS when the policy has an SA more than it has room for, and does not register", kit.Requirement(all, "GETVPN-SYSLOG-03"),
		func(ctx SpecContext) {
			l := kit.Lab(ctx, lab.Setup{Profile: policy.ProfileGETVPN, Group: threeSAs, Member: room})
			begins(ctx, l)
			Expect(member(l).AwaitMessage(ctx, "GM_NO_IPSEC_FLOWS", 0, lab.Patience)).To(BeTrue(), "it told %s", mnemonics(member(l)))
			Expect(member(l).Messages("GM_REGS_COMPL")).To(BeEmpty(), "it is not registered")
		})

	It("registers when it has room for each SA of the policy and no more", kit.Requirement("GETVPN-SYSLOG-03"),
		func(ctx SpecContext) {
			l := kit.Lab(ctx, lab.Setup{Profile: policy.ProfileGETVPN, Group: twoSAs, Member: room})
			begins(ctx, l)
			Expect(member(l).AwaitMessage(ctx, "GM_REGS_COMPL", 0, lab.Patience)).To(BeTrue(), "it told %s", mnemonics(member(l)))
			Expect(member(l).Messages("GM_NO_IPSEC_FLOWS")).To(BeEmpty())
		})

	It("tells GM_INCOMPLETE_CFG when no key server is configured, and does not try to register", kit.Requirement(all, "GETVPN-REG-27"), func(ctx SpecContext) {
		l := kit.Lab(ctx, lab.Setup{Profile: policy.ProfileGETVPN, Member: func(_ int, c *policy.Member) { c.KeyServers = nil }})
		since := kit.Now(l)
		begins(ctx, l)
		Expect(member(l).AwaitMessage(ctx, "GM_INCOMPLETE_CFG", 0, lab.Patience)).To(BeTrue(), "it told %s", mnemonics(member(l)))
		l.Pass(ctx, kit.Settle)
		Expect(kit.MessagesSince(l, since, "")).NotTo(ContainElement(HaveField("Header", Not(BeNil()))), "it sends no key management")
	})
})

// room is a member with room for two SAs.
func room(i int, c *policy.Member) {
	if i == 1 {
		c.IPsecFlows = 2
	}
}

// twoSAs and threeSAs have an SA for each of some protocols.
func twoSAs(g *policy.Group)   { severalSAs(g, 1, 6) }
func threeSAs(g *policy.Group) { severalSAs(g, 1, 6, 17) }

func severalSAs(g *policy.Group, protocols ...uint8) {
	sa := g.SAs[0]
	g.SAs = nil
	for _, p := range protocols {
		sa.Selector.Protocol = p
		g.SAs = append(g.SAs, sa)
	}
}

// leaves has the operator take the policy off the interface of a member that is registered.
func leaves(ctx SpecContext, l *lab.Lab) {
	GinkgoHelper()
	registers(ctx, l)
	kit.Precondition(member(l).Detach(ctx), "the operator takes the policy off the interface")
}

package mib

import (
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("CISCO-GDOI-MIB of a member of GET VPN", kit.Subject("mib"), kit.DUT(rule.GM), func() {
	It("shows no TEK before its registration, one after it, two while they overlap, and none once the last has ended",
		kit.Requirement("GETVPN-MIB-01", "GETVPN-MIB-03"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			s := network(ctx, lab.Setup{})
			Expect(s.device.Start(ctx)).To(Succeed())
			Expect(s.keys()).To(BeZero(), "nobody has answered yet")
			kit.Precondition(s.KS.Start(ctx), "the key server starts")
			kit.Precondition(s.device.AwaitRegistered(ctx), "the member registers")
			Expect(s.keys()).To(BeEquivalentTo(1))
			s.Pass(ctx, lifetime/2)
			r := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			kit.Reached(kit.Takes(ctx, s.Lab, 1, r), "the member takes the rekey")
			Expect(s.keys()).To(BeEquivalentTo(2), "the one before goes on for a while")
			kit.Precondition(s.KS.Stop(), "the key server ends, so that neither rekey nor registration brings another key")
			s.Pass(ctx, lifetime-time.Minute)
			Expect(s.keys()).To(BeEquivalentTo(1), "the last has not ended")
			s.Pass(ctx, 2*time.Minute)
			Expect(s.keys()).To(BeZero())
		})

	It("shows no TEK, and carries nothing under one, while the key server refuses its registration",
		kit.Requirement("GETVPN-MIB-02", "GETVPN-ROUTE-08"), func(ctx SpecContext) {
			s := network(ctx, lab.Setup{Members: 2, Group: func(g *policy.Group) {
				g.Members = []netip.Prefix{netip.PrefixFrom(lab.MemberAddr(2), 32)}
			}})
			kit.Precondition(s.KS.Start(ctx), "the key server starts")
			for _, gm := range s.GM {
				Expect(gm.Start(ctx)).To(Succeed())
			}
			kit.Precondition(s.GM[1].AwaitRegistered(ctx), "another member registers")
			kit.Reached(s.Wait(ctx, lab.Patience, func() bool { return s.asked() }), "the device asks for the group")
			kit.Reached(kit.Ping(ctx, s.Lab, 2, 1, 1).Sent == 1, "a packet comes from the group")
			before := kit.Now(s.Lab)
			Expect(kit.Ping(ctx, s.Lab, 1, 2, 3).Received).To(BeZero(), "its host reaches nobody of the group")
			Expect(kit.ESPSince(s.Lab, before)).To(BeEmpty())
			Expect(s.keys()).To(BeZero())
		})

	It("does not count a TEK that it could not install", kit.Requirement("GETVPN-MIB-04"), func(ctx SpecContext) {
		s := group(ctx, lab.Setup{Members: 2, Group: func(g *policy.Group) {
			unusable := g.SAs[0]
			unusable.Transform.Mode, unusable.Transform.Preservation = policy.ModeTransport, policy.PreserveAbsent
			unusable.Selector = policy.Selector{Source: lab.MemberLAN(1), Destination: lab.MemberLAN(2)}
			g.SAs = append(g.SAs, unusable)
		}})
		installed := kit.Installed(ctx, s.Lab, 1)
		kit.Reached(len(installed) == 1, "a gateway installs the SA in tunnel mode, and not the one in transport mode")
		Expect(s.keys()).To(BeEquivalentTo(1))
		Expect(s.shows().Of("cgmGdoiGmTekSPI")).To(HaveEach(HaveField("Octets", octets(installed[0]))))
	})

	It("shows its group, its key server, and the KEK and TEK that it has", kit.Requirement("GETVPN-MIB-05"), func(ctx SpecContext) {
		s := group(ctx, lab.Setup{})
		r := kit.Rekey(ctx, s.Lab, control.RekeyArgs{KEK: true})
		kit.Reached(kit.Takes(ctx, s.Lab, 1, r), "the member takes the rekey")
		server, all := lab.KeyServerAddr, s.shows()
		for name, want := range map[string]any{
			"cgmGdoiGroupIdLength": 4, "cgmGdoiGmIdLength": 4, "cgmGdoiGmRegKeyServerIdType": 1, "cgmGdoiGmRegKeyServerIdValue": server.AsSlice(),
			"cgmGdoiGmActiveKEK": octets(r.Rekey), "cgmGdoiGmKekSPI": octets(r.Rekey),
			"cgmGdoiGmKekSrcIdValue": server.AsSlice(), "cgmGdoiGmKekIpProtocol": 2, "cgmGdoiGmKekMgmtAlg": 0, "cgmGdoiGmKekEncryptAlg": 12,
			"cgmGdoiGmKekEncryptKeyLength": 128, "cgmGdoiGmKekSigHashAlg": 5, "cgmGdoiGmKekOriginalLifetime": 86400, "cgmGdoiGmKekStatus": 1,
		} {
			instances := all.Of(name)
			Expect(instances).To(HaveLen(1), name)
			if b, ok := want.([]byte); ok {
				Expect(instances[0].Octets).To(Equal(b), name)
			} else {
				Expect(instances[0].Number).To(BeEquivalentTo(want), name)
			}
		}
		Expect(every(all.Of("cgmGdoiGmTekSPI"))).To(ContainElement(octets(r.SPIs[0])))
		Expect(all.Of("cgmGdoiGmTekEncryptionAlgorithm")).To(HaveEach(HaveField("Number", BeEquivalentTo(20))), "AES-GCM")
		Expect(all.Of("cgmGdoiGmTekSrcIdValue")[0].Octets).To(Equal([]byte{10, 0, 0, 0, 255, 0, 0, 0}))
		Expect(all.Of("cgmGdoiGmKekRemainingLifetime")[0].Number).To(BeNumerically(">", 86000))
	})

	It("shows the number of the last rekey that it has taken", kit.Requirement("GETVPN-MIB-05"), func(ctx SpecContext) {
		s := group(ctx, lab.Setup{})
		for range 3 {
			r := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			kit.Reached(kit.Takes(ctx, s.Lab, 1, r), "the member takes the rekey")
			Expect(s.shown("cgmGdoiGmRekeysReceived").Number).To(BeEquivalentTo(r.Sequence))
		}
	})

	It("lets nothing be set on a member", kit.Requirement("GETVPN-MIB-05"), func(ctx SpecContext) { group(ctx, lab.Setup{}).refusesToBeSet("cgmGdoiGmActiveTEKNum") })
})

// asked reports whether the device has sent the first message of a PULL.
func (s *scene) asked() bool {
	for _, m := range kit.MessagesSince(s.Lab, 0, core.Pull1.String()) {
		if m.From == s.device.Addr() {
			return true
		}
	}
	return false
}

// refusesToBeSet tries to change an object.
func (s *scene) refusesToBeSet(name string) {
	GinkgoHelper()
	before := s.shown(name)
	answer, err := s.device.SNMPSets(s.ctx, before.OID, int(before.Number)+1)
	if err == nil { // else it was not answered at all
		Expect(answer).NotTo(BeZero(), "the answer is an error")
	}
	Expect(s.shown(name).Number).To(Equal(before.Number))
}

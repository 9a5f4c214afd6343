package mib

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("CISCO-GDOI-MIB of a key server of GET VPN", kit.Subject("mib"), kit.DUT(rule.KS), func() {
	It("shows its group, its members, and the KEK and TEK in force", kit.Requirement("GETVPN-MIB-05"), func(ctx SpecContext) {
		s := group(ctx, lab.Setup{Members: 2})
		r := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
		kit.Reached(kit.Takes(ctx, s.Lab, 1, r), "a member takes the rekey")
		all := s.shows()
		for name, want := range map[string]any{
			"cgmGdoiGroupIdLength": 4, "cgmGdoiGroupName": []byte("lab"), "cgmGdoiGroupMemberCount": 2, "cgmGdoiGroupActivePeerKeyServerCount": 0,
			"cgmGdoiKeyServerActiveKEK": octets(r.Rekey), "cgmGdoiKeyServerRekeysPushed": r.Sequence,
			"cgmGdoiKeyServerRole": 1, "cgmGdoiKeyServerRegisteredGMs": 2, "cgmGdoiKsKekSPI": octets(r.Rekey),
			"cgmGdoiKsKekSrcIdValue": lab.KeyServerAddr.AsSlice(), "cgmGdoiKsKekOriginalLifetime": 86400, "cgmGdoiKsKekStatus": 1,
			"cgmGdoiKsTekSrcIdType": 4, "cgmGdoiKsTekSecurityProtocol": 1,
		} {
			instances := all.Of(name)
			Expect(instances).To(HaveLen(1), name)
			if b, ok := want.([]byte); ok {
				Expect(instances[0].Octets).To(Equal(b), name)
			} else {
				Expect(instances[0].Number).To(BeEquivalentTo(want), name)
			}
		}
		Expect(every(all.Of("cgmGdoiKsTekSPI"))).To(HaveEach(octets(r.SPIs[0])), "the TEK in force")
	})

	It("lets nothing be set on a key server", kit.Requirement("GETVPN-MIB-05"), func(ctx SpecContext) { group(ctx, lab.Setup{}).refusesToBeSet("cgmGdoiGroupMemberCount") })
})

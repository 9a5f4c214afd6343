package authz

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/fixtures/pki"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Authorization of members (GET VPN GM Authorization)", kit.Subject("authz"), kit.DUT(rule.KS), kit.Feature("profile:getvpn"), func() {
	It("admits the addresses on its list and no other, with pre-shared keys", kit.Requirement("GETVPN-AUTHZ-08", "GETVPN-AUTHZ-05", "GETVPN-AUTHZ-14"), kit.Negative,
		func(ctx SpecContext) {
			s := stage(ctx, network(policy.Authorization{Addresses: addresses(2)}))
			s.refuses(1, byAddress)
			s.control(2)
		})

	It("admits certificates of the unit on its list and no other", kit.Requirement("GETVPN-AUTHZ-10", "GETVPN-AUTHZ-05", "GETVPN-AUTHZ-14"), kit.Negative, func(ctx SpecContext) {
		s := stage(ctx, certified(network(policy.Authorization{Identities: identities(unit("GETVPN"))}), asSubject, "TEST", "GETVPN"))
		s.refuses(1, byIdentity)
		s.control(2)
	})

	It("admits host names on its list and no other", kit.Requirement("GETVPN-AUTHZ-10"), kit.Negative, func(ctx SpecContext) {
		s := stage(ctx, certified(network(policy.Authorization{Identities: identities(hostname(2))}), asHost))
		s.refuses(1, byIdentity)
		s.control(2)
	})

	It("admits nobody by name if there is a list without one", kit.Requirement("GETVPN-AUTHZ-10"), kit.Negative, func(ctx SpecContext) {
		byKind := func(i int, h pki.Subject) policy.Identity {
			if i == 2 {
				return asAddress(i, h)
			}
			return asSubject(i, h)
		}
		s := stage(ctx, certified(network(policy.Authorization{Identities: identities()}), byKind))
		s.refuses(1, byIdentity)
		s.control(2) // which is an address
	})

	for _, c := range []struct {
		kind     string
		identity func(int, pki.Subject) policy.Identity
		own      policy.Authorization // has the second member on the list of its kind, and nobody on the other
		id       rule.ID
	}{
		{"an address", asAddress, policy.Authorization{Addresses: addresses(2), Identities: identities()}, byAddress},
		{"a host name", asHost, policy.Authorization{Addresses: addresses(), Identities: identities(hostname(2))}, byIdentity},
		{"a distinguished name", asSubject, policy.Authorization{Addresses: addresses(), Identities: identities(unit("GETVPN"))}, byIdentity},
	} {
		It("looks for "+c.kind+" in the list of its kind only", kit.Requirement("GETVPN-AUTHZ-06", "GETVPN-AUTHZ-07"), kit.Negative, func(ctx SpecContext) {
			s := stage(ctx, certified(network(c.own), c.identity, "TEST", "GETVPN"))
			s.refuses(1, c.id)
			s.control(2)
		})
	}

	It("admits an address though its list of identities lacks it, if there is no list of addresses", kit.Requirement("GETVPN-AUTHZ-07"), func(ctx SpecContext) {
		s := stage(ctx, certified(network(policy.Authorization{Identities: identities(unit("GETVPN"))}), asAddress, "TEST"))
		s.admits(1, "the check of names does not concern it")
	})

	It("admits no address if there is a list without one", kit.Requirement("GETVPN-AUTHZ-07"), kit.Negative, func(ctx SpecContext) {
		byKind := func(i int, h pki.Subject) policy.Identity {
			if i == 1 {
				return asAddress(i, h)
			}
			return asSubject(i, h)
		}
		s := stage(ctx, certified(network(policy.Authorization{Addresses: addresses(), Identities: identities(unit("GETVPN"))}), byKind, "GETVPN", "GETVPN"))
		s.refuses(1, byAddress)
		s.control(2)
	})

	It("gives a member of one group nothing of another", kit.Requirement("GETVPN-AUTHZ-04", "GETVPN-AUTHZ-05"), kit.Negative, func(ctx SpecContext) {
		s := stage(ctx, groups(policy.Authorization{Addresses: addresses(2)}, policy.Authorization{Addresses: addresses(1)}))
		s.refuses(1, byAddress) // it asks for the first group, and is of the second
		s.control(2)
	})

	It("gives a member of one group the policy of another without authorization", kit.Requirement("GETVPN-AUTHZ-04"), func(ctx SpecContext) {
		s := stage(ctx, groups(policy.Authorization{}, policy.Authorization{Addresses: addresses(1)}))
		s.admits(1, "anybody may have the policy of the first group")
	})

	It("goes on with its members when pre-shared keys change, and takes the new ones at the next registrations", kit.Requirement("GETVPN-AUTHZ-03"),
		func(ctx SpecContext) {
			fresh := []byte("another key of the lab")
			renew := func(p *policy.Phase1) { p.PSKs[0].Key = fresh }
			setup := network(policy.Authorization{Addresses: addresses(1, 2)})
			setup.Member = func(i int, c *policy.Member) {
				if hasty(i, c); i == 2 {
					renew(&c.Phase1)
				}
			}
			s := stage(ctx, setup)
			s.admits(1, "a member with the key from before")
			_, err := s.KS.Configure(ctx, func(c *policy.KeyServer) { renew(&c.Phase1) })
			kit.Precondition(err, "the key server takes another pre-shared key")
			Expect(kit.Takes(ctx, s.Lab, 1, kit.Rekey(ctx, s.Lab, control.RekeyArgs{}))).To(BeTrue(), "rekeys go on for the member with the key from before")
			s.admits(2, "a member with the new key")
			rekey := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			for i := 1; i <= 2; i++ {
				Expect(kit.Takes(ctx, s.Lab, i, rekey)).To(BeTrue(), "gm%d takes the next rekey", i)
			}
		})

	It("says which address it has refused, and for which group", kit.Requirement("GETVPN-AUTHZ-09", "GETVPN-AUTHZ-14"), kit.Negative, func(ctx SpecContext) {
		s := stage(ctx, network(policy.Authorization{Addresses: addresses(2)}))
		s.refuses(1, byAddress)
		Expect(s.KS.AwaitLog(ctx, "UNAUTHORIZED_IPADDR", 0, lab.Patience)).To(BeTrue())
		for _, event := range []string{"UNAUTHORIZED_IPADDR", "KS_UNAUTHORIZED"} {
			told := s.KS.Logged(event)
			Expect(told).NotTo(BeEmpty(), event)
			Expect(told[0].Fields).To(And(HaveKeyWithValue("group", "lab"), HaveKeyWithValue("gm_addr", lab.MemberAddr(1).String())), event)
		}
		Expect(s.KS.Logged("UNAUTHORIZED_IDENTITY")).To(BeEmpty())
		s.control(2)
		Expect(s.KS.Logged("UNAUTHORIZED_IPADDR")).To(HaveEach(HaveField("Fields", HaveKeyWithValue("gm_addr", lab.MemberAddr(1).String()))))
	})

	It("says which distinguished name it has refused, and for which group", kit.Requirement("GETVPN-AUTHZ-11", "GETVPN-AUTHZ-14"), kit.Negative, func(ctx SpecContext) {
		s := stage(ctx, certified(network(policy.Authorization{Identities: identities(unit("GETVPN"))}), asSubject, "TEST", "GETVPN"))
		s.refuses(1, byIdentity)
		Expect(s.KS.AwaitLog(ctx, "UNAUTHORIZED_IDENTITY", 0, lab.Patience)).To(BeTrue())
		told := s.KS.Logged("UNAUTHORIZED_IDENTITY")[0]
		Expect(told.Fields).To(And(HaveKeyWithValue("group", "lab"), HaveKeyWithValue("identity", And(ContainSubstring("gm1"), ContainSubstring("TEST")))))
		Expect(s.KS.Logged("KS_UNAUTHORIZED")).NotTo(BeEmpty())
		Expect(s.KS.Logged("UNAUTHORIZED_IPADDR")).To(BeEmpty())
		s.control(2)
	})
})

// groups is a key server with two groups, of which both members ask for the first.
func groups(first, second policy.Authorization) lab.Setup {
	setup := network(first)
	setup.KeyServer = func(c *policy.KeyServer) {
		other := c.Groups[0]
		other.Name, other.ID = "other", lab.GroupID+1
		authorizing(second)(&other)
		c.Groups = append(c.Groups, other)
	}
	return setup
}

// Both sides authenticate each other either way before anybody is authorized.
func authenticates(role rule.Role) bool {
	return Describe("Authentication of members at registration", kit.Subject("authz"), kit.DUT(role), kit.Feature("profile:getvpn"), func() {
		whose := map[rule.Role]string{rule.KS: " at a key server", rule.GM: " of a member"}[role]
		for _, c := range []struct {
			name  string
			setup lab.Setup
		}{
			{"a pre-shared key", network(policy.Authorization{Addresses: addresses(1)})},
			{"a certificate", certified(network(policy.Authorization{Identities: identities(unit("Members"))}), asSubject)},
		} {
			It("takes "+c.name+whose, kit.Requirement("GETVPN-AUTHZ-01"), func(ctx SpecContext) {
				stage(ctx, c.setup).admits(1, "the member registers")
			})
		}
	})
}

var _, _ = authenticates(rule.KS), authenticates(rule.GM)

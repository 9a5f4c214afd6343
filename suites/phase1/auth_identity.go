package phase1

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Identities at a key server (RFC 2407 §4.6.2, RFC 6407 §3.1)", kit.Subject("phase1"), kit.DUT(rule.KS), func() {
	gm1, gm2 := named(lab.MemberName(1)), named(lab.MemberName(2))
	// admits gives the group's members by their identities alone, and the members theirs.
	admits := func(setup lab.Setup, by policy.Identity, claimed ...policy.Identity) lab.Setup {
		keyServer, member := setup.KeyServer, setup.Member
		setup.KeyServer = func(c *policy.KeyServer) {
			if keyServer != nil {
				keyServer(c)
			}
			c.Groups[0].Members, c.Groups[0].Identities = nil, []policy.Identity{by}
		}
		setup.Member = func(i int, c *policy.Member) {
			if member != nil {
				member(i, c)
			}
			if i <= len(claimed) {
				c.Phase1.Identity = claimed[i-1]
			}
		}
		return setup
	}
	// refuses has the first member try in vain, and the second register.
	refuses := func(setup lab.Setup) func(SpecContext) {
		setup.Members = 2
		return func(ctx SpecContext) {
			t := prepare(ctx, setup)
			t.start(ctx, t.KS, t.GM[0])
			kit.Reached(t.Wait(ctx, lab.Patience, func() bool { return len(t.decoded(t.KS, core.MainMode6)) > 0 }), "Phase 1 is established")
			kit.AwaitRefusal(ctx, t.Lab, t.KS, "RFC6407-3.1-03", 0, func() bool { return len(t.decoded(t.KS, core.Pull2)) > 0 })
			Expect(t.decoded(t.KS, core.Pull2)).To(BeEmpty(), "the first member gets no message 2")
			kit.ExpectRefused(ctx, t.KS, "RFC6407-3.1-03", BeNumerically(">", 0), "the key server says that it refused the member")
			t.start(ctx, t.GM[1])
			kit.Control(t.GM[1].AwaitRegistered(ctx) == nil, "a member with a right identity registers")
		}
	}
	signing := lab.Signing(signedBy(policy.AuthECDSA256), lab.Setup{})
	for _, id := range identified(lab.Holder(lab.MemberName(1), lab.MemberAddr(1)))[:3] {
		It("admits a member that is on the group's list as "+id.String(), kit.Requirement("RFC6407-3.1-03", "RFC6407-3.1-04"),
			registers(admits(signing, id, id)))
	}
	It("admits a member by a name of another case", kit.Requirement("RFC6407-3.1-04"),
		registers(admits(signing, policy.Identity{Kind: policy.IdentityFQDN, Value: "GM1.Example"}, gm1)))
	It("admits a member by an ID_KEY_ID that its pre-shared key proves", kit.Requirement("RFC6407-3.1-04"),
		registers(admits(lab.Setup{}, policy.Identity{Kind: policy.IdentityKeyID, Value: "first"}, policy.Identity{Kind: policy.IdentityKeyID, Value: "first"})))
	for _, parts := range []string{"OU=Members", "O=gdoilab", "CN=gm1", "OU=Members,O=gdoilab"} {
		It("admits a member by "+parts+" in the subject of its certificate", kit.Requirement("RFC6407-3.1-03", "RFC6407-3.1-04"),
			registers(admits(signing, policy.Identity{Kind: policy.IdentitySubject, Value: parts})))
	}

	It("gives nothing to a member whose name is not on the group's list, though Phase 1 accepts it",
		kit.Requirement("RFC6407-3.1-03", "RFC6407-3.1-04", "RFC6407-3.4-01"), kit.Negative, refuses(admits(signing, gm2, gm1, gm2)))
	It("gives nothing to a member whose certificate is of another unit than the group's list has",
		kit.Requirement("RFC6407-3.1-03", "RFC6407-3.1-04", "RFC6407-3.4-01"), kit.Negative,
		refuses(admits(unit(signing, "Guests"), policy.Identity{Kind: policy.IdentitySubject, Value: "OU=Members,O=gdoilab"})))
	It("gives nothing to a member whose certificate has only a part of what the group's list asks for",
		kit.Requirement("RFC6407-3.1-03", "RFC6407-3.1-04"), kit.Negative,
		refuses(admits(signing, policy.Identity{Kind: policy.IdentitySubject, Value: "CN=gm2,OU=Members"})))
	It("gives nothing to a member that proves a name at an address on the group's list", kit.Requirement("RFC6407-3.1-03", "RFC6407-3.1-04"),
		kit.Negative, refuses(phase1Of(signing, as1, claiming(gm1))))

	// With a pre-shared key that belongs to an identity, and with a list of all that are expected.
	dropsUnder(phase1Of(lab.Setup{}, keyOf(gm1), claiming(gm1)), " though its key is that of another", core.MainMode5, unexpected(core.MainMode5, gm2))
	dropsUnder(phase1Of(signing, expecting(gm1), claiming(gm1)), " though nobody expects it", core.MainMode5,
		unexpected(core.MainMode5, policy.Identity{Kind: policy.IdentityUserFQDN, Value: "gm1@example"}))
})

var _ = Describe("Identities at a group member (RFC 2407 §4.6.2, RFC 6407 §3.1)", kit.Subject("phase1"), kit.DUT(rule.GM), func() {
	signing := lab.Signing(signedBy(policy.AuthECDSA256), lab.Setup{})
	ks := named(lab.KeyServerName)
	for _, id := range identified(lab.Holder(lab.KeyServerName, lab.KeyServerAddr)) {
		It("registers with a key server that it knows as "+id.String(), kit.Requirement("RFC6407-3.1-01", "RFC5374-4.1.3.5-01"),
			registers(phase1Of(signing, claiming(id), expecting(id))))
	}
	for _, id := range identified(lab.Holder(lab.MemberName(1), lab.MemberAddr(1))) {
		It("proves that it is "+id.String(), kit.Requirement("RFC2409-5-12", "RFC2409-5.1-03"), func(ctx SpecContext) {
			setup := phase1Of(signing, as1, claiming(id))
			keyServer := setup.KeyServer
			setup.KeyServer = func(c *policy.KeyServer) { keyServer(c); c.Groups[0].Identities = []policy.Identity{id} }
			t := begin(ctx, setup)
			complete := t.reaches(ctx, settled(memberSide))
			signed(t, memberSide)
			Expect(value(proof(t, memberSide), "ID", "ID Type")).To(ContainSubstring(idType(id)))
			Expect(complete).To(BeTrue(), "the exchange goes on to the PULL")
		})
	}
	It("asks no key server for the group that proves a name which it does not know", kit.Requirement("RFC6407-3.1-02", "RFC5374-4.1.3.5-01"),
		kit.Negative, func(ctx SpecContext) {
			t := begin(ctx, signing, tester.IdentityOf(core.MainMode6, isakmp.IDFQDN, []byte(ks.Value)))
			kit.Reached(t.Wait(ctx, lab.Patience, func() bool { return len(t.decoded(t.KS, core.MainMode6)) > 0 }), "the key server proves itself")
			kit.AwaitRefusal(ctx, t.Lab, t.GM[0], "RFC6407-3.1-02", 0, func() bool { return len(t.decoded(t.GM[0], core.Pull1)) > 0 })
			t.Pass(ctx, time.Second)
			Expect(t.decoded(t.GM[0], core.Pull1)).To(BeEmpty(), "it does not name the group")
			kit.ExpectRefused(ctx, t.GM[0], "RFC6407-3.1-02", BeNumerically(">", 0))
			fresh := t.afresh(ctx)
			asked := t.Wait(ctx, lab.Patience, func() bool { return len(t.answers(fresh, true)) > 2 })
			kit.Control(asked, "it asks the key server once that proves its address")
		})

	dropsUnder(phase1Of(lab.Setup{}, claiming(ks), both(keyOf(ks), expecting(ks))), " though its key is that of another", core.MainMode6,
		unexpected(core.MainMode6, policy.Identity{Kind: policy.IdentityFQDN, Value: "other.example"}))
	dropsUnder(phase1Of(signing, claiming(ks), expecting(ks)), " though nobody expects it", core.MainMode6,
		unexpected(core.MainMode6, policy.Identity{Kind: policy.IdentityUserFQDN, Value: "ks@example"}))
})

// named is a node by its name.
func named(node string) policy.Identity {
	return policy.Identity{Kind: policy.IdentityFQDN, Value: node + ".example"}
}

// The changes of Phase 1 that these specs are made of.
func as1(*policy.Phase1) {}

func claiming(id policy.Identity) func(*policy.Phase1) {
	return func(p *policy.Phase1) { p.Identity = id }
}

func expecting(id policy.Identity) func(*policy.Phase1) {
	return func(p *policy.Phase1) { p.Peers = []policy.Identity{id} }
}

func keyOf(id policy.Identity) func(*policy.Phase1) {
	return func(p *policy.Phase1) { p.PSKs[0].Identity = id }
}

func both(a, b func(*policy.Phase1)) func(*policy.Phase1) {
	return func(p *policy.Phase1) { a(p); b(p) }
}

// unit has the first member hold a certificate of another organisational unit.
func unit(setup lab.Setup, name string) lab.Setup {
	member := setup.Member
	setup.Member = func(i int, c *policy.Member) {
		member(i, c)
		if i == 1 {
			holder := lab.Holder(c.Name, c.Address.Addr())
			holder.OU = name
			c.Phase1.Certificates = lab.Certify(lab.PrivateKey(policy.AuthECDSA256, c.Name), holder)
		}
	}
	return setup
}

// unexpected is a message that proves an identity which the device does not expect.
func unexpected(kind core.Kind, id policy.Identity) []row {
	types := map[policy.IdentityKind]uint8{policy.IdentityFQDN: isakmp.IDFQDN, policy.IdentityUserFQDN: isakmp.IDUserFQDN}
	return []row{{"RFC2408-5.8-01", tester.IdentityOf(kind, types[id.Kind], []byte(id.Value))}}
}

// idType is the name of the type by which an identity is sent.
func idType(id policy.Identity) string {
	return map[policy.IdentityKind]string{policy.IdentityFQDN: "ID_FQDN", policy.IdentityUserFQDN: "ID_USER_FQDN",
		policy.IdentityDN: "ID_DER_ASN1_DN", policy.IdentityAddress: "ID_IPV4_ADDR"}[id.Kind]
}

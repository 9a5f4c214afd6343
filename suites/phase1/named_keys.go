package phase1

import (
	"net/netip"

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

// byNames are identities without an address, one of each kind.
var byNames = []policy.Identity{
	named(lab.MemberName(1)), {Kind: policy.IdentityUserFQDN, Value: "gm1@example"}, {Kind: policy.IdentityDN, Value: "CN=gm1,O=gdoilab"},
	{Kind: policy.IdentityKeyID, Value: "first"},
}

// knowing gives an end these keys and no other.
func knowing(keys ...policy.PSK) func(*policy.Phase1) {
	return func(p *policy.Phase1) { p.PSKs = keys }
}

// elsewhere has everybody's key be another: whoever is known by its address is not known by the right key.
func elsewhere(keys ...policy.PSK) func(*policy.Phase1) {
	return knowing(append(keys, policy.PSK{Peer: lab.WAN, Key: own})...)
}

// ofName is the key of a name, and everybody's key as a member has it.
func ofName(name policy.Identity, key []byte) policy.PSK { return policy.PSK{Identity: name, Key: key} }

func everybody(key []byte) policy.PSK { return policy.PSK{Peer: lab.WAN, Key: key} }

// listing has the group's members be those names.
func listing(setup lab.Setup, names ...policy.Identity) lab.Setup {
	keyServer := setup.KeyServer
	setup.KeyServer = func(c *policy.KeyServer) {
		keyServer(c)
		c.Groups[0].Members, c.Groups[0].Identities = nil, names
	}
	return setup
}

var _ = Describe("Pre-shared keys by name at a key server (RFC 2409 §5.4)", kit.Subject("phase1"), kit.DUT(rule.KS), func() {
	for _, name := range byNames {
		It("finds the key of "+name.String()+", though the address has another", kit.Requirement("RFC2409-5.4-02", "RFC6407-3.1-03"),
			registers(listing(phase1Of(aggressively(), elsewhere(ofName(name, right)), both(claiming(name), knowing(everybody(right)))), name)))
	}
	It("finds a key by a name of another case", kit.Requirement("RFC2409-5.4-02"), registers(listing(phase1Of(aggressively(),
		elsewhere(ofName(policy.Identity{Kind: policy.IdentityFQDN, Value: "GM1.Example"}, right)),
		both(claiming(byNames[0]), knowing(everybody(right)))), byNames[0])))
	It("prefers the key of a name at the member's address to that of the name anywhere", kit.Requirement("RFC2409-5.4-02"),
		registers(listing(phase1Of(aggressively(),
			elsewhere(ofName(byNames[0], own), policy.PSK{Peer: address(1), Identity: byNames[0], Key: right}),
			both(claiming(byNames[0]), knowing(everybody(right)))), byNames[0])))

	known := phase1Of(aggressively(), elsewhere(ofName(byNames[0], right), policy.PSK{Peer: address(3), Identity: named(lab.MemberName(3)), Key: right}),
		both(claiming(byNames[0]), knowing(everybody(right))))
	dropsUnder(known, ", which has no key", core.Aggressive1, []row{
		{"RFC2409-5.4-01", tester.IdentityOf(core.Aggressive1, isakmp.IDFQDN, []byte("nobody.example"))},
		{"RFC2409-5.4-01", tester.IdentityOf(core.Aggressive1, isakmp.IDUserFQDN, []byte(byNames[0].Value))},
		{"RFC2409-5.4-01", tester.IdentityOf(core.Aggressive1, isakmp.IDKeyID, []byte(byNames[0].Value))},
		{"RFC2409-5.4-01", tester.IdentityOf(core.Aggressive1, isakmp.IDDERASN1DN, distinguished("CN=gm1,O=gdoilab"))},
		{"RFC2409-5.4-01", tester.IdentityOf(core.Aggressive1, isakmp.IDFQDN, []byte(named(lab.MemberName(3)).Value))},
	})

	// shuts has the first member try in vain, and the second register.
	shuts := func(setup lab.Setup, first policy.ExchangeMode, keys ...[]byte) func(SpecContext) *talk {
		member := setup.Member
		setup.Members = 2
		setup.Member = func(i int, c *policy.Member) {
			member(i, c)
			c.Phase1.Identity, c.Phase1.PSKs[0].Key = named(lab.MemberName(i)), keys[i-1]
			if i == 1 {
				c.Phase1.Mode = first
			}
		}
		return func(ctx SpecContext) *talk {
			t := prepare(ctx, setup)
			t.start(ctx, t.KS, t.GM[0])
			kit.Reached(t.Wait(ctx, lab.Patience, func() bool { return len(t.openings(t.GM[0])) > 0 }), "the first member begins")
			t.Wait(ctx, kit.Settle, func() bool { return len(t.decoded(t.KS, core.Pull2)) > 0 })
			Expect(t.decoded(t.KS, core.Pull2)).To(BeEmpty(), "the first member gets no message 2")
			t.start(ctx, t.GM[1])
			kit.Control(t.GM[1].AwaitRegistered(ctx) == nil, "a member with its name and its key registers")
			Expect(t.GM[0].Registered(ctx)).To(BeFalse())
			return t
		}
	}
	gm1, gm2 := named(lab.MemberName(1)), named(lab.MemberName(2))
	two := listing(phase1Of(aggressively(), knowing(ofName(gm1, own), ofName(gm2, right)), as1), gm1, gm2)
	It("lets nobody in who has a right name and the key of another", kit.Requirement("RFC2409-5.4-02"), kit.Negative, func(ctx SpecContext) {
		shuts(two, policy.AggressiveMode, right, right)(ctx)
	})
	It("refuses Main Mode of a member for which it has a key by name alone", kit.Requirement("RFC2409-5.4-01"), kit.Negative, func(ctx SpecContext) {
		t := shuts(two, policy.MainMode, own, right)(ctx)
		Expect(t.answers(t.openings(t.GM[0])[0].header.InitiatorCookie, true)).To(BeEmpty(), "message 1 is not answered")
		kit.ExpectRefused(ctx, t.KS, "RFC2409-5.4-01", BeNumerically(">", 0), "the key server says so")
	})
	It("gives nothing to a member that proves its name by its key but is not on the group's list", kit.Requirement("RFC6407-3.1-03", "RFC6407-3.1-04"),
		kit.Negative, func(ctx SpecContext) {
			t := shuts(listing(two, gm2), policy.AggressiveMode, own, right)(ctx)
			kit.ExpectRefused(ctx, t.KS, "RFC6407-3.1-03", BeNumerically(">", 0), "the key server says that it refused the member")
		})
	It("does not take a name for that of the key which belongs to the address", kit.Requirement("RFC2408-5.8-01"), kit.Negative, func(ctx SpecContext) {
		there := policy.PSK{Peer: address(1), Identity: gm2, Key: right}
		setup := listing(phase1Of(aggressively(), knowing(there), both(claiming(gm2), knowing(everybody(right)))), gm2)
		refuses(ctx, setup, core.Aggressive3,
			row{"RFC2408-5.8-01", tester.Identity(core.Aggressive1, "its address as its identity", func(id *isakmp.ID) {
				id.IDType, id.Data = isakmp.AddressIdentity(lab.MemberAddr(1))
			})})
	})
})

var _ = Describe("Pre-shared keys by name at a group member (RFC 2409 §5.4)", kit.Subject("phase1"), kit.DUT(rule.GM), func() {
	for _, name := range byNames {
		It("finds the key of a key server that says it is "+name.String()+", though the address has another", kit.Requirement("RFC2409-5.4-02"),
			registers(phase1Of(aggressively(), both(claiming(name), knowing(everybody(right))),
				both(expecting(name), elsewhere(ofName(name, right))))))
	}
	ks := named(lab.KeyServerName)
	ksAlone := netip.PrefixFrom(lab.KeyServerAddr, lab.KeyServerAddr.BitLen())
	It("uses the key of the address that it called for a key server whose name has none", kit.Requirement("RFC2409-5.4-01"),
		registers(phase1Of(aggressively(), both(claiming(ks), knowing(everybody(right))),
			both(expecting(ks), knowing(everybody(own), policy.PSK{Peer: ksAlone, Key: right})))))
	dropsUnder(phase1Of(aggressively(), both(claiming(ks), knowing(everybody(right))), both(expecting(ks), elsewhere(ofName(ks, right)))),
		" and the key of another", core.Aggressive2, []row{
			{"RFC2408-5.11-01", tester.IdentityOf(core.Aggressive2, isakmp.IDFQDN, []byte("other.example"))},
			{"RFC2408-5.11-01", tester.IdentityOf(core.Aggressive2, isakmp.IDKeyID, []byte(ks.Value))},
		})
	dropsUnder(phase1Of(aggressively(), claiming(ks), both(keyOf(ks), expecting(ks))), " in Aggressive Mode, though its key is that of another",
		core.Aggressive2, unexpected(core.Aggressive2, policy.Identity{Kind: policy.IdentityFQDN, Value: "other.example"}))
})

package modes

import (
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var anywhere = netip.MustParsePrefix("0.0.0.0/0")

// The entries of these specs.
var (
	telnet   = entry(policy.ACLDeny, policy.Selector{Protocol: 6, DestinationPort: 23})
	gdoi     = entry(policy.ACLDeny, policy.Selector{Protocol: 17, SourcePort: lab.Port, DestinationPort: lab.Port})
	outwards = entry(policy.ACLDeny, policy.Selector{Source: netip.PrefixFrom(h1, 32), Destination: netip.PrefixFrom(outsider, 32)})
)

// entry makes an entry of a selector whose addresses are any unless they are named.
func entry(a policy.ACLAction, s policy.Selector) policy.FailCloseEntry {
	if !s.Source.IsValid() {
		s.Source = anywhere
	}
	if !s.Destination.IsValid() {
		s.Destination = anywhere
	}
	return policy.FailCloseEntry{Selector: s, Action: a}
}

// closing has members fail close with these entries.
func closing(entries ...policy.FailCloseEntry) func(int, *policy.Member) {
	return func(_ int, c *policy.Member) { c.FailClose = policy.FailClose{Activate: true, AccessList: entries} }
}

var _ = Describe("A member before it has registered", kit.Subject("modes"), kit.DUT(rule.GM), kit.Feature("profile:getvpn"), func() {
	registers := func(s *scene) {
		GinkgoHelper()
		kit.Precondition(s.KS.Start(s.ctx), "the key server starts")
		kit.Precondition(s.GM[0].AwaitRegistered(s.ctx), "the device registers")
	}

	It("lets traffic pass in clear, and protects it afterwards", kit.Requirement("GETVPN-FAILCLOSE-01"), func(ctx SpecContext) {
		s := alone(ctx, lab.Setup{})
		s.is(open, "before it has registered")
		registers(s)
		s.is(both, "once it has")
	})

	It("lets nothing pass if it fails close", kit.Requirement("GETVPN-FAILCLOSE-02"), kit.Negative, func(ctx SpecContext) {
		s := alone(ctx, lab.Setup{Member: closing()})
		s.isNow(blocked, "before it has registered")
		s.passes(beyond(s.packet()), not, "nor does what the group would not protect leave")
		s.takes(back(beyond(s.packet())), false, "or come in")
		registers(s)
		kit.Control(s.comesTo(both) == both, "traffic is protected once it has")
	})

	It("lets nothing pass if it fails close and the key server refuses it", kit.Requirement("GETVPN-FAILCLOSE-13"), kit.Negative, func(ctx SpecContext) {
		s := alone(ctx, lab.Setup{Member: closing(telnet), Group: func(g *policy.Group) { g.Members = nil }})
		kit.Precondition(s.KS.Start(ctx), "the key server starts")
		kit.Reached(kit.AwaitRefusal(ctx, s.Lab, s.KS, "RFC6407-3.1-03", 0, kit.Never), "the key server refuses the device")
		s.isNow(blocked, "while it is refused")
		s.passes(s.ports(6, 4000, 23), inClear, "what its list denies leaves in clear")
		kit.Control(true, "what its list denies leaves in clear")
	})

	It("lets pass in clear what its list denies, and nothing else", kit.Requirement("GETVPN-FAILCLOSE-03", "GETVPN-FAILCLOSE-22"), kit.Negative,
		func(ctx SpecContext) {
			s := alone(ctx, lab.Setup{Member: closing(telnet)})
			s.passes(s.ports(6, 4000, 22), not, "another port")
			s.passes(s.ports(17, 4000, 23), not, "another protocol")
			s.isNow(blocked, "a protocol without ports")
			s.passes(s.ports(6, 4000, 23), inClear, "telnet")
			kit.Control(true, "telnet leaves in clear")
		})

	It("follows the policy of its group alone once it has registered", kit.Requirement("GETVPN-FAILCLOSE-04"), func(ctx SpecContext) {
		s := alone(ctx, lab.Setup{Member: closing(telnet)})
		s.passes(s.ports(6, 4000, 23), inClear, "before, what its list denies leaves in clear")
		registers(s)
		s.is(both, "afterwards the group's traffic is protected")
		s.passes(s.ports(6, 4000, 23), inESP, "and so is what the list denies")
		s.passes(beyond(s.packet()), inClear, "what the group does not protect leaves in clear")
		s.takes(back(beyond(s.packet())), true, "and comes in")
	})

	It("lets traffic pass in clear as long as failing close is not activated", kit.Requirement("GETVPN-FAILCLOSE-06"), func(ctx SpecContext) {
		s := alone(ctx, lab.Setup{Member: func(_ int, c *policy.Member) {
			closing(entry(policy.ACLPermit, policy.Selector{}))(0, c)
			c.FailClose.Activate = false
		}})
		s.is(open, "with a list that would drop everything")
	})

	It("compares what comes in with its list the other way round", kit.Requirement("GETVPN-FAILCLOSE-09", "GETVPN-FAILCLOSE-10"), kit.Negative,
		func(ctx SpecContext) {
			s := alone(ctx, lab.Setup{Member: closing(outwards)})
			other := beyond(s.packet())
			other.Source = h1.Next()
			s.passes(other, not, "another host's packet does not leave")
			s.takes(back(other), false, "nor does one for it come in")
			s.isNow(blocked, "nor one for another destination, or from there")
			s.passes(beyond(s.packet()), inClear, "the host's packet leaves in clear")
			s.takes(back(beyond(s.packet())), true, "and the answer comes in")
			kit.Control(true, "what the list denies passes in both directions")
		})

	It("goes through its list in order", kit.Requirement("GETVPN-FAILCLOSE-10"), kit.Negative, func(ctx SpecContext) {
		permit := entry(policy.ACLPermit, policy.Selector{Protocol: 6, DestinationPort: 23, Destination: netip.PrefixFrom(h2, 32)})
		s := alone(ctx, lab.Setup{Member: closing(permit, telnet, entry(policy.ACLPermit, policy.Selector{}))})
		s.passes(s.ports(6, 4000, 23), not, "what is permitted first is dropped")
		s.passes(beyond(s.ports(6, 4000, 23)), inClear, "what is denied before it is permitted leaves in clear")
		kit.Control(true, "what is denied first leaves in clear")
	})

	It("registers without an entry for its own key management", kit.Requirement("GETVPN-FAILCLOSE-11"), func(ctx SpecContext) {
		s := alone(ctx, lab.Setup{Member: closing()})
		kit.Precondition(s.KS.Start(ctx), "the key server starts")
		Expect(s.GM[0].AwaitRegistered(ctx)).To(Succeed())
		s.is(both, "once it has registered")
	})

	for _, c := range []struct {
		name    string
		entries []policy.FailCloseEntry
		pass    bool
	}{
		{"lets no key management of other members pass if it fails close", nil, false},
		{"lets key management of other members pass if its list denies port 848", []policy.FailCloseEntry{gdoi}, true},
	} {
		It(c.name, kit.Requirement("GETVPN-FAILCLOSE-12"), func(ctx SpecContext) {
			s := alone(ctx, lab.Setup{Member: closing(append(c.entries, telnet)...)})
			how := map[bool]string{true: inClear, false: not}[c.pass]
			s.passes(beyond(s.ports(17, lab.Port, lab.Port)), how, "a message to a key server beyond the device")
			s.takes(back(beyond(s.ports(17, lab.Port, lab.Port))), c.pass, "and the answer")
			s.passes(beyond(s.ports(6, 4000, 23)), inClear, "the device is alive")
		})
	}
})

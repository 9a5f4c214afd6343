package modes

import (
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

const (
	ssh  = 22
	ospf = 89
)

// answers is the entry for sessions with a port that end on this side.
func answers(port uint16, to netip.Addr) policy.FailCloseEntry {
	return entry(policy.ACLDeny, policy.Selector{Protocol: 6, SourcePort: port, Destination: netip.PrefixFrom(to, 32)})
}

// management is where operators reach the device.
var management = netip.AddrPortFrom(lab.MemberAddr(1), 2222)

// greets reports whether the device greets who comes from the host behind the other member, as an SSH server does (RFC 4253 §4.2).
func (s *scene) greets() bool {
	GinkgoHelper()
	host, ok := s.Hosts[1].(lab.Toolbox)
	if !ok {
		kit.Missing("hosts with programs of their own")
	}
	wait, err := host.Run(s.ctx, "timeout", "5", "bash", "-c", fmt.Sprintf("exec 3<>/dev/tcp/%s/%d; head -c 4 <&3", management.Addr(), management.Port()))
	kit.Precondition(err, "somebody comes to the device")
	said, _ := wait()
	return said == "SSH-"
}

var _ = Describe("Sessions across a member that fails close", kit.Subject("modes"), kit.DUT(rule.GM), kit.Feature("profile:getvpn"), func() {
	It("need an entry each before it has registered, as do routing protocols", kit.Requirement("GETVPN-FAILCLOSE-08"), kit.Negative, func(ctx SpecContext) {
		s := alone(ctx, lab.Setup{Member: closing(telnet)})
		s.passes(beyond(s.ports(6, ssh, 40000)), not, "what an SSH server behind it answers leaves only with an entry")
		s.takes(back(beyond(s.ports(6, 40000, ssh))), false, "and nobody gets to it")
		routing := beyond(s.packet())
		routing.Protocol = ospf
		s.passes(routing, not, "OSPF leaves only with an entry")
		s.passes(s.ports(6, 4000, 23), inClear, "what has one passes")
		kit.Control(true, "what has an entry passes")
	})

	It("pass with an entry each before it has registered, as do routing protocols", kit.Requirement("GETVPN-FAILCLOSE-08"), func(ctx SpecContext) {
		s := alone(ctx, lab.Setup{Member: closing(answers(ssh, outsider), entry(policy.ACLDeny, policy.Selector{Protocol: ospf}))})
		s.takes(back(beyond(s.ports(6, 40000, ssh))), true, "somebody gets to an SSH server behind it")
		s.passes(beyond(s.ports(6, ssh, 40000)), inClear, "and is answered")
		routing := beyond(s.packet())
		routing.Protocol = ospf
		s.passes(routing, inClear, "OSPF leaves")
	})

	for _, c := range []struct {
		sentence string
		entries  []policy.FailCloseEntry
		pass     bool
	}{
		{"do not get to the console of the device itself without an entry before it has registered", nil, false},
		{"get to the console of the device itself with an entry before it has registered", []policy.FailCloseEntry{answers(management.Port(), lab.HostAddr(2))}, true},
	} {
		It(c.sentence, kit.Requirement("GETVPN-FAILCLOSE-08"), kit.Needs(lab.NeedKernel), func(ctx SpecContext) {
			s := alone(ctx, lab.Setup{Member: func(i int, m *policy.Member) {
				if i == 1 {
					closing(c.entries...)(i, m)
					m.Console = policy.Console{SSH: management, Enable: "sesame", Users: []policy.ConsoleUser{{Name: "operator", Password: "correct-horse"}}}
				}
			}})
			kit.Precondition(s.GM[1].Start(ctx), "the other member forwards")
			Expect(s.greets()).To(Equal(c.pass), "before it has registered")
			kit.Precondition(s.KS.Start(ctx), "the key server starts")
			kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the device registers")
			Expect(s.greets()).To(BeTrue(), "once it has registered")
		})
	}
})

package mib

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/mib"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// notification is one that a device has to send, and why.
type notification struct {
	number  mib.Notification
	when    string
	setup   lab.Setup
	cause   func(*scene)
	carries string // an object that has to be in it; "": none
}

// begins starts everybody, whatever comes of it.
func (s *scene) begins() {
	GinkgoHelper()
	kit.Precondition(s.KS.Start(s.ctx), "the key server starts")
	kit.Precondition(s.GM[0].Start(s.ctx), "the member starts")
}

func (s *scene) registers() {
	GinkgoHelper()
	kit.Precondition(s.Up(s.ctx), "every member registers")
}

// rekeys has the key server send a rekey once all have registered.
func (s *scene) rekeys() {
	GinkgoHelper()
	s.registers()
	kit.Rekey(s.ctx, s.Lab, control.RekeyArgs{})
}

// notifies makes a spec of each row.
func notifies(rows []notification) {
	for _, n := range rows {
		It("notifies its manager "+n.when, kit.Requirement("GETVPN-MIB-05"), func(ctx SpecContext) {
			s := network(ctx, n.setup)
			n.cause(s)
			sent, ok := s.device.AwaitNotification(ctx, n.number, lab.Patience)
			Expect(ok).To(BeTrue(), "notification %d among %v", n.number, s.device.Notifications())
			if n.carries != "" {
				Expect(sent.Objects.Of(n.carries)).To(HaveLen(1), "%s comes with it", n.carries)
			}
		})
	}
}

var _ = Describe("Notifications of a key server of GET VPN by CISCO-GDOI-MIB", kit.Subject("mib"), kit.DUT(rule.KS), func() {
	notifies([]notification{
		{number: mib.KSNewRegistration, when: "when a member begins to register", cause: (*scene).registers},
		{number: mib.KSRegistrationComplete, when: "when a member has registered", cause: (*scene).registers},
		{number: mib.KSRekeyPushed, when: "when a rekey is sent", cause: (*scene).rekeys, carries: "cgmGdoiKeyServerRekeysPushed"},
		{number: mib.KSNoRSAKeys, when: "when there is no key to sign rekeys", cause: (*scene).begins,
			setup: lab.Setup{KeyServer: func(c *policy.KeyServer) { c.SigningKey = nil }}},
		{number: mib.KSMemberDeleted, when: "when a member is deleted", cause: func(s *scene) {
			s.registers()
			kit.Precondition(s.KS.ClearGroups(s.ctx), "the operator clears the group")
		}},
	})
})

var _ = Describe("Notifications of a member of GET VPN by CISCO-GDOI-MIB", kit.Subject("mib"), kit.DUT(rule.GM), func() {
	notifies([]notification{
		{number: mib.MemberRegister, when: "when it begins to register", cause: (*scene).begins},
		{number: mib.MemberRegistered, when: "when it has registered", cause: (*scene).registers, carries: "cgmGdoiGmRegKeyServerIdValue"},
		{number: mib.MemberReRegister, when: "when it registers again", cause: func(s *scene) {
			s.registers()
			kit.Precondition(s.GM[0].Register(s.ctx), "the operator has it register again")
		}},
		{number: mib.MemberRekeyReceived, when: "when it has taken a rekey", cause: (*scene).rekeys, carries: "cgmGdoiGmRekeysReceived"},
		{number: mib.MemberIncompleteConfig, when: "when its configuration lacks a key server", cause: (*scene).begins,
			setup: lab.Setup{Member: func(_ int, c *policy.Member) { c.KeyServers = nil }}},
		{number: mib.MemberNoIPsecFlows, when: "when it has no room for the SAs of the policy", cause: (*scene).begins, setup: lab.Setup{
			Member: func(_ int, c *policy.Member) { c.IPsecFlows = 1 },
			Group: func(g *policy.Group) {
				second := g.SAs[0]
				second.Selector.Protocol = 17
				g.SAs = append(g.SAs, second)
			},
		}},
		{number: mib.MemberRekeyFailure, when: "when a rekey cannot be carried out", cause: func(s *scene) {
			s.registers()
			Expect(s.KS.Misbehave(tester.Taps(tester.Omit(core.Push, isakmp.PayloadKD, "RFC 6407 §4")))).To(Succeed())
			kit.Rekey(s.ctx, s.Lab, control.RekeyArgs{})
		}},
	})
})

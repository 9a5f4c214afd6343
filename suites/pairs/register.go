package pairs

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// aggressive has everybody begin Phase 1 in Aggressive Mode.
var aggressive = lab.Setup{
	KeyServer: func(c *policy.KeyServer) { c.Phase1.Mode = policy.AggressiveMode },
	Member:    func(_ int, c *policy.Member) { c.Phase1.Mode = policy.AggressiveMode },
}

// up has two devices find together, which is what is judged here.
func up(ctx SpecContext, setup lab.Setup) *lab.Lab {
	GinkgoHelper()
	l := kit.Lab(ctx, setup)
	Expect(l.Up(ctx)).To(Succeed(), "every member registers")
	return l
}

var _ = Describe("Two devices and Phase 1 (RFC 2409 §5)", kit.Subject("pairs"), kit.DUT(rule.Both), kit.Scene(kit.Phase1), func() {
	for _, c := range []struct {
		name, requirement string
		setup             lab.Setup
		exchange          isakmp.ExchangeType
		encrypted         []bool
	}{
		{"Main Mode", "RFC2409-5-01", lab.Setup{}, isakmp.ExchangeMainMode, []bool{false, false, false, false, true, true}},
		{"Aggressive Mode", "RFC2409-5-02", aggressive, isakmp.ExchangeAggressive, nil},
	} {
		It("agree in "+c.name+", and the member asks for the group under the SA that they have made", kit.Requirement(c.requirement, "RFC6407-2-01", "RFC6407-3.2.1-01"),
			func(ctx SpecContext) {
				l := up(ctx, c.setup)
				all := between(l, 1)
				phase1, pull := of(c.exchange, all), of(isakmp.ExchangePull, all)
				Expect(len(phase1)).To(BeNumerically(">=", 3), "messages of Phase 1")
				if c.encrypted != nil {
					Expect(encrypted(phase1)).To(Equal(c.encrypted), "which of the messages of Phase 1 are encrypted")
				}
				Expect(pull).NotTo(BeEmpty(), "messages of the PULL")
				Expect(encrypted(pull)).To(HaveEach(true), "messages of the PULL that are encrypted")
				for _, h := range pull {
					Expect(h.Header.InitiatorCookie).To(Equal(phase1[0].InitiatorCookie), "the SA of the PULL")
					Expect(h.Header.ResponderCookie).To(Equal(phase1[len(phase1)-1].ResponderCookie), "the SA of the PULL")
				}
			})
	}
})

var _ = Describe("Two devices and a registration (RFC 6407 §3)", kit.Subject("pairs"), kit.DUT(rule.Both), kit.Scene(kit.Registration), func() {
	It("go through a PULL of four messages in turn", kit.Requirement("RFC6407-3.2-01", "RFC6407-3.2.1-03", "RFC6407-3.2.1-04"), func(ctx SpecContext) {
		l := up(ctx, lab.Setup{})
		pull := of(isakmp.ExchangePull, between(l, 1))
		Expect(fromKeyServer(pull)).To(Equal([]bool{false, true, false, true}), "who sent each message")
		for _, h := range pull {
			Expect(h.MessageID).To(Equal(pull[0].MessageID), "Message ID")
			Expect(h.MessageID).NotTo(BeZero(), "Message ID")
		}
	})
	It("have several members in the group, each by a registration of its own", kit.Requirement("RFC6407-3-02", "RFC6407-3.1-03"), func(ctx SpecContext) {
		const members = 3
		l := up(ctx, lab.Setup{Members: members})
		for i := 1; i <= members; i++ {
			Expect(of(isakmp.ExchangePull, between(l, i))).To(HaveLen(4), "messages of the PULL of %s", lab.MemberName(i))
		}
	})
	It("are together again after the member has forgotten everything", kit.Requirement("RFC6407-3.2-01", "RFC6407-3.3-07"), func(ctx SpecContext) {
		l := up(ctx, lab.Setup{Members: 2, Hosts: true})
		Expect(kit.Ping(ctx, l, 1, 2, 2).Received).To(Equal(2), "answers before")
		kit.Precondition(l.GM[0].Clear(ctx), "the member forgets everything")
		again := func() bool { return len(of(isakmp.ExchangePull, between(l, 1))) >= 8 }
		Expect(l.Wait(ctx, lab.Patience, again)).To(BeTrue(), "the member registers again")
		Expect(l.GM[0].AwaitRegistered(ctx)).To(Succeed())
		Expect(kit.Ping(ctx, l, 1, 2, 2).Received).To(Equal(2), "answers after")
	})
})

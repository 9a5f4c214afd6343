package registration

import (
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// onDemand has the member register when a packet is to be protected that goes to that network.
func onDemand(to netip.Prefix) func(*policy.Member) {
	return func(c *policy.Member) {
		authorising(to)(c)
		c.OnDemand = true
	}
}

var _ = Describe("Registration on demand (RFC 5374 §4.1.1)", kit.Subject("registration"), kit.DUT(rule.GM), func() {
	// quiet has time pass in which the member has to begin nothing.
	quiet := func(ctx SpecContext, l *lab.Lab) bool {
		l.Pass(ctx, time.Second)
		return len(phase1s(l)) == 0
	}

	It("registers when a host sends a packet that is to be protected, and protects those that follow", kit.Requirement("RFC5374-4.1.1-05"),
		func(ctx SpecContext) {
			l := newLab(ctx, nil, onDemand(lab.Protected))
			start(ctx, l)
			Expect(quiet(ctx, l)).To(BeTrue(), "it does not register by itself")
			before := kit.Now(l)
			chatter(ctx, l, 50*time.Millisecond)
			Expect(l.GM[0].AwaitRegistered(ctx)).To(Succeed(), "the first packet has it register")
			Expect(l.Wait(ctx, lab.Patience, func() bool { return len(packetsTo(l, lab.HostAddr(2))) > 0 })).To(BeTrue(), "packets leave in ESP")
			Expect(kit.ClearSince(l, before)).To(BeEmpty(), "and none in clear")
			Expect(phase1s(l)).To(HaveLen(1), "one registration is enough for all of them")
		})

	It("does not register for packets that no policy of its protects", kit.Requirement("RFC5374-4.1.1-05"), kit.Negative, func(ctx SpecContext) {
		l := newLab(ctx, nil, onDemand(lab.MemberLAN(2)))
		start(ctx, l)
		_, err := l.Hosts[0].Ping(ctx, lab.KeyServerAddr, lab.Ping{Count: 3})
		kit.Precondition(err, "the host sends")
		Expect(quiet(ctx, l)).To(BeTrue(), "it does not register for them")
		chatter(ctx, l, 50*time.Millisecond)
		kit.Control(l.Wait(ctx, lab.Patience, func() bool { return len(phase1s(l)) > 0 }), "a packet that is to be protected has it register")
	})
})

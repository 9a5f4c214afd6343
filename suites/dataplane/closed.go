package dataplane

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// nobody is an address behind the device that no host has.
var nobody = h1.Next()

// moment is long enough for a packet to have crossed the device, if it does.
const moment = 200 * time.Millisecond

// arpGivesUp is when a kernel that looks for a host on its link tells the sender that there is none.
const arpGivesUp = 3500 * time.Millisecond

// failsOpen configures the device to let traffic pass in clear as long as it has no keys.
func failsOpen(i int, c *policy.Member) { hasty(i, c); c.FailOpen = true }

// hasty has the device look for its key server again and again, as soon as it can be told.
func hasty(i int, c *policy.Member) { kit.Hurry(i, c, 100*time.Millisecond, 100*time.Millisecond) }

var _ = Describe("Traffic without an SA (RFC 6407 §5.5.1, RFC 4301 §5)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	// silent has packets go in from both sides and reports what comes out on the other.
	silent := func(s *scene) {
		GinkgoHelper()
		before := kit.Now(s.Lab)
		s.send(s.packet(), s.udp(4000, 5000))
		s.inject(s.back().Bytes())
		s.Pass(s.ctx, moment)
		Expect(s.out(before)).To(BeEmpty(), "nothing leaves")
		Expect(s.onLAN(before)).To(BeEmpty(), "nothing is delivered")
	}
	// open has a clear packet go through in each direction.
	open := func(s *scene) {
		GinkgoHelper()
		Expect(s.leaves1(s.packet()).ESP).To(BeNil(), "it leaves in clear")
		p := s.back()
		Expect(s.takes(p, p.Bytes())).NotTo(BeNil(), "a clear packet is delivered")
	}
	protecting := func(s *scene) bool {
		GinkgoHelper()
		return s.leaves1(s.packet()).ESP != nil
	}

	It("lets nothing through before it has registered", kit.Requirement("RFC6407-5.5.1-05", "RFC4301-5.2-01"), kit.Feature("closed-start"), kit.Negative, func(ctx SpecContext) {
		s := stage(ctx, lab.Setup{Member: hasty})
		kit.Precondition(s.GM[0].Start(ctx), "the device starts")
		silent(s)
		kit.Precondition(s.KS.Start(ctx), "the key server starts")
		kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the device registers")
		kit.Control(protecting(s), "packets leave in ESP once it has registered")
	})

	It("lets nothing through after its SAs were cleared and the key server does not answer",
		kit.Requirement("RFC6407-5.5.1-05", "RFC4301-5.2-01"), kit.Feature("closed-start"), kit.Negative, func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Member: hasty})
			kit.Control(protecting(s), "packets leave in ESP before")
			kit.Precondition(s.KS.Stop(), "the key server stops")
			kit.Precondition(s.GM[0].Clear(ctx), "the operator clears the SAs")
			silent(s)
		})

	It("lets nothing through after its SAs have ended and the key server does not answer",
		kit.Requirement("RFC6407-5.5.1-05", "RFC6407-5.5.1-11"), kit.Needs(lab.NeedVirtualTime), kit.Negative, func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: lasting(time.Minute)})
			kit.Control(protecting(s), "packets leave in ESP before")
			kit.Precondition(s.KS.Stop(), "the key server stops")
			s.Pass(ctx, time.Hour)
			silent(s)
		})

	It("tells the sender of a protected packet nothing in clear when the receiver is not there, since that would quote it",
		kit.Requirement("RFC6407-5.5.1-05"), kit.Needs(lab.NeedKernel), kit.Negative, func(ctx SpecContext) {
			s := device(ctx, lab.Setup{})
			before := kit.Now(s.Lab)
			p := s.back()
			p.Destination = nobody
			s.inject(s.group().Packet(p.Bytes()))
			kit.Control(s.honest(), "a packet for somebody who is there is delivered")
			s.Pass(ctx, arpGivesUp)
			for _, a := range s.onWAN(before) {
				Expect(a.ESP).NotTo(BeNil(), "%s is not sent in clear", flow(a.Inner))
			}
		})

	It("lets traffic pass in clear before it has registered, if it is configured so, and protects it afterwards",
		kit.Requirement("RFC6407-5.5.1-05"), kit.Feature("fail-open"), func(ctx SpecContext) {
			s := stage(ctx, lab.Setup{Member: failsOpen})
			kit.Precondition(s.GM[0].Start(ctx), "the device starts")
			open(s)
			kit.Precondition(s.KS.Start(ctx), "the key server starts")
			kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the device registers")
			Expect(protecting(s)).To(BeTrue(), "packets leave in ESP once it has registered")
			s.drops("RFC4301-5.2-01", s.back().Bytes())
		})

	It("lets traffic pass in clear after its SAs were cleared, if it is configured so", kit.Requirement("RFC6407-5.5.1-05"),
		kit.Feature("fail-open"), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Member: failsOpen})
			Expect(protecting(s)).To(BeTrue(), "packets leave in ESP before")
			kit.Precondition(s.KS.Stop(), "the key server stops")
			kit.Precondition(s.GM[0].Clear(ctx), "the operator clears the SAs")
			open(s)
		})
})

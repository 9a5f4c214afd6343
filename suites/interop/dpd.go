package interop

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Dead peer detection with a daemon that asks of its own accord (RFC 3706)", kit.Subject("interop"), kit.Needs(lab.NeedKernel), kit.Scene(kit.Phase1), func() {
	// libreswan asks only while there is an IPsec SA, which GDOI's Phase 1 never has.
	const daemon = "strongswan"
	for _, m := range []struct {
		says  string
		role  rule.Role
		terms []term
		run   func(*scene, context.Context) error
	}{
		{"begun by the own node", rule.GM, []term{asking}, (*scene).begin},
		{"begun by " + daemon, rule.KS, []term{asking, begins}, (*scene).answer},
	} {
		It(daemon+" is content with the answers to its own questions, in an SA "+m.says,
			kit.Requirement("RFC3706-5.2-01", "RFC3706-6.1-01"), kit.DUT(m.role), func(ctx SpecContext) {
				s := meet(ctx, daemon, usual, m.terms...)
				kit.Precondition(m.run(s, ctx), "Phase 1 is established")
				waiting, done := patient(ctx)
				defer done()
				_, err := s.own.Watch(waiting, func(l tester.Life) bool { return l.Questions > 3 })
				Expect(err).NotTo(HaveOccurred(), "it has asked for longer than it would wait for an answer")
				Expect(s.own.Answers(waiting, 1<<16)).To(BeTrue(), "it has the SA")
			})
	}
	for _, answers := range daemons {
		It(answers+" answers the questions of the reference's own dead peer detection", kit.Requirement("RFC3706-5.1-01", "RFC3706-5.3-01"),
			kit.DUT(rule.GM), func(ctx SpecContext) {
				s := meet(ctx, answers, usual, watching)
				kit.Precondition(s.begin(ctx), "Phase 1 is established")
				waiting, done := patient(ctx)
				defer done()
				_, err := s.own.Watch(waiting, func(l tester.Life) bool { return l.Answers > 2 })
				Expect(err).NotTo(HaveOccurred())
			})
	}
})

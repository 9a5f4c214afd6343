package interop

import (
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// Phase 1 through the kernel's own NAT. Who answers from behind it is found there because the NAT hands on what comes to the ports of
// IKE, which it does for the own node only.

// hidden has the own node behind a NAT, and beyond the foreign peer.
func hidden(t *terms) { t.nat, t.hidden = true, true }
func beyond(t *terms) { t.nat, t.beyond = true, true }

var _ = Describe("NAT traversal with IKE daemons that somebody else wrote (RFC 3947)", kit.Subject("interop"), kit.Needs(lab.NeedKernel), kit.Scene(kit.Phase1), func() {
	common := []string{"RFC3947-3.1-01", "RFC3947-3.2-01", "RFC3947-3.2-02", "RFC3947-4-02", "RFC3947-4-03", "RFC3947-4-07", "RFC3948-2.2-01"}
	asInitiator := kit.Requirement(append(slices.Clone(common), "RFC3947-4-01")...)
	asResponder := kit.Requirement(append(slices.Clone(common), "RFC3947-4-04")...)
	for _, daemon := range daemons {
		for _, mode := range []policy.ExchangeMode{policy.MainMode, policy.AggressiveMode} {
			in := func(t *terms) { t.mode = mode }
			name := map[policy.ExchangeMode]string{policy.MainMode: "Main Mode", policy.AggressiveMode: "Aggressive Mode"}[mode]
			It(fmt.Sprintf("%s begins %s from behind a NAT", daemon, name), asResponder, kit.DUT(rule.KS), func(ctx SpecContext) {
				s := meet(ctx, daemon, usual, in, begins, beyond)
				Expect(s.answer(ctx)).To(Succeed(), "Phase 1 is established")
				s.expectTraversed(ctx, false)
			})
			It(fmt.Sprintf("%s answers %s that comes from behind a NAT", daemon, name), asInitiator, kit.DUT(rule.GM), func(ctx SpecContext) {
				s := meet(ctx, daemon, usual, in, hidden)
				Expect(s.begin(ctx)).To(Succeed(), "Phase 1 is established")
				s.expectTraversed(ctx, true)
			})
			It(fmt.Sprintf("%s begins %s with a peer behind a NAT", daemon, name), asResponder, kit.DUT(rule.KS), func(ctx SpecContext) {
				s := meet(ctx, daemon, usual, in, begins, hidden)
				Expect(s.answer(ctx)).To(Succeed(), "Phase 1 is established")
				s.expectTraversed(ctx, true)
			})
		}
	}
})

// expectTraversed expects that both sides have the SA and use it on port 4500, and that the own one knows whether it is behind the
// NAT.
func (s *scene) expectTraversed(ctx SpecContext, hidden bool) {
	GinkgoHelper()
	s.expectSA(usual)
	sa := s.own.SA()
	Expect(sa.BehindNAT()).To(Equal(hidden), "the own node is behind the NAT")
	Expect(sa.Local().Port()).To(BeEquivalentTo(natt.Port))
	if hidden {
		Expect(sa.Peer().Port()).To(BeEquivalentTo(natt.Port))
	} else {
		Expect(sa.Peer().Addr()).To(Equal(lab.NATAddr))
		Expect(sa.Peer().Port()).NotTo(BeEquivalentTo(natt.Port))
	}
	waiting, done := patient(ctx)
	defer done()
	Expect(s.own.Probe(waiting, 7)).To(Succeed(), "the peer answers under the SA")
}

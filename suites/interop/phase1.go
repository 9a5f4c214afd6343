package interop

import (
	"context"
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// usual is the suite of what is not about suites.
var usual = policy.DefaultProposal

// suites have every group, every hash and every cipher at least once.
var suites = []policy.Proposal{
	usual,
	{Encryption: policy.Phase1AES, KeyBits: 256, Hash: policy.Phase1SHA384, Group: policy.MODP3072},
	{Encryption: policy.Phase1AES, KeyBits: 256, Hash: policy.Phase1SHA512, Group: policy.MODP4096},
	{Encryption: policy.Phase13DES, Hash: policy.Phase1SHA1, Group: policy.MODP1536},
	{Encryption: policy.Phase1AES, KeyBits: 256, Hash: policy.Phase1SHA1, Group: policy.MODP1024},
	{Encryption: policy.Phase1AES, KeyBits: 128, Hash: policy.Phase1SHA256, Group: policy.ECP256},
	{Encryption: policy.Phase1AES, KeyBits: 256, Hash: policy.Phase1SHA384, Group: policy.ECP384},
	{Encryption: policy.Phase1AES, KeyBits: 192, Hash: policy.Phase1SHA512, Group: policy.ECP521},
}

// agreement is what both sides have to do alike before either takes the other's HASH.
func agreement(p policy.Proposal) Labels {
	ids := []string{"RFC2409-4-02", "RFC2409-4-03", "RFC2409-5-05", "RFC2409-5-11", "RFC2409-5-12", "RFC2409-5-13", "RFC2409-B-02",
		"RFC2409-B-03", "RFC2409-5.4-01"}
	if p.Hash == policy.Phase1SHA1 {
		ids = append(ids, "RFC2409-B-01")
	}
	return kit.Requirement(ids...)
}

var _ = Describe("Main Mode with IKE daemons that somebody else wrote (RFC 2409 §5.4)", kit.Subject("interop"), kit.Needs(lab.NeedKernel), kit.Scene(kit.Phase1), func() {
	for _, daemon := range daemons {
		for _, suite := range suites {
			It(fmt.Sprintf("%s answers Main Mode under %s", daemon, suite), agreement(suite), kit.DUT(rule.GM), func(ctx SpecContext) {
				s := meet(ctx, daemon, suite)
				Expect(s.begin(ctx)).To(Succeed(), "Phase 1 is established")
				s.expectSA(suite)
			})
			It(fmt.Sprintf("%s begins Main Mode under %s", daemon, suite), agreement(suite), kit.DUT(rule.KS), func(ctx SpecContext) {
				s := meet(ctx, daemon, suite, begins)
				Expect(s.answer(ctx)).To(Succeed(), "Phase 1 is established")
				s.expectSA(suite)
			})
		}
		itIsAggressive(daemon)
		itIsNamed(daemon)
		itEnds(daemon)
	}
	for _, daemon := range daemons {
		itSigns(daemon, policy.AuthRSA, "RFC2409-5.1-01")
		for _, method := range []policy.Phase1Auth{policy.AuthECDSA256, policy.AuthECDSA384, policy.AuthECDSA521} {
			itSigns(daemon, method)
		}
	}
})

// itIsAggressive makes the specs of Aggressive Mode (RFC 2409 §5.4).
func itIsAggressive(daemon string) {
	ids := kit.Requirement("RFC2409-5-02", "RFC2409-5-11", "RFC2409-5-12", "RFC2409-5-13")
	It(daemon+" answers Aggressive Mode", ids, kit.DUT(rule.GM), func(ctx SpecContext) {
		s := meet(ctx, daemon, usual, aggressive)
		Expect(s.begin(ctx)).To(Succeed(), "Phase 1 is established")
		s.expectSA(usual)
	})
	It(daemon+" begins Aggressive Mode", ids, kit.DUT(rule.KS), func(ctx SpecContext) {
		s := meet(ctx, daemon, usual, aggressive, begins)
		Expect(s.answer(ctx)).To(Succeed(), "Phase 1 is established")
		s.expectSA(usual)
	})
}

// itIsNamed makes the specs of keys that are chosen by a name (RFC 2409 §5.4).
func itIsNamed(daemon string) {
	ids := kit.Requirement("RFC2409-5.4-02", "RFC2409-5-12")
	It(daemon+" answers Aggressive Mode by a name that has a key of its own", ids, kit.DUT(rule.GM), func(ctx SpecContext) {
		s := meet(ctx, daemon, usual, aggressive, byName)
		Expect(s.begin(ctx)).To(Succeed(), "Phase 1 is established")
		s.expectSA(usual)
	})
	It(daemon+" begins Aggressive Mode by a name that has a key of its own", ids, kit.DUT(rule.KS), func(ctx SpecContext) {
		s := meet(ctx, daemon, usual, aggressive, byName, begins)
		Expect(s.answer(ctx)).To(Succeed(), "Phase 1 is established")
		s.expectSA(usual)
	})
}

// itSigns makes the specs of authentication with signatures (RFC 2409 §5.1, RFC 4754).
func itSigns(daemon string, method policy.Phase1Auth, also ...string) {
	suite := usual
	suite.Authentication = method
	ids := kit.Requirement(append(also, "RFC2409-5.1-03", "RFC2409-5-11", "RFC2409-5-12", "RFC2409-5-13", "RFC2409-5-14")...)
	for _, m := range []struct {
		name  string
		terms []term
	}{{"Main Mode", nil}, {"Aggressive Mode", []term{aggressive}}} {
		It(fmt.Sprintf("%s answers %s with signatures of %s", daemon, m.name, method), ids, kit.DUT(rule.GM), func(ctx SpecContext) {
			s := meet(ctx, daemon, suite, m.terms...)
			Expect(s.begin(ctx)).To(Succeed(), "Phase 1 is established")
			s.expectSA(suite)
		})
		It(fmt.Sprintf("%s begins %s with signatures of %s", daemon, m.name, method), ids, kit.DUT(rule.KS), func(ctx SpecContext) {
			s := meet(ctx, daemon, suite, append(slices.Clone(m.terms), begins)...)
			Expect(s.answer(ctx)).To(Succeed(), "Phase 1 is established")
			s.expectSA(suite)
		})
	}
}

var _ = Describe("The DOI of Phase 1 with a daemon that knows no other than its own (RFC 2408 §5.4)", kit.Subject("interop"),
	kit.DUT(rule.GM), kit.Needs(lab.NeedKernel), kit.Scene(kit.Phase1), func() {
		gdoi := func(t *terms) { t.doi = ike.DefaultDOI }
		It("refuses strongswan's reply in the DOI of IPsec to an offer in that of GDOI", kit.Requirement("RFC2408-5.4-01"), kit.Negative,
			func(ctx SpecContext) {
				s := meet(ctx, "strongswan", usual, gdoi, func(t *terms) { t.hasty = true })
				Expect(s.begin(ctx)).To(MatchError(ContainSubstring("the reply has DOI 1")))
				again := meet(ctx, "strongswan", usual)
				kit.Control(again.begin(ctx) == nil, "it takes a reply in the DOI that it has offered")
			})
		It("goes on after strongswan's reply in the DOI of IPsec if it is told to", kit.Requirement("RFC2409-5-10", "RFC2409-5-13"), func(ctx SpecContext) {
			s := meet(ctx, "strongswan", usual, gdoi, func(t *terms) { t.asIPsec = true })
			Expect(s.begin(ctx)).To(Succeed(), "Phase 1 is established")
			s.expectSA(usual)
		})
	})

// itEnds makes the specs of what goes on under an SA until it is deleted.
func itEnds(daemon string) {
	itDeletes(daemon, "", rule.GM, (*scene).begin)
	itDeletes(daemon, " that it has begun", rule.KS, (*scene).answer, begins)
	It(daemon+" answers a question whether it is alive", kit.Requirement("RFC2409-5.7-01", "RFC2409-B-04", "RFC2407-4.6.3-01"), kit.DUT(rule.GM),
		func(ctx SpecContext) {
			s := meet(ctx, daemon, usual)
			kit.Precondition(s.begin(ctx), "Phase 1 is established")
			waiting, done := patient(ctx)
			defer done()
			Expect(s.own.Probe(waiting, 42)).To(Succeed())
		})
}

// itDeletes makes the specs of the end of an SA.
func itDeletes(daemon, which string, role rule.Role, establish func(*scene, context.Context) error, alter ...term) {
	It(daemon+" tells that it deletes the SA"+which, kit.Requirement("RFC2408-3.15-02", "RFC2409-5.7-01", "RFC2409-B-04"), kit.DUT(role), func(ctx SpecContext) {
		s := meet(ctx, daemon, usual, alter...)
		kit.Precondition(establish(s, ctx), "Phase 1 is established")
		waiting, done := patient(ctx)
		defer done()
		kit.Precondition(s.known(waiting), daemon+" knows the SA")
		told := make(chan error, 1)
		go func() { told <- s.theirs.Tell(waiting, peer.CommandTerminate) }()
		Expect(s.own.AwaitDelete(waiting)).To(Succeed())
		<-told
	})
	It(daemon+" understands that the SA"+which+" is deleted", kit.Requirement("RFC2408-3.15-02", "RFC2409-5.7-01"), kit.DUT(role), func(ctx SpecContext) {
		s := meet(ctx, daemon, usual, alter...)
		kit.Precondition(establish(s, ctx), "Phase 1 is established")
		waiting, done := patient(ctx)
		defer done()
		kit.Precondition(s.known(waiting), daemon+" knows the SA")
		kit.Precondition(s.own.Delete(), "the own node deletes the SA")
		// Daemons take what arrives in several threads: the question behind the Delete may be answered before it.
		answers := true
		for number := uint32(100_000); answers && number < 200_000; number += 10 {
			answers = s.own.Answers(waiting, number)
		}
		kit.Precondition(waiting.Err(), "there was time to ask")
		Expect(answers).To(BeFalse(), "%s says nothing more under the SA", daemon)
	})
}

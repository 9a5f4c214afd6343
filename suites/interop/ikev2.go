package interop

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/ikev2"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// usual2 is the suite of what is not about suites, by the words of IKEv1.
var usual2 = policy.Proposal{Encryption: policy.Phase1AES, KeyBits: 128, Hash: policy.Phase1SHA256, Group: policy.ECP256}

// scene2 is the reference's IKEv2 in a node of its own, and a foreign peer in another.
type scene2 struct {
	*lab.Lab
	own    *tester.IKEv2
	theirs lab.Foreigner
	suite  ikev2.Suite
}

// terms2 are what one conversation has that others have not.
type terms2 struct {
	suite   policy.Proposal
	theirs  peer.Conversation
	guesses uint16 // group of the own first public value
	hidden  bool   // the own node is behind a NAT
	beyond  bool   // the foreign peer is
	asks    bool   // the own node asks for a cookie
	psk     string // of the foreign peer
}

type term2 func(*terms2)

func begins2(t *terms2) { t.theirs.Begins = true }

func galois(t *terms2) { t.theirs.IKEv2.GCM = true }

func signs2(method policy.Phase1Auth) term2 {
	return func(t *terms2) { t.suite.Authentication = method }
}

// meet2 puts both in their places.
func meet2(ctx SpecContext, daemon string, alter ...term2) *scene2 {
	GinkgoHelper()
	t := terms2{suite: usual2, theirs: peer.Conversation{Local: theirAddr, Remote: ownAddr, IKEv2: new(peer.IKEv2)}, psk: psk}
	for _, f := range alter {
		f(&t)
	}
	if t.hidden {
		t.theirs.Remote = lab.NATAddr // as the foreign peer sees it
	}
	theirs, err := peer.LoadForeign(daemon)
	kit.Precondition(err, "the foreign peer is described")
	kit.Against(theirs)
	t.theirs.Suite, t.theirs.PSK, t.theirs.Papers = t.suite, t.psk, theirPapers(t.suite.Authentication)
	s := &scene2{Lab: kit.Lab(ctx, t.setup()), suite: t.offers()}
	if why := theirs.Lacking(t.theirs); why != "" {
		kit.Unsupported(why)
	}
	if why := theirs.Absent(); why != "" {
		kit.Missing(why)
	}
	var conns []*net.UDPConn
	for _, port := range []uint16{portIKE, natt.Port} {
		conn, err := s.Socket(ownNode, port)
		kit.Precondition(err, "the own node has the ports of IKE")
		conns = append(conns, conn)
	}
	s.own = tester.NewIKEv2(t.config(daemon), conns...)
	s.theirs, err = s.Settle(ctx, theirNode, theirs, t.theirs)
	kit.Precondition(err, daemon+" starts")
	return s
}

func (t *terms2) setup() lab.Setup {
	setup := lab.Setup{HideKeyServer: t.hidden}
	if t.beyond {
		setup.NAT = []int{1}
	}
	return setup
}

// offers is the suite that both agree on.
func (t *terms2) offers() ikev2.Suite {
	s := ikev2.SuiteOf(t.suite)
	if s.GCM = t.theirs.IKEv2.GCM; s.GCM {
		s.Integrity = 0
	}
	return s
}

func (t *terms2) config(daemon string) ikev2.Config {
	GinkgoHelper()
	cfg := ikev2.Config{
		Rand: keymat.Seeded(daemon, CurrentSpecReport().LeafNodeText), Local: netip.AddrPortFrom(ownAddr, portIKE),
		Identity: policy.AddressIdentity(t.theirs.Remote), Suites: []ikev2.Suite{t.offers()}, NATT: true, Signed: t.suite.Authentication != policy.AuthPSK, Credentials: ownCredentials(t.suite.Authentication),
		PSK: func(netip.Addr, policy.Identity) (policy.PSK, bool) { return policy.PSK{Key: []byte(psk)}, true },
	}
	if t.guesses != 0 {
		guess := t.offers()
		guess.Group = t.guesses
		cfg.Suites = append(cfg.Suites, guess)
		cfg.FirstGroup = t.guesses
	}
	if t.asks {
		cfg.CookieKey = []byte("key of cookies")
	}
	return cfg
}

// begin has the own node be the initiator.
func (s *scene2) begin(ctx context.Context) error {
	ctx, done := patient(ctx)
	defer done()
	return s.own.Initiate(ctx, netip.AddrPortFrom(theirAddr, portIKE))
}

// answer has the foreign peer be the initiator.
func (s *scene2) answer(ctx context.Context) error {
	ctx, done := patient(ctx)
	defer done()
	told := make(chan error, 1)
	go func() { told <- s.theirs.Tell(ctx, peer.CommandInitiate) }()
	err := s.own.Respond(ctx)
	if err != nil {
		done()
	}
	<-told // what it says of the end is its own affair
	return err
}

// expectSA expects that both sides have it: the foreign peer answers under it.
func (s *scene2) expectSA(ctx context.Context) {
	GinkgoHelper()
	waiting, done := patient(ctx)
	defer done()
	sa := s.own.SA()
	Expect(sa.Suite()).To(Equal(s.suite), "the suite that was agreed on")
	Expect(sa.PeerName().Identity).To(Equal(policy.AddressIdentity(theirAddr)), "the identity that the peer has proven")
	Expect(s.own.Probe(waiting)).To(Succeed(), "the peer answers under the SA")
}

// establish2 is one way to an SA.
type establish2 struct {
	says  string
	role  rule.Role
	do    func(*scene2, context.Context) error
	terms []term2
}

var ways2 = []establish2{
	{"answers", rule.GM, (*scene2).begin, nil},
	{"begins", rule.KS, (*scene2).answer, []term2{begins2}},
}

// methods2 are the ways to prove who one is, and the ciphers.
var methods2 = []struct {
	name  string
	terms []term2
}{
	{"with a shared key, under AES-CBC and SHA-256", nil},
	{"with a shared key, under AES-GCM", []term2{galois}},
	{"with a shared key, under AES-256, SHA-512 and MODP 2048", []term2{func(t *terms2) {
		t.suite = policy.Proposal{Encryption: policy.Phase1AES, KeyBits: 256, Hash: policy.Phase1SHA512, Group: policy.MODP2048}
	}}},
	{"with signatures of RSA", []term2{signs2(policy.AuthRSA)}},
	{"with signatures of ECDSA-256", []term2{signs2(policy.AuthECDSA256)}},
	{"with signatures of ECDSA-384", []term2{signs2(policy.AuthECDSA384)}},
}

var _ = Describe("IKEv2 with daemons that somebody else wrote (RFC 7296)", kit.Subject("interop"), kit.Needs(lab.NeedKernel), kit.Scene(kit.Phase1), func() {
	for _, daemon := range daemons {
		for _, way := range ways2 {
			for _, m := range methods2 {
				It(fmt.Sprintf("%s %s IKEv2 %s", daemon, way.says, m.name), kit.Requirement("RFC7296-2.14-01", "RFC7296-2.15-01", "RFC7296-2.7-01"), kit.DUT(way.role),
					func(ctx SpecContext) {
						s := meet2(ctx, daemon, append(way.terms[:len(way.terms):len(way.terms)], m.terms...)...)
						Expect(way.do(s, ctx)).To(Succeed(), "the SA is established")
						s.expectSA(ctx)
					})
			}
			itLives2(daemon, way)
		}
	}
})

// itLives2 makes the specs of what goes on under an SA until it is deleted.
func itLives2(daemon string, way establish2) {
	up := func(ctx SpecContext, alter ...term2) (*scene2, context.Context) {
		GinkgoHelper()
		s := meet2(ctx, daemon, append(way.terms[:len(way.terms):len(way.terms)], alter...)...)
		kit.Precondition(way.do(s, ctx), "the SA is established")
		waiting, done := patient(ctx)
		DeferCleanup(done)
		kit.Precondition(s.own.Probe(waiting), daemon+" knows the SA")
		return s, waiting
	}
	which := "it has answered"
	if way.role == rule.KS {
		which = "it has begun"
	}
	It(fmt.Sprintf("%s understands that an IKEv2 SA that %s is deleted", daemon, which), kit.Requirement("RFC7296-1.4.1-01"), kit.DUT(way.role), func(ctx SpecContext) {
		s, waiting := up(ctx)
		Expect(s.own.Delete(waiting)).To(Succeed())
		Expect(s.own.SA().State()).To(Equal(ikev2.Closed))
	})
	It(fmt.Sprintf("%s deletes an IKEv2 SA that %s", daemon, which), kit.Requirement("RFC7296-1.4.1-01"), kit.DUT(way.role), func(ctx SpecContext) {
		s, waiting := up(ctx)
		told := make(chan error, 1)
		go func() { told <- s.theirs.Tell(waiting, peer.CommandTerminate) }()
		Expect(s.own.AwaitDelete(waiting)).To(Succeed())
		<-told
	})
	It(fmt.Sprintf("%s takes another IKEv2 SA for one that %s", daemon, which), kit.Requirement("RFC7296-2.18-01", "RFC7296-2.8-02"), kit.DUT(way.role), func(ctx SpecContext) {
		s, waiting := up(ctx)
		Expect(s.own.Rekey(waiting)).To(Succeed())
		Expect(s.own.Probe(waiting)).To(Succeed(), "it answers under the new SA")
	})
	It(fmt.Sprintf("%s makes another IKEv2 SA for one that %s", daemon, which), kit.Requirement("RFC7296-2.18-01", "RFC7296-2.8-02"), kit.DUT(way.role), func(ctx SpecContext) {
		s, waiting := up(ctx)
		told := make(chan error, 1)
		go func() { told <- s.theirs.Tell(waiting, peer.CommandRekey) }()
		Expect(s.own.AwaitRekey(waiting)).To(Succeed())
		<-told
		Expect(s.own.Probe(waiting)).To(Succeed(), "it answers under the new SA")
	})
	It(fmt.Sprintf("%s asks whether the other side of an IKEv2 SA that %s is alive", daemon, which), kit.Requirement("RFC7296-1.4-01", "RFC7296-2.4-03"), kit.DUT(way.role),
		func(ctx SpecContext) {
			s, waiting := up(ctx, func(t *terms2) { t.theirs.Asks = time.Second })
			Expect(s.own.AwaitProbes(waiting, 3)).To(Succeed(), "it asks, and is content with the answers")
			Expect(s.own.Probe(waiting)).To(Succeed(), "it has the SA")
		})
}

var _ = Describe("What an IKEv2 daemon asks its initiator to do again (RFC 7296 §2.6, §1.2)", kit.Subject("interop"), kit.Needs(lab.NeedKernel), kit.Scene(kit.Phase1), func() {
	for _, daemon := range daemons {
		It(daemon+" gets the public value of the group that it names", kit.Requirement("RFC7296-1.2-01", "RFC7296-1.2-02"), kit.DUT(rule.GM), func(ctx SpecContext) {
			s := meet2(ctx, daemon, func(t *terms2) { t.guesses = uint16(policy.ECP384) })
			Expect(s.begin(ctx)).To(Succeed(), "the SA is established")
			s.expectSA(ctx)
		})
		It(daemon+" gives the cookie that it is asked for", kit.Requirement("RFC7296-2.6-03"), kit.DUT(rule.KS), func(ctx SpecContext) {
			s := meet2(ctx, daemon, begins2, func(t *terms2) { t.asks = true })
			Expect(s.answer(ctx)).To(Succeed(), "the SA is established")
			s.expectSA(ctx)
		})
		It(daemon+" answers IKEv2 to who is behind a NAT", kit.Requirement("RFC7296-2.23-01", "RFC7296-2.23-02"), kit.DUT(rule.GM), func(ctx SpecContext) {
			s := meet2(ctx, daemon, func(t *terms2) { t.hidden = true })
			Expect(s.begin(ctx)).To(Succeed(), "the SA is established")
			Expect(s.own.SA().Local().Port()).To(BeEquivalentTo(natt.Port), "the SA has moved to port 4500")
			s.expectSA(ctx)
		})
		It(daemon+" begins IKEv2 from behind a NAT", kit.Requirement("RFC7296-2.23-01"), kit.DUT(rule.KS), func(ctx SpecContext) {
			s := meet2(ctx, daemon, begins2, func(t *terms2) { t.beyond = true })
			Expect(s.answer(ctx)).To(Succeed(), "the SA is established")
			Expect(s.own.SA().Local().Port()).To(BeEquivalentTo(natt.Port), "the SA has moved to port 4500")
			s.expectSA(ctx)
		})
		It(daemon+" is not taken with another shared key", kit.Requirement("RFC7296-1.2-03"), kit.DUT(rule.KS), kit.Negative, func(ctx SpecContext) {
			s := meet2(ctx, daemon, begins2, func(t *terms2) { t.psk = "another psk" })
			Expect(s.answer(ctx)).To(MatchError(ContainSubstring("does not verify with a shared key")))
			again := meet2(ctx, daemon, begins2)
			kit.Control(again.answer(ctx) == nil, "it is taken with the right one")
		})
		It(daemon+" takes nobody with another shared key", kit.Requirement("RFC7296-1.2-03"), kit.DUT(rule.GM), kit.Negative, func(ctx SpecContext) {
			s := meet2(ctx, daemon, func(t *terms2) { t.psk = "another psk" })
			Expect(s.begin(ctx)).To(MatchError(ContainSubstring("AUTHENTICATION_FAILED")))
			again := meet2(ctx, daemon)
			kit.Control(again.begin(ctx) == nil, "it takes one with the right one")
		})
	}
	It("strongswan gets back the cookie that it asks for", kit.Requirement("RFC7296-2.6-04"), kit.DUT(rule.GM), func(ctx SpecContext) {
		s := meet2(ctx, "strongswan", func(t *terms2) { t.theirs.IKEv2.Cookies = true })
		Expect(s.begin(ctx)).To(Succeed(), "the SA is established")
		s.expectSA(ctx)
	})
})

package interop

import (
	"context"
	"net"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
	"github.com/gdoilab/gdoilab/suites/kit"
)

const (
	ownNode, theirNode = lab.KeyServerName, "gm1"
	portIKE            = 500
	doiIPsec           = 1
	psk                = "psk of two strangers"
)

var (
	ownAddr   = lab.KeyServerAddr
	theirAddr = lab.MemberAddr(1)
)

// daemons are the foreign peers.
var daemons = []string{"strongswan", "libreswan"}

// scene is the reference's Phase 1 in a node of its own, and a foreign peer in another.
type scene struct {
	*lab.Lab
	own      *tester.IKE
	theirs   lab.Foreigner
	expected policy.Identity // that the foreign peer has to prove
}

// terms are what one conversation has that others have not.
type terms struct {
	begins  bool // the foreign peer is the initiator
	mode    policy.ExchangeMode
	nat     bool // both sides can traverse NATs
	hidden  bool // the own node is behind one
	beyond  bool // the foreign peer is
	doi     uint32
	asIPsec bool
	hasty   bool       // Phase 1 is given up soon
	names   peer.Names // by which both are known; zero: their addresses
	traffic *peer.Traffic
	watches time.Duration // silence after which the own node asks whether the other is alive; 0: never
	asks    time.Duration // and the foreign peer
}

type term func(*terms)

func begins(t *terms) { t.begins = true }

func aggressive(t *terms) { t.mode = policy.AggressiveMode }

// byName has both sides be known by their names, and the key be that of the name.
func byName(t *terms) { t.names = peer.Names{Local: "theirs.example", Remote: "own.example"} }

// identities are who the two sides say they are, the own one where the foreign peer sees it.
func (t *terms) identities(ownAt netip.Addr) (own, theirs policy.Identity) {
	if t.names.Local == "" {
		return policy.AddressIdentity(ownAt), policy.AddressIdentity(theirAddr)
	}
	return policy.Identity{Kind: policy.IdentityFQDN, Value: t.names.Remote}, policy.Identity{Kind: policy.IdentityFQDN, Value: t.names.Local}
}

// keys are those of the own node: the right one for who the foreign peer is, and another for wherever it is.
func (t *terms) keys() policy.Phase1 {
	_, theirs := t.identities(ownAddr)
	everywhere := policy.PSK{Peer: lab.WAN, Key: []byte(psk)}
	if theirs.Kind == policy.IdentityAddress {
		return policy.Phase1{PSKs: []policy.PSK{everywhere}}
	}
	everywhere.Key = []byte("another psk")
	return policy.Phase1{PSKs: []policy.PSK{everywhere, {Identity: theirs, Key: []byte(psk)}}}
}

// watching has the own node ask for signs of life.
func watching(t *terms) { t.watches = time.Second }

// asking has the foreign peer ask for signs of life. The own node says that it would too, but does not come to it.
func asking(t *terms) { t.asks, t.watches = time.Second, time.Hour }

// traffic has ESP in UDP under the SA.
func traffic(transform policy.Transform) term {
	return func(t *terms) {
		t.nat, t.traffic = true, &peer.Traffic{Transform: transform, Local: theirNetwork, Remote: ownNetwork}
	}
}

// meet puts both in their places.
func meet(ctx SpecContext, daemon string, suite policy.Proposal, alter ...term) *scene {
	GinkgoHelper()
	t := terms{doi: doiIPsec}
	for _, f := range alter {
		f(&t)
	}
	theirs, err := peer.LoadForeign(daemon)
	kit.Precondition(err, "the foreign peer is described")
	kit.Against(theirs)
	cfg := ike.Config{
		Rules: kit.Own(), Role: roleOf(!t.begins), Rand: keymat.Seeded(daemon, CurrentSpecReport().LeafNodeText),
		Local: netip.AddrPortFrom(ownAddr, portIKE), DOI: t.doi, ReplyAsIPsec: t.asIPsec, NATT: t.nat,
		Mode: t.mode, Suites: ike.Suites([]policy.Proposal{suite}), Credentials: ownCredentials(suite.Authentication),
		DPD: t.watches,
		PSK: t.keys().PSK,
	}
	ownAt := ownAddr // as the foreign peer knows it
	if t.hidden {
		ownAt = lab.NATAddr
	}
	setup := lab.Setup{Hosts: t.traffic != nil, HideKeyServer: t.hidden}
	if t.beyond {
		setup.NAT = []int{1}
	}
	if t.hasty {
		cfg.Retransmit, cfg.Retries = 200*time.Millisecond, 1
	}
	own, expected := t.identities(ownAt)
	cfg.Identity = own
	s := &scene{expected: expected, Lab: kit.Lab(ctx, setup)}
	conversation := peer.Conversation{Local: theirAddr, Remote: ownAt, Names: t.names, PSK: psk, Suite: suite, Begins: t.begins,
		Aggressive: t.mode == policy.AggressiveMode, Traffic: t.traffic, Asks: t.asks, Papers: theirPapers(suite.Authentication)}
	if why := theirs.Lacking(conversation); why != "" {
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
	s.own = tester.NewIKE(cfg, conns...)
	s.theirs, err = s.Settle(ctx, theirNode, theirs, conversation)
	kit.Precondition(err, daemon+" starts")
	return s
}

// roleOf is the role whose side of Phase 1 the own node takes.
func roleOf(initiator bool) rule.Role {
	if initiator {
		return rule.GM
	}
	return rule.KS
}

// patient bounds what a spec waits for.
func patient(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, lab.Patience)
}

// begin has the own node be the initiator.
func (s *scene) begin(ctx context.Context) error {
	ctx, done := patient(ctx)
	defer done()
	return s.established(s.own.Initiate(ctx, netip.AddrPortFrom(theirAddr, portIKE)))
}

// answer has the foreign peer be the initiator.
func (s *scene) answer(ctx context.Context) error {
	ctx, done := patient(ctx)
	defer done()
	told := make(chan error, 1)
	go func() { told <- s.theirs.Tell(ctx, peer.CommandInitiate) }()
	err := s.established(s.own.Respond(ctx))
	if err != nil {
		done()
	}
	<-told // what it says of the end is its own affair
	return err
}

// known waits until the foreign peer has the SA too: who sends the last message has it before the other has read that.
func (s *scene) known(ctx context.Context) error {
	for number := uint32(1); ctx.Err() == nil; number += 10 {
		if s.own.Answers(ctx, number) {
			return nil
		}
	}
	return ctx.Err()
}

// established keeps the keys for those who read the capture.
func (s *scene) established(err error) error {
	if sa := s.own.SA(); sa != nil {
		secret := sa.Secret()
		s.Remember(keylog.Of(ownNode, time.Now(), &core.Secret{Phase1: &secret})...)
	}
	return err
}

// expectSA expects that both sides have it.
func (s *scene) expectSA(suite policy.Proposal) {
	GinkgoHelper()
	sa := s.own.SA()
	Expect(sa.Suite()).To(Equal(ike.Suites([]policy.Proposal{suite})[0]), "the suite that was agreed on")
	Expect(sa.PeerName().Identity).To(Equal(s.expected), "the identity that the peer has proven")
}

package group_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return epoch.Add(d) }

// gcm is an SA of a counter mode, so members need SIDs; cbc is one of another mode.
var (
	gcm = policy.SAPolicy{
		Selector: selector("10.0.0.0/8"),
		Transform: policy.Transform{
			Cipher: policy.CipherAESGCM16, KeyBits: 128, Mode: policy.ModeTunnel,
		},
	}
	cbc = policy.SAPolicy{
		Selector: selector("172.16.0.0/12"),
		Transform: policy.Transform{
			Cipher: policy.CipherAESCBC, KeyBits: 128, Integrity: policy.IntegrityHMACSHA256, Mode: policy.ModeTunnel,
		},
	}
)

func selector(prefix string) policy.Selector {
	return policy.Selector{Source: netip.MustParsePrefix(prefix), Destination: netip.MustParsePrefix(prefix)}
}

// unicast is a group of 192.0.2.0/24 with one GCM SA; change may make something else of it.
func unicast(change ...func(*policy.Group)) policy.Group {
	cfg := policy.Group{
		Name: "g", ID: 1234,
		Members: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
		Rekey:   policy.RekeyPolicy{Transport: policy.TransportUnicast},
		SAs:     []policy.SAPolicy{gcm},
	}
	for _, c := range change {
		c(&cfg)
	}
	return cfg
}

var multicastAddress = netip.MustParseAddrPort("239.1.1.1:848")

func multicast(cfg *policy.Group) {
	cfg.Rekey.Transport, cfg.Rekey.Address = policy.TransportMulticast, multicastAddress
}

func acknowledged(cfg *policy.Group) { cfg.Rekey.Ack = policy.AckKEKSHA256 }

func retransmitted(times int) func(*policy.Group) {
	return func(cfg *policy.Group) { cfg.Rekey.Retransmit = times }
}

func options(seed string, rules *rule.Switches) group.Options {
	return group.Options{
		Rand: keymat.Seeded(seed), Rules: rules, Source: netip.MustParseAddrPort("192.0.2.250:848"),
		PublicKey: []byte("a public key"), SigAlgorithm: policy.SigRSA, SigKeyBits: 2048,
	}
}

// newGroup makes a group at epoch; altered names guards and how they are altered, in turn.
func newGroup(t testing.TB, cfg policy.Group, altered ...string) *group.Group {
	t.Helper()
	rules := new(rule.Switches)
	for i := 0; i+1 < len(altered); i += 2 {
		if err := rules.Set(altered[i], altered[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	g, err := group.New(cfg, options(t.Name(), rules), epoch)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func memberAddr(n byte) netip.Addr         { return netip.AddrFrom4([4]byte{192, 0, 2, n}) }
func memberID(n byte) policy.Identity      { return policy.AddressIdentity(memberAddr(n)) }
func memberAddrPort(n byte) netip.AddrPort { return netip.AddrPortFrom(memberAddr(n), 848) }

func offer(t testing.TB, g *group.Group, now time.Time) *group.Offer {
	t.Helper()
	return offerTo(t, g, now, policy.Identity{})
}

// offerTo is an offer to a candidate of that identity.
func offerTo(t testing.TB, g *group.Group, now time.Time, id policy.Identity) *group.Offer {
	t.Helper()
	o, err := g.Offer(now, id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// register does both steps of a registration.
func register(t testing.TB, g *group.Group, now time.Time, n byte, sids int) group.Admission {
	t.Helper()
	a, err := g.Admit(now, memberID(n), memberAddrPort(n), offerTo(t, g, now, memberID(n)), sids)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func rekey(t testing.TB, g *group.Group, now time.Time, what control.RekeyArgs) group.Plan {
	t.Helper()
	plans, err := g.Rekey(now, what)
	if err != nil || len(plans) != 1 {
		t.Fatalf("%d messages, %v", len(plans), err)
	}
	return plans[0]
}

func due(t testing.TB, g *group.Group, now time.Time) []group.Plan {
	t.Helper()
	plans, err := g.Due(now)
	if err != nil {
		t.Fatal(err)
	}
	return plans
}

// run lets time pass until the end, waking the group at its deadlines, and returns what it wanted done and when.
func run(t testing.TB, g *group.Group, until time.Time) (plans []group.Plan, when []time.Time) {
	t.Helper()
	for steps := 0; ; steps++ {
		now, ok := g.Deadline()
		if !ok || now.After(until) {
			return plans, when
		}
		if steps > 100000 {
			t.Fatal("the group does not let time pass")
		}
		for _, p := range due(t, g, now) {
			plans, when = append(plans, p), append(when, now)
		}
	}
}

// ack acknowledges a PUSH as member n would.
func ack(g *group.Group, now time.Time, n byte, p group.Plan) error {
	a := group.Ack{Under: p.Rekey.Under, Sequence: p.Rekey.Sequence, Member: memberAddr(n)}
	return g.Ack(now, a, func(*policy.RekeySA) bool { return true })
}

func violated(err error, name string) bool {
	v, ok := err.(*rule.Violation)
	return ok && v.Guard.Name == name
}

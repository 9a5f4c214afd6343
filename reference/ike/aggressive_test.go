package ike

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// aggressivePair is a pair in Aggressive Mode.
func aggressivePair(seed string) *pair {
	p := newPair(seed)
	p.gm.Mode, p.ks.Mode = policy.AggressiveMode, policy.EitherMode
	return p
}

func kinds(ds []Datagram) (all []core.Kind) {
	for _, d := range ds {
		all = append(all, d.Kind)
	}
	return all
}

func TestAggressiveMode(t *testing.T) {
	for _, s := range []Suite{suiteAES, suite3, suiteOf(policy.Phase1AES, 256, policy.Phase1SHA384, policy.ECP384)} {
		for _, clear := range []bool{false, true} {
			p := aggressivePair("aggressive")
			p.gm.Suites, p.ks.Suites, p.gm.ClearProof = []Suite{s}, []Suite{suiteAES, s}, clear
			p.run()
			p.wantSA(t)
			if got, want := kinds(p.onWire), []core.Kind{core.Aggressive1, core.Aggressive2, core.Aggressive3}; !slices.Equal(got, want) {
				t.Fatalf("messages %v", got)
			}
			if e := header(t, p.octets(2)).Flags&isakmp.FlagEncryption != 0; e == clear {
				t.Errorf("message 3 encrypted: %v", e)
			}
			d, err := p.iSA.SealDelete(keymat.Seeded("delete"))
			if err != nil {
				t.Fatal(err)
			}
			o, err := p.rSA.OpenInformational(d.Data)
			if err != nil {
				t.Fatal(err)
			}
			if deleted, err := p.rSA.Deleted(o); !deleted {
				t.Errorf("an Informational under the SA: %v", err)
			}
		}
	}
}

// Every message of Aggressive Mode is lost once, or comes twice.
func TestAggressiveModeDisturbed(t *testing.T) {
	for n := range 3 {
		for _, copies := range []int{0, 2} {
			p := aggressivePair("disturbed")
			disturb := func(mine int) fault {
				return func(i int, d Datagram) [][]byte {
					if i == mine {
						return slices.Repeat([][]byte{d.Data}, copies)
					}
					return [][]byte{d.Data}
				}
			}
			if n == 1 {
				p.toGM = disturb(0)
			} else {
				p.toKS = disturb(n / 2)
			}
			p.begin()
			p.drain()
			for range 3 {
				if p.iSA != nil { // what comes late is no longer of the exchange
					p.settle()
				}
				if p.iSA == nil || p.rSA == nil {
					p.wake()
					p.drain()
				}
			}
			if p.iSA == nil || p.rSA == nil {
				t.Errorf("message %d, %d copies: not established", n+1, copies)
			}
		}
	}
}

// settle has the initiator's SA answer repeats of message 2.
func (p *pair) settle() {
	p.wake()
	for _, q := range p.queue {
		if !q.toKS {
			again, _ := p.iSA.Duplicate(q.data)
			p.send(true, again)
		}
	}
	p.queue = slices.DeleteFunc(p.queue, func(q queued) bool { return !q.toKS })
	p.drain()
}

// A responder takes the modes of its configuration, and says nothing to others.
func TestAcceptedModes(t *testing.T) {
	for _, tc := range []struct {
		asks, takes policy.ExchangeMode
		want        bool
	}{
		{policy.MainMode, policy.MainMode, true},
		{policy.AggressiveMode, policy.MainMode, false},
		{policy.MainMode, policy.AggressiveMode, false},
		{policy.AggressiveMode, policy.AggressiveMode, true},
		{policy.MainMode, policy.EitherMode, true},
		{policy.AggressiveMode, policy.EitherMode, true},
	} {
		p := newPair("modes")
		p.gm.Mode, p.ks.Mode = tc.asks, tc.takes
		p.gm.Retries = 1
		p.run()
		if got := p.rSA != nil; got != tc.want {
			t.Errorf("%s at a responder of %s: established %v", tc.asks, tc.takes, got)
		}
		if !tc.want {
			wantGuard(t, p.refused[0], "ike.header.exchange")
		}
	}
}

// The offer of Aggressive Mode has the group of the first suite.
func TestAggressiveGroup(t *testing.T) {
	p := aggressivePair("group")
	p.gm.Suites = []Suite{suiteAES, suite3, suite256}
	p.begin()
	want := 0
	for _, s := range p.gm.Suites {
		if s.Group == suiteAES.Group {
			want++
		}
	}
	if got := len(sentSA(t, p).Proposals[0].Transforms); got != want || want == 3 {
		t.Errorf("%d transforms, want %d", got, want)
	}
	if groups := groupsOf(sentSA(t, p)); len(groups) != 1 {
		t.Errorf("groups %d", groups)
	}
}

// With pre-shared keys the identity chooses the key.
func TestAggressivePSK(t *testing.T) {
	elsewhere := netip.MustParseAddr("192.0.2.77")
	p := aggressivePair("psk")
	p.gm.Local = netip.AddrPortFrom(elsewhere, 848)
	p.ks.PSK = policy.Phase1{PSKs: []policy.PSK{keyAt(elsewhere, "gdoi-psk"), keyAt(gmAddr.Addr(), "another")}}.PSK
	p.run()
	p.wantSA(t)
	if a, _ := isakmp.IdentityAddress(p.rSA.PeerID().IDType, p.rSA.PeerID().Data); a != elsewhere {
		t.Errorf("identity %v", a)
	}
}

// What is wrong with a message of Aggressive Mode is refused, and the right one still completes it.
func TestAggressiveRefusals(t *testing.T) {
	name := func(id isakmp.ID) isakmp.Payload {
		id.IDType, id.Data = isakmp.IDFQDN, []byte("gm1.example")
		return id
	}
	for _, tc := range []struct {
		name, guard string
		kind        core.Kind
		change      func([]isakmp.Payload) []isakmp.Payload
	}{
		{"no KE", "ike.main.ke.length", core.Aggressive1, dropping(isakmp.PayloadKE)},
		{"no nonce", "ike.main.nonce.min", core.Aggressive1, dropping(isakmp.PayloadNonce)},
		{"no identity", "ike.main.id.type", core.Aggressive1, dropping(isakmp.PayloadID)},
		{"a name", "ike.main.peer", core.Aggressive1, editing(name)},
		{"a notification", "ike.main.payload", core.Aggressive1, adding(isakmp.Notify{NotifyType: isakmp.NotifyInitialContact})},
		{"two nonces", "ike.main.once", core.Aggressive1, adding(isakmp.Nonce{Data: make([]byte, 8)})},
		{"no SA", "ike.main.sa.first", core.Aggressive1, dropping(isakmp.PayloadSA)},
		{"two groups", "ike.aggressive.offer", core.Aggressive1, editing(func(sa isakmp.SA) isakmp.Payload {
			second := firstTransform(&sa)
			t := *second
			t.Attributes = replace(t.Attributes, wire.TV(isakmp.AttrGroupDescription, 19))
			sa.Proposals[0].Transforms = append(sa.Proposals[0].Transforms, t)
			return sa
		})},
		{"a notification", "ike.main.payload", core.Aggressive2, adding(isakmp.Notify{NotifyType: isakmp.NotifyInitialContact})},
		{"no KE", "ike.main.ke.length", core.Aggressive2, dropping(isakmp.PayloadKE)},
		{"no SA", "ike.main.sa.first", core.Aggressive2, dropping(isakmp.PayloadSA)},
	} {
		p := aggressivePair("refusal")
		tap := func(stage core.Stage, o *core.Outgoing) {
			if stage == core.Built && o.Kind == tc.kind {
				o.Payloads = tc.change(slices.Clone(o.Payloads))
			}
		}
		p.gm.Tap, p.ks.Tap = tap, tap
		p.begin()
		p.drain()
		if len(p.refused) == 0 {
			t.Errorf("%s in %s is not refused", tc.name, tc.kind)
			continue
		}
		wantGuard(t, p.refused[0], tc.guard)
	}
}

func dropping(typ isakmp.PayloadType) func([]isakmp.Payload) []isakmp.Payload {
	return func(ps []isakmp.Payload) []isakmp.Payload {
		return slices.DeleteFunc(ps, func(p isakmp.Payload) bool { return p.Type() == typ })
	}
}

func adding(p isakmp.Payload) func([]isakmp.Payload) []isakmp.Payload {
	return func(ps []isakmp.Payload) []isakmp.Payload { return append(ps, p) }
}

func editing[P isakmp.Payload](change func(P) isakmp.Payload) func([]isakmp.Payload) []isakmp.Payload {
	return func(ps []isakmp.Payload) []isakmp.Payload {
		for i, p := range ps {
			if typed, ok := p.(P); ok {
				ps[i] = change(typed)
			}
		}
		return ps
	}
}

// A wrong proof in message 2 or 3 is refused, whatever octet of it is wrong.
func TestAggressiveProof(t *testing.T) {
	for _, kind := range []core.Kind{core.Aggressive2, core.Aggressive3} {
		p := aggressivePair("proof")
		p.gm.ClearProof = true
		bad := func(i int, d Datagram) [][]byte {
			if d.Kind != kind {
				return [][]byte{d.Data}
			}
			wrong := slices.Clone(d.Data)
			wrong[len(wrong)-1] ^= 1
			return [][]byte{wrong, d.Data}
		}
		p.toKS, p.toGM = bad, bad
		p.begin()
		p.drain()
		if len(p.refused) != 1 {
			t.Fatalf("%s: refused %v", kind, p.refused)
		}
		wantGuard(t, p.refused[0], "ike.main.hash")
		p.wantSA(t)
	}
}

// Each message cut anywhere is refused.
func TestAggressiveTruncated(t *testing.T) {
	p := aggressivePair("cut")
	p.run()
	whole := p.octets(0)
	for n := range whole {
		c := config(rule.KS, "cut")
		c.Mode = policy.AggressiveMode
		if _, _, err := Respond(c, start, gmAddr, whole[:n]); err == nil {
			t.Fatalf("%d octets of message 1 are taken", n)
		}
	}
}

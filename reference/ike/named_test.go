package ike

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// names are identities of every kind that is no address.
var names = []policy.Identity{
	{Kind: policy.IdentityFQDN, Value: "gm1.example"}, {Kind: policy.IdentityUserFQDN, Value: "gm1@example"},
	{Kind: policy.IdentityDN, Value: "CN=gm1,O=example"}, {Kind: policy.IdentityKeyID, Value: "\x00first"},
}

// In Aggressive Mode a name has the key that belongs to it, at both ends, and not that of the address.
func TestKeyByName(t *testing.T) {
	server := policy.Identity{Kind: policy.IdentityFQDN, Value: "ks.example"}
	for _, name := range names {
		p := aggressivePair("named " + name.String())
		p.gm.Identity, p.ks.Identity = name, server
		p.ks.PSK = keys("another", keyNamed(name, "of both"))
		p.gm.PSK = keys("another", keyNamed(server, "of both"))
		p.run()
		p.wantSA(t)
		if have := p.rSA.PeerName().Identity; !have.Same(name) {
			t.Errorf("identity %v, want %v", have, name)
		}
	}
}

func TestKeyByNameRefused(t *testing.T) {
	one, other := names[0], policy.Identity{Kind: policy.IdentityFQDN, Value: "gm2.example"}
	for _, tc := range []struct {
		says, guard string
		mode        policy.ExchangeMode
		keys        []policy.PSK
	}{
		{"a name without a key", "ike.main.peer", policy.AggressiveMode, []policy.PSK{keyAt(gmAddr.Addr(), "gdoi-psk"), keyNamed(other, "gdoi-psk")}},
		{"a name with the key of another", "", policy.AggressiveMode, []policy.PSK{keyNamed(one, "own"), keyNamed(other, "gdoi-psk")}},
		{"Main Mode with a key by name", "ike.main.peer", policy.MainMode, []policy.PSK{keyNamed(one, "gdoi-psk")}},
		{"a name elsewhere than its key", "ike.main.peer", policy.AggressiveMode, []policy.PSK{{Peer: keyAt(ksAddr.Addr(), "").Peer, Identity: one, Key: []byte("gdoi-psk")}}},
	} {
		p := newPair(tc.says)
		p.gm.Mode, p.ks.Mode = tc.mode, policy.EitherMode
		p.gm.Identity = one
		p.ks.PSK = policy.Phase1{PSKs: tc.keys}.PSK
		p.run()
		if p.iSA != nil || p.rSA != nil {
			t.Errorf("%s: an SA is established", tc.says)
		}
		if tc.guard != "" {
			wantGuard(t, p.refused[0], tc.guard)
		}
	}
}

// Whoever has the key of an address has to be who the key is for, by either mode.
func TestKeyOfAnAddressAndName(t *testing.T) {
	for _, mode := range []policy.ExchangeMode{policy.MainMode, policy.AggressiveMode} {
		for _, name := range []policy.Identity{names[0], {}} {
			p := newPair(mode.String() + name.String())
			p.gm.Mode, p.ks.Mode = mode, policy.EitherMode
			p.gm.Identity = name
			key := keyAt(gmAddr.Addr(), "gdoi-psk")
			key.Identity = names[0]
			p.ks.PSK = policy.Phase1{PSKs: []policy.PSK{key}}.PSK
			p.run()
			if name == names[0] {
				p.wantSA(t)
				continue
			}
			wantGuard(t, p.refused[0], "ike.main.id.expected")
		}
	}
}

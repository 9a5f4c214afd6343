package policy_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// The key of a name is for whoever has it; a longer prefix comes before a shorter one, and no key of an address serves a name.
func TestPSK(t *testing.T) {
	name := func(value string) policy.Identity { return policy.Identity{Kind: policy.IdentityFQDN, Value: value} }
	prefix := netip.MustParsePrefix
	p := policy.Phase1{PSKs: []policy.PSK{
		{Peer: prefix("192.0.2.0/24"), Key: []byte("network")},
		{Peer: prefix("192.0.2.7/32"), Identity: name("gm7.example"), Key: []byte("host")},
		{Identity: name("gm1.example"), Key: []byte("named")},
		{Peer: prefix("192.0.2.8/32"), Identity: name("GM1.example"), Key: []byte("named there")},
		{Identity: policy.Identity{Kind: policy.IdentityKeyID, Value: "GM1.example"}, Key: []byte("identifier")},
	}}
	for _, tc := range []struct {
		from    string
		claimed policy.Identity
		want    string // empty: none
	}{
		{"192.0.2.1", policy.Identity{}, "network"},
		{"192.0.2.7", policy.Identity{}, "host"},
		{"198.51.100.1", policy.Identity{}, ""},
		{"198.51.100.1", policy.AddressIdentity(netip.MustParseAddr("192.0.2.7")), "host"},
		{"192.0.2.7", policy.AddressIdentity(netip.MustParseAddr("198.51.100.1")), ""},
		{"198.51.100.1", name("Gm1.Example"), "named"},
		{"192.0.2.8", name("gm1.example"), "named there"},
		{"192.0.2.7", name("gm7.example"), "host"},
		{"192.0.2.1", name("gm7.example"), ""},
		{"192.0.2.1", name("gm2.example"), ""},
		{"192.0.2.1", policy.Identity{Kind: policy.IdentityKeyID, Value: "GM1.example"}, "identifier"},
		{"192.0.2.1", policy.Identity{Kind: policy.IdentityKeyID, Value: "gm1.example"}, ""},
		{"192.0.2.1", policy.Identity{Kind: policy.IdentityUserFQDN, Value: "gm1.example"}, ""},
	} {
		got, ok := p.PSK(netip.MustParseAddr(tc.from), tc.claimed)
		if string(got.Key) != tc.want || ok != (tc.want != "") {
			t.Errorf("%s as %v: %q, %v, want %q", tc.from, tc.claimed, got.Key, ok, tc.want)
		}
	}
}

func TestReaches(t *testing.T) {
	for _, tc := range []struct {
		mode policy.ExchangeMode
		to   string
		want bool
	}{
		{policy.MainMode, "192.0.2.1", true},
		{policy.MainMode, "198.51.100.1", false},
		{policy.AggressiveMode, "198.51.100.1", true},
	} {
		p := policy.Phase1{Mode: tc.mode, PSKs: []policy.PSK{
			{Peer: netip.MustParsePrefix("192.0.2.0/24")}, {Identity: policy.Identity{Kind: policy.IdentityFQDN, Value: "ks.example"}},
		}}
		if got := p.Reaches(netip.MustParseAddr(tc.to)); got != tc.want {
			t.Errorf("%s to %s: %v", tc.mode, tc.to, got)
		}
	}
}

// A member may know its key server by a name alone if that comes before the key is needed.
func TestMemberKeyByName(t *testing.T) {
	text := strings.Replace(memberYAML, "peer: 10.0.0.1", "identity: fqdn:ks.example", 1)
	m, err := policy.ParseMember("gm.yaml", []byte(strings.Replace(text, "phase1:\n", "phase1:\n  mode: aggressive\n", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if k := m.Phase1.PSKs[0]; k.Peer.IsValid() || k.Identity.String() != "fqdn:ks.example" {
		t.Errorf("key %+v", k)
	}
}

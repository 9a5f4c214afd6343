package peer

import (
	"encoding/pem"
	"net/netip"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// keyServer is a policy with a bit of everything that the example's language has words for.
func keyServer(t *testing.T) *policy.KeyServer {
	t.Helper()
	text, err := fixtures.FS.ReadFile("keys/ks1.pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	delay := 90 * time.Second
	return &policy.KeyServer{
		Name: "ks", Address: netip.MustParseAddrPort("192.0.2.10:848"), SigningKey: block.Bytes,
		Phase1: policy.Phase1{PSKs: []policy.PSK{{Peer: netip.MustParsePrefix("192.0.2.0/24"), Key: []byte("a key")}}},
		Groups: []policy.Group{{
			Name: "lab", ID: 1234, Members: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, SIDBits: 8,
			Rekey: policy.RekeyPolicy{Transport: policy.TransportMulticast, Address: netip.MustParseAddrPort("239.192.1.1:848"),
				KEKLifetime: 2 * time.Hour, Ack: policy.AckKEKSHA256},
			Activation: policy.Activation{ATD: &delay},
			SAs: []policy.SAPolicy{{
				Selector: policy.Selector{Source: netip.MustParsePrefix("10.0.0.0/8"), Destination: netip.MustParsePrefix("10.1.0.0/16")},
				Transform: policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, Mode: policy.ModeTunnel,
					Preservation: policy.PreserveBoth, Direction: policy.DirectionSymmetric},
			}},
		}},
	}
}

func member() *policy.Member {
	return &policy.Member{
		Name: "gm1", Address: netip.MustParseAddrPort("192.0.2.21:848"), Group: 1234,
		KeyServers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.10:848")},
		Phase1:     policy.Phase1{PSKs: []policy.PSK{{Peer: netip.MustParsePrefix("192.0.2.10/32"), Key: []byte("a key")}}},
		Inside:     []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24"), netip.MustParsePrefix("10.0.7.0/24")},
	}
}

// place is where the tests' devices would run.
func place(log string) Place {
	return Place{Program: "/bin/gdoilab", Dir: "/tmp/x", WAN: "wan0", LAN: "lan0", LogTo: log}
}

// load reads a built-in manifest.
func load(t *testing.T, name string) *Manifest {
	t.Helper()
	m, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// manifest reads a manifest that has to be right.
func manifest(t *testing.T, text string) *Manifest {
	t.Helper()
	m, err := Parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

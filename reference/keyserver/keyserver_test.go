package keyserver_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/keyserver"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func ecKey(t *testing.T, curve elliptic.Curve) []byte {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestNew(t *testing.T) {
	tests := []struct {
		name   string
		change func(*policy.KeyServer)
		want   string // part of the error; empty: none
	}{
		{"as it should be", func(*policy.KeyServer) {}, ""},
		{"no rekey, no signing key", noRekey, ""},
		{"no port", func(c *policy.KeyServer) { c.Address = netip.AddrPortFrom(c.Address.Addr(), 0) }, ""},
		{"no address", func(c *policy.KeyServer) { c.Address = netip.AddrPort{} }, "address"},
		{"any address", func(c *policy.KeyServer) { c.Address = netip.MustParseAddrPort("0.0.0.0:848") }, "address"},
		{"a proposal of no algorithm", func(c *policy.KeyServer) { c.Phase1.Proposals = make([]policy.Proposal, 1) }, "cipher-0-0"},
		{"no signing key", func(c *policy.KeyServer) { c.SigningKey = nil }, "signing key"},
		{"no key at all", func(c *policy.KeyServer) { c.SigningKey = []byte("key") }, "signing key"},
		{"an ECDSA key", func(c *policy.KeyServer) { c.SigningKey = ecKey(t, elliptic.P256()) }, ""},
		{"a key over another curve", func(c *policy.KeyServer) { c.SigningKey = ecKey(t, elliptic.P224()) }, "P-256"},
		{"a hash that the curve does not have", func(c *policy.KeyServer) {
			c.SigningKey, c.Groups[0].Rekey.SigHash = ecKey(t, elliptic.P256()), policy.SigHashSHA512
		}, "sig_hash"},
		{"no group", func(c *policy.KeyServer) { c.Groups = nil }, "no group"},
		{"a group twice", func(c *policy.KeyServer) { c.Groups = append(c.Groups, c.Groups[0]) }, "two groups"},
		{"impossible group", func(c *policy.KeyServer) { c.Groups[0].SIDBits = 99 }, "99"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := keyserver.New(configuration(test.change), keyserver.Options{Rand: keymat.Seeded("")})
			switch {
			case test.want == "" && err != nil:
				t.Errorf("got %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want something about %q", err, test.want)
			}
		})
	}
}

func TestStart(t *testing.T) {
	l := newLab(t, configuration(), nil)
	if got := l.tagged("STARTED"); len(got) != 1 || value(got[0], "address") != "192.0.2.250:848" {
		t.Errorf("log %+v", got)
	}
	if len(l.secrets) != 2 {
		t.Errorf("%d secrets", len(l.secrets))
	}
	l.handle(&core.Packet{Data: []byte("no business of a key server")})
	l.handle(&core.Timer{})
	if at, ok := l.ks.Deadline(); !ok || at != epoch.Add(54*time.Minute) {
		t.Errorf("deadline %v", at)
	}
	quiet, err := keyserver.New(configuration(), keyserver.Options{Rand: keymat.Seeded("")})
	if err != nil {
		t.Fatal(err)
	}
	for _, effect := range quiet.Handle(epoch, &core.Start{}) {
		if _, ok := effect.(*core.Secret); ok {
			t.Error("a secret that nobody asked for")
		}
	}
}

func TestStatus(t *testing.T) {
	l := newLab(t, configuration(), nil)
	l.joined(1)
	l.rekey(control.RekeyArgs{})
	s := l.status()
	g := s.Groups[0]
	if s.Role != "KS" || s.Name != "ks" || !s.Time.Equal(epoch) || s.Phase1 != 1 {
		t.Errorf("status %+v", s)
	}
	if g.ID != groupID || g.Sequence != 1 || len(g.Rekey) != 32 || len(g.SAs) != 1 || len(g.SAs[0].SPI) != 8 || g.NextSID != 1 ||
		!g.RekeyExpiry.Equal(epoch.Add(24*time.Hour)) || g.SAs[0].Cipher != "aes-gcm-16-128" {
		t.Errorf("group %+v", g)
	}
}

func TestRekeyCommand(t *testing.T) {
	l := newLab(t, configuration(func(c *policy.KeyServer) {
		second := c.Groups[0]
		second.ID, second.Name = 99, "h"
		c.Groups = append(c.Groups, second)
	}), nil)
	m := l.joined(1)
	for _, test := range []struct {
		name string
		args any
		want string
	}{
		{"which group", control.RekeyArgs{}, "2 groups"},
		{"no such group", control.RekeyArgs{Group: 7}, "no group 7"},
		{"no arguments", []int{1}, "arguments"},
	} {
		if _, err := l.command(control.Rekey, test.args, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	var result control.RekeyResult
	sent, err := l.command(control.Rekey, control.RekeyArgs{Group: groupID, KEK: true}, &result)
	if err != nil {
		t.Fatal(err)
	}
	p := m.receive(m.only(sent))
	if result.Sequence != 1 || len(result.SPIs) != 1 || result.SPIs[0] != l.status().Groups[0].SAs[0].SPI || result.Rekey != p.policy.Rekey.SPI.String() {
		t.Errorf("result %+v", result)
	}
	if _, err := l.command("dance", nil, nil); err == nil {
		t.Error("a command that does not exist")
	}
	l = newLab(t, configuration(noRekey), nil)
	if _, err := l.command(control.Rekey, control.RekeyArgs{KEK: true}, nil); err == nil {
		t.Error("a KEK for a group without rekey")
	}
}

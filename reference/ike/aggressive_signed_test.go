package ike

import (
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"net/netip"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/fixtures/pki"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Aggressive Mode proves identities by any method that Main Mode does.
func TestAggressiveModeSigned(t *testing.T) {
	root := pki.Root("aggressive")
	read := func(der []byte) *x509.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	credentials := func(key crypto.Signer, c Config) *policy.Credentials {
		der := root.Issue(key, pki.Subject{CN: c.Role.String(), Addresses: []netip.Addr{c.Local.Addr()}})
		return &policy.Credentials{
			Key: key, Chain: []*x509.Certificate{read(der)}, Anchors: []*x509.Certificate{read(root.Certificate)},
		}
	}
	for _, tc := range []struct {
		method uint16
		key    func(name string) crypto.Signer
	}{
		{isakmp.AuthRSA, pki.RSA},
		{isakmp.AuthECDSA384, func(name string) crypto.Signer { return pki.ECDSA(elliptic.P384(), name) }},
	} {
		p := aggressivePair("signed")
		s := suiteAES
		s.Authentication = tc.method
		p.gm.Suites, p.ks.Suites = []Suite{s}, []Suite{s}
		p.gm.Credentials, p.ks.Credentials = credentials(tc.key("phase1-gm"), p.gm), credentials(tc.key("phase1-ks"), p.ks)
		wrong := true
		p.toKS = func(_ int, d Datagram) [][]byte {
			bad := slices.Clone(d.Data)
			bad[len(bad)-1] ^= 1
			if wrong && p.r != nil {
				wrong = false
				return [][]byte{bad, d.Data}
			}
			return [][]byte{d.Data}
		}
		p.run()
		p.wantSA(t)
		if len(p.refused) != 1 {
			t.Errorf("method %d: refused %v", tc.method, p.refused)
		}
	}
}

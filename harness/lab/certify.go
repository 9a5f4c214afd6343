package lab

import (
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"net/netip"
	"sync"

	"github.com/gdoilab/gdoilab/fixtures/pki"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// Root is the authority that all nodes trust where Phase 1 is authenticated by signatures, and Issuer the one below it that
// certifies them.
var (
	Root   = sync.OnceValue(func() *pki.Authority { return pki.Root("lab root") })
	Issuer = sync.OnceValue(func() *pki.Authority { return Root().Below("lab issuer") })
)

// RevokedName is the common name of the certificates that the issuer has revoked.
const RevokedName = "revoked"

// Holder is what the certificate of a node says of it.
func Holder(name string, address netip.Addr) pki.Subject {
	unit := "Members"
	if name == KeyServerName {
		unit = "Servers"
	}
	return pki.Subject{CN: name, OU: unit, O: "gdoilab", Addresses: []netip.Addr{address}, Hosts: []string{name + ".example"},
		Users: []string{name + "@example"}}
}

// PrivateKey is the key with which a node signs in Phase 1.
func PrivateKey(method policy.Phase1Auth, name string) crypto.Signer {
	switch method {
	case policy.AuthECDSA256:
		return pki.ECDSA(elliptic.P256(), name)
	case policy.AuthECDSA384:
		return pki.ECDSA(elliptic.P384(), name)
	case policy.AuthECDSA521:
		return pki.ECDSA(elliptic.P521(), name)
	}
	if name == KeyServerName {
		return pki.RSA("phase1-ks")
	}
	return pki.RSA("phase1-gm")
}

// Signing has every node of a network prove itself by signatures instead of a pre-shared key, under that proposal.
func Signing(p policy.Proposal, s Setup) Setup {
	keyServer, member := s.KeyServer, s.Member
	certify := func(c *policy.Phase1, name string, address netip.Addr) {
		key := PrivateKey(p.Authentication, name)
		c.Proposals, c.PSKs = []policy.Proposal{p}, nil
		c.Certificates = Certify(key, Holder(name, address))
	}
	s.KeyServer = func(c *policy.KeyServer) {
		certify(&c.Phase1, c.Name, c.Address.Addr())
		if keyServer != nil {
			keyServer(c)
		}
	}
	s.Member = func(i int, c *policy.Member) {
		certify(&c.Phase1, c.Name, c.Address.Addr())
		if member != nil {
			member(i, c)
		}
	}
	return s
}

// Certify is what a node has that the issuer certifies.
func Certify(key crypto.Signer, holder pki.Subject) policy.Certificates {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic("lab: a key that is none: " + err.Error())
	}
	revoked := holder
	revoked.CN = RevokedName
	return policy.Certificates{
		Chain: [][]byte{Issuer().Issue(key, holder), Issuer().Certificate}, Key: der, Anchors: [][]byte{Root().Certificate},
		CRLs: [][]byte{Root().Revoke(), Issuer().Revoke(Issuer().Issue(key, revoked))},
	}
}

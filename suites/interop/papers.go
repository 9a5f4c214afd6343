package interop

import (
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"net/netip"
	"sync"

	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/fixtures/pki"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// anchor certifies both sides.
var anchor = sync.OnceValue(func() *pki.Authority { return pki.Root("interop") })

// issue makes a certificate that names an address, which is the identity in Phase 1.
func issue(key crypto.Signer, name string, address netip.Addr) []byte {
	return anchor().Issue(key, pki.Subject{CN: name, O: "gdoilab", Addresses: []netip.Addr{address}})
}

// keysOf are the keys of both sides for a method.
func keysOf(method policy.Phase1Auth) (own, theirs crypto.Signer) {
	switch method {
	case policy.AuthECDSA256:
		return pki.ECDSA(elliptic.P256(), "own"), pki.ECDSA(elliptic.P256(), "theirs")
	case policy.AuthECDSA384:
		return pki.ECDSA(elliptic.P384(), "own"), pki.ECDSA(elliptic.P384(), "theirs")
	case policy.AuthECDSA521:
		return pki.ECDSA(elliptic.P521(), "own"), pki.ECDSA(elliptic.P521(), "theirs")
	}
	return pki.RSA("phase1-gm"), pki.RSA("phase1-ks")
}

// ownCredentials are those of the own node.
func ownCredentials(method policy.Phase1Auth) *policy.Credentials {
	GinkgoHelper()
	key, _ := keysOf(method)
	var certificates []*x509.Certificate
	for _, der := range [][]byte{issue(key, "own", ownAddr), anchor().Certificate} {
		c, err := x509.ParseCertificate(der)
		kit.Precondition(err, "the own certificates can be read")
		certificates = append(certificates, c)
	}
	return &policy.Credentials{Key: key, Chain: certificates[:1], Anchors: certificates[1:]}
}

// theirPapers are those of the foreign peer.
func theirPapers(method policy.Phase1Auth) peer.Papers {
	GinkgoHelper()
	_, key := keysOf(method)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	kit.Precondition(err, "the foreign peer's key can be written")
	return peer.Papers{Certificate: inPEM("CERTIFICATE", issue(key, "theirs", theirAddr)), Key: inPEM("PRIVATE KEY", der),
		Anchor: inPEM("CERTIFICATE", anchor().Certificate)}
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

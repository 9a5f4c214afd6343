package capture

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var (
	errNoKey      = errors.New("the message has no certificate that can be read")
	errSignature  = errors.New("it is not that of the certificate's key over the HASH")
	errDigestInfo = errors.New("it has a DigestInfo around the HASH")
)

// proof checks what proves the identity of a message: HASH_I or HASH_R itself, or a signature over it (RFC 2409 §5.1).
func (p *phase1) proof(o *opened, k phase1Keys, initiator bool) error {
	if o.has(isakmp.PayloadSIG) {
		return p.signature(o, k, initiator)
	}
	return p.identityHash(o, k, initiator)
}

// signature checks SIG_I or SIG_R with the key of the first certificate in the message. A curve has a hash of its own
// (RFC 4754 §3).
func (p *phase1) signature(o *opened, k phase1Keys, initiator bool) error {
	sig, _, _ := isakmp.Find[isakmp.SIG](o.payloads)
	key, ok := certifiedKey(o.payloads)
	switch {
	case !ok:
		return errNoKey
	case p.offer == nil || p.gxi == nil || p.gxr == nil:
		return errMissing
	}
	if public, curve := key.(*ecdsa.PublicKey); curve {
		k.hash = hashOfCurve(public)
	}
	hash, err := p.expectedHash(o, k, initiator)
	if err != nil {
		return err
	}
	if keymat.VerifyHash(key, hash, sig.Data) == nil {
		return nil
	}
	if public, ok := key.(*rsa.PublicKey); ok && keymat.VerifyDigestInfo(public, hash, sig.Data) == nil {
		return errDigestInfo
	}
	return errSignature
}

// certifiedKey is the key of the first certificate of X.509 in a message.
func certifiedKey(ps []isakmp.Decoded) (crypto.PublicKey, bool) {
	for _, p := range ps {
		cert, ok := p.Payload.(isakmp.CERT)
		if !ok || cert.Encoding != isakmp.CertX509Signature {
			continue
		}
		if parsed, err := x509.ParseCertificate(cert.Data); err == nil {
			return parsed.PublicKey, true
		}
	}
	return nil, false
}

func hashOfCurve(key *ecdsa.PublicKey) keymat.Hash {
	switch bits := key.Curve.Params().BitSize; {
	case bits <= 256:
		return keymat.SHA256
	case bits <= 384:
		return keymat.SHA384
	}
	return keymat.SHA512
}

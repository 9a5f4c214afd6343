package capture_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rsa"
	"testing"

	"github.com/gdoilab/gdoilab/fixtures/pki"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Signatures of Phase 1 are checked with the certificate beside them, those of a curve over a HASH of the curve's own hash.
func TestSignaturesOfPhase1(t *testing.T) {
	root := pki.Root("root")
	rsaKey, p384 := pki.RSA("phase1-gm"), pki.ECDSA(elliptic.P384(), "gm")
	shown := func(key crypto.Signer) isakmp.CERT {
		return isakmp.CERT{Encoding: isakmp.CertX509Signature, Data: root.Issue(key, pki.Subject{CN: "gm"})}
	}
	sign := func(key crypto.Signer) func([]byte) []byte {
		return func(hash []byte) []byte {
			sig, err := keymat.SignHash(key, hash)
			if err != nil {
				t.Fatal(err)
			}
			return sig
		}
	}
	for name, c := range map[string]struct {
		cert *isakmp.CERT
		hash keymat.Hash
		sign func([]byte) []byte
		want string
	}{
		"RSA":         {new(shown(rsaKey)), keymat.SHA256, sign(rsaKey), "ok"},
		"ECDSA":       {new(shown(p384)), keymat.SHA384, sign(p384), "ok"},
		"another key": {new(shown(p384)), keymat.SHA384, sign(pki.ECDSA(elliptic.P384(), "ks")), "bad (it is not that of the certificate's key over the HASH)"},
		"a curve over the negotiated hash": {new(shown(p384)), keymat.SHA256, sign(p384),
			"bad (it is not that of the certificate's key over the HASH)"},
		"DigestInfo": {new(shown(rsaKey)), keymat.SHA256, func(hash []byte) []byte {
			sig, err := keymat.SignDigestInfo(rsaKey.(*rsa.PrivateKey), hash)
			if err != nil {
				t.Fatal(err)
			}
			return sig
		}, "bad (it has a DigestInfo around the HASH)"},
		"no certificate": {nil, keymat.SHA256, sign(rsaKey), "unchecked (the message has no certificate that can be read)"},
	} {
		t.Run(name, func(t *testing.T) {
			talk := capturetest.New("signed", policy.CipherAESGCM16)
			talk.Proof = func(hash func(keymat.Hash) []byte) []isakmp.Payload {
				var ps []isakmp.Payload
				if c.cert != nil {
					ps = append(ps, *c.cert)
				}
				return append(ps, isakmp.SIG{Data: c.sign(hash(c.hash))})
			}
			talk.MainMode(capturetest.GM1)
			payloads := "IDii, CERT, SIG_I"
			if c.cert == nil {
				payloads = "IDii, SIG_I"
			}
			expect(t, decodeLast(talk, 2)[:1], "MM5 | HDR*, "+payloads+" | SIG_I: "+c.want)
		})
	}
}

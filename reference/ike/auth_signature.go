package ike

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"slices"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// signature is authentication by a signature over HASH_I or HASH_R, whose key a certificate names (RFC 2409 §5.1, RFC 4754 §3).
//
//	5  I --> R  HDR*, IDii, CERT, SIG_I
//	6  R --> I  HDR*, IDir, CERT, SIG_R
type signature struct {
	algorithm policy.SigAlgorithm
	digest    keymat.Hash // that belongs to a curve; 0: the negotiated one
}

var _ method = signature{}

// What authentication by signatures has to hold.
var (
	checkSignature = rule.Check("ike.sig.verify", "RFC2408-5.12-01", rule.Both,
		"SIG_I and SIG_R verify under the key of the certificate")
	checkMethodKey = rule.Check("ike.sig.method", "RFC2408-5.12-01", rule.Both,
		"the key of the certificate is one of the negotiated method")
	checkBareHash = rule.Check("ike.sig.bare", "RFC2409-5.1-01", rule.Both,
		"an RSA signature is made over the HASH alone, without DigestInfo")
	dutyBareHash = rule.Duty("ike.sig.form", "RFC2409-5.1-01", rule.Both,
		"an RSA signature is made over the HASH alone, without DigestInfo")
	dutyShowCertificate = rule.Duty("ike.cert.shown", "RFC2409-5.1-03", rule.Both,
		"a certificate is sent to a peer that asks for it")
)

// ready has nothing to refuse: who the peer is its certificate will tell.
func (signature) ready(*Exchange) error { return nil }

// asks is a request for each trust anchor (RFC 2408 §3.10).
func (signature) asks(x *Exchange) (ps []isakmp.Payload) {
	for _, anchor := range x.cfg.Credentials.Anchors {
		ps = append(ps, isakmp.CR{Encoding: isakmp.CertX509Signature, Authority: anchor.RawSubject})
	}
	return ps
}

func (signature) keys(_ *Exchange, in keymat.Phase1Input) keymat.Phase1Keys {
	return keymat.DeriveSigned(in)
}

// hash is that of the curve if there is one, since the signature is then tied to it (RFC 2409 §5, RFC 4754 §3).
func (s signature) hash(suite Suite) keymat.Hash {
	if s.digest != 0 {
		return s.digest
	}
	return suite.Hash
}

// shows is the own certificate and those between it and the trust anchor, for a peer that asks for it.
func (signature) shows(x *Exchange) (ps []isakmp.Payload) {
	chain := x.cfg.Credentials.Chain
	if !dutyShowCertificate.Kept(x.cfg.Rules) || !slices.ContainsFunc(x.asked, func(r isakmp.CR) bool { return answers(chain, r) }) {
		return nil
	}
	for _, c := range chain {
		ps = append(ps, isakmp.CERT{Encoding: isakmp.CertX509Signature, Data: c.Raw})
	}
	return ps
}

// answers reports whether a chain is what a certificate request asks for: one of X.509, that any authority has issued, or this one.
func answers(chain []*x509.Certificate, r isakmp.CR) bool {
	if r.Encoding != isakmp.CertX509Signature {
		return false
	}
	return len(r.Authority) == 0 || slices.ContainsFunc(chain, func(c *x509.Certificate) bool {
		return slices.Equal(c.RawIssuer, r.Authority)
	})
}

func (signature) prove(x *Exchange, hash []byte) (isakmp.Payload, error) {
	sign := keymat.SignHash
	if key, ok := x.cfg.Credentials.Key.(*rsa.PrivateKey); ok && !dutyBareHash.Kept(x.cfg.Rules) {
		sign = func(crypto.Signer, []byte) ([]byte, error) { return keymat.SignDigestInfo(key, hash) }
	}
	sig, err := sign(x.cfg.Credentials.Key, hash)
	return isakmp.SIG{Data: sig}, err
}

// verify checks the certificate before the signature, whose key it names.
func (s signature) verify(x *Exchange, c claim) error {
	r := x.cfg.Rules
	leaf, err := x.cfg.certificate(c)
	if err != nil || leaf == nil {
		return err
	}
	if algorithm, _, _ := policy.SignatureOf(leaf.PublicKey); !checkMethodKey.Holds(r, algorithm == s.algorithm) {
		return checkMethodKey.Violated("the key of certificate %s is not of the negotiated method", leaf.Subject)
	}
	sig, _, _ := isakmp.Find[isakmp.SIG](c.payloads)
	if key, ok := leaf.PublicKey.(*rsa.PublicKey); ok && keymat.VerifyDigestInfo(key, c.hash, sig.Data) == nil {
		if !checkBareHash.Holds(r, false) {
			return checkBareHash.Violated("SIG_%s has a DigestInfo around the HASH", x.side())
		}
	} else if err := keymat.VerifyHash(leaf.PublicKey, c.hash, sig.Data); !checkSignature.Holds(r, err == nil) {
		return checkSignature.Violated("SIG_%s of %s: %v", x.side(), leaf.Subject, err)
	}
	x.subject = policy.SubjectParts(leaf.RawSubject)
	return nil
}

func (signature) places() places {
	return places{isakmp.PayloadID: once, isakmp.PayloadSIG: once, isakmp.PayloadCERT: often, isakmp.PayloadN: often}
}

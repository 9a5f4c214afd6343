package member

import (
	"crypto/ecdsa"
	"crypto/rsa"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var (
	guardSHA1 = rule.Check("member.policy.sha1", "RFC6407-5.3.2-01", rule.GM,
		"signatures with SHA-1 are taken only if the member is configured for them")
	guardFormRSA = rule.Duty("member.push.rsa", "RFC6407-5.3.6.1-01", rule.GM,
		"an RSA signature is made over a DigestInfo, unless the member is configured otherwise")
	guardFormECDSA = map[policy.SigAlgorithm]*rule.Guard{
		policy.SigECDSA256: rule.Duty("member.push.ecdsa256", "RFC6407-5.3.6.4-01", rule.GM,
			"an ECDSA-256 signature is r and s of 32 octets each"),
		policy.SigECDSA384: rule.Duty("member.push.ecdsa384", "RFC6407-5.3.6.5-01", rule.GM,
			"an ECDSA-384 signature is r and s of 48 octets each"),
		policy.SigECDSA521: rule.Duty("member.push.ecdsa521", "RFC6407-5.3.6.6-01", rule.GM,
			"an ECDSA-521 signature is r and s of 66 octets each"),
	}
)

// signed reports whether SIG is that of the group's signature key, over a header with that Length.
func (m *membership) signed(p *push, length int) bool {
	sa := m.rekey
	digest := sa.scheme.Digest(p.header(length), p.signed)
	return sa.scheme.Verify(sa.signer, digest, p.sig) == nil || m.signedAnyhow(digest, p.sig)
}

// signedAnyhow is the fault of a member that takes a right signature in a form that its algorithm does not have here.
func (m *membership) signedAnyhow(digest, sig []byte) bool {
	switch key := m.rekey.signer.(type) {
	case *rsa.PublicKey:
		other := m.rekey.scheme
		other.Bare = !other.Bare
		return !guardFormRSA.Kept(m.rules) && other.Verify(key, digest, sig) == nil
	case *ecdsa.PublicKey:
		algorithm, _, _ := policy.SignatureOf(key)
		return !guardFormECDSA[algorithm].Kept(m.rules) && ecdsa.VerifyASN1(key, digest, sig)
	}
	return false
}

// checkHash refuses a SAK whose signatures the member is not to trust; nil is no SAK. That SHA-1 is known does not make it
// supported (RFC 6407 §5.3.2).
func (m *membership) checkHash(r *policy.RekeySA) error {
	if r != nil && !guardSHA1.Holds(m.rules, r.SigHash != policy.SigHashSHA1 || m.cfg.Rekey.AcceptSHA1) {
		return guardSHA1.Violated("signatures with SHA-1")
	}
	return nil
}

package ike

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// What a certificate has to hold before its key counts (RFC 2408 §5.9): a signature under a key that no trusted certificate names
// for the peer is as good as none.
var (
	checkCertificate = rule.Check("ike.cert.encoding", "RFC2408-5.9-01", rule.Both,
		"a certificate is one of X.509 for signatures")
	checkNotBefore = rule.Check("ike.cert.notbefore", "RFC2408-5.9-02", rule.Both,
		"the certificate is valid already")
	checkNotAfter = rule.Check("ike.cert.notafter", "RFC2408-5.9-02", rule.Both,
		"the certificate is still valid")
	checkAnchor = rule.Check("ike.cert.anchor", "RFC2408-5.9-02", rule.Both,
		"a chain of valid certificates leads to a trust anchor")
	checkUsage = rule.Check("ike.cert.usage", "RFC2408-5.9-02", rule.Both,
		"the key may be used for signatures")
	checkRevoked = rule.Check("ike.cert.revoked", "RFC2408-5.9-02", rule.Both,
		"no list of its issuer revokes a certificate of the chain")
	checkCertified = rule.Check("ike.cert.identity", "RFC2408-5.8-01", rule.Both,
		"the certificate names the identity that the peer claims")
)

// certificate is that of the peer, once it has proven good for the identity: the first CERT, which the others may help to
// verify (RFC 2408 §3.9), or without one a certificate that is known. It is nil if there is none and the guard is off.
func (c *Config) certificate(of claim) (*x509.Certificate, error) {
	r := c.Rules
	shown, passedOver := c.shown(of.payloads)
	if len(shown) == 0 {
		shown = c.known(of.id)
	}
	if len(shown) == 0 && passedOver != nil {
		return nil, passedOver
	}
	if !checkSignature.Holds(r, len(shown) > 0) {
		return nil, checkSignature.Violated("no certificate for identity %s", isakmp.IDType(of.id.IDType))
	}
	if len(shown) == 0 { // only with the guard off
		return nil, nil
	}
	leaf := shown[0]
	if !checkNotBefore.Holds(r, !of.at.Before(leaf.NotBefore)) {
		return nil, checkNotBefore.Violated("certificate %s is valid from %s", leaf.Subject, leaf.NotBefore.Format(time.RFC3339))
	}
	if !checkNotAfter.Holds(r, !of.at.After(leaf.NotAfter)) {
		return nil, checkNotAfter.Violated("certificate %s was valid until %s", leaf.Subject, leaf.NotAfter.Format(time.RFC3339))
	}
	if err := c.trusted(leaf, shown[1:], of.at); err != nil {
		return nil, err
	}
	const signing = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	if !checkUsage.Holds(r, leaf.KeyUsage == 0 || leaf.KeyUsage&signing != 0) {
		return nil, checkUsage.Violated("certificate %s is not for signatures", leaf.Subject)
	}
	if !checkCertified.Holds(r, certifies(leaf, of.id)) {
		return nil, checkCertified.Violated("certificate %s does not name %s %x", leaf.Subject, isakmp.IDType(of.id.IDType), of.id.Data)
	}
	return leaf, nil
}

// shown are the certificates of a message that can be read. Others are passed over (RFC 2408 §5.9), and the last of them is what
// is wrong with a message that has no other.
func (c *Config) shown(ps []isakmp.Decoded) (all []*x509.Certificate, passedOver *rule.Violation) {
	for _, p := range ps {
		cert, ok := p.Payload.(isakmp.CERT)
		if !ok {
			continue
		}
		parsed, err := x509.ParseCertificate(cert.Data)
		switch {
		case !checkCertificate.Holds(c.Rules, cert.Encoding == isakmp.CertX509Signature):
			passedOver = checkCertificate.Violated("certificate of encoding %d", cert.Encoding)
		case err != nil:
			passedOver = checkAnchor.Violated("certificate that cannot be read: %v", err)
		default:
			all = append(all, parsed)
		}
	}
	return all, passedOver
}

// known are the certificates that the configuration has of a peer, which then need not send one (RFC 2409 §5.1).
func (c *Config) known(id isakmp.ID) (all []*x509.Certificate) {
	for _, one := range c.Credentials.Known {
		if certifies(one, id) {
			all = append(all, one)
		}
	}
	return all
}

// trusted checks that a chain leads from the certificate to a trust anchor, and that none of it is revoked.
func (c *Config) trusted(leaf *x509.Certificate, between []*x509.Certificate, at time.Time) error {
	if at.Before(leaf.NotBefore) || at.After(leaf.NotAfter) {
		at = leaf.NotBefore // only with a guard off
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: pool(c.Credentials.Anchors), Intermediates: pool(slices.Concat(between, c.Credentials.Known)), CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if !checkAnchor.Holds(c.Rules, err == nil) {
		return checkAnchor.Violated("certificate %s: %v", leaf.Subject, err)
	}
	if len(chains) == 0 { // only with the guard off
		return nil
	}
	good := slices.ContainsFunc(chains, func(chain []*x509.Certificate) bool { return !c.Credentials.Revokes(chain) })
	if !checkRevoked.Holds(c.Rules, good) {
		return checkRevoked.Violated("certificate %s, or one that it depends on, is revoked", leaf.Subject)
	}
	return nil
}

func pool(certs []*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certs {
		p.AddCert(c)
	}
	return p
}

// certifies reports whether a certificate names an identity: as its subject, or among its alternative names. An ID_KEY_ID is the
// identifier of its key.
func certifies(c *x509.Certificate, id isakmp.ID) bool {
	same := func(name string) bool { return strings.EqualFold(name, string(id.Data)) }
	switch id.IDType {
	case isakmp.IDIPv4Addr, isakmp.IDIPv6Addr:
		for _, ip := range c.IPAddresses {
			if bytes.Equal(ip, id.Data) {
				return true
			}
		}
		return false
	case isakmp.IDFQDN:
		return slices.ContainsFunc(c.DNSNames, same)
	case isakmp.IDUserFQDN:
		return slices.ContainsFunc(c.EmailAddresses, same)
	case isakmp.IDDERASN1DN:
		return policy.SameName(c.RawSubject, id.Data)
	case isakmp.IDKeyID:
		return len(c.SubjectKeyId) > 0 && bytes.Equal(c.SubjectKeyId, id.Data)
	}
	return false
}

package ikev2

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/ikev2"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// errAuthentication is what is wrong with a proof; the peer is told no more than that (RFC 7296 §2.21.2).
var errAuthentication = errors.New("ikev2: authentication failed")

// signatureHashes are those of digital signatures, the best first (RFC 7427 §7).
var signatureHashes = []struct {
	hash   keymat.Hash
	number uint16
}{{keymat.SHA512, 4}, {keymat.SHA384, 3}, {keymat.SHA256, 2}}

// learnHashes notes which of them the peer knows; none: it knows no digital signatures (RFC 7427 §4).
func (sa *SA) learnHashes(m *message) {
	n, _ := m.notified(ikev2.NotifySignatureHashAlgorithms)
	for _, h := range signatureHashes {
		for at := 0; at+2 <= len(n.Data); at += 2 {
			if binary.BigEndian.Uint16(n.Data[at:]) == h.number {
				sa.hashes = append(sa.hashes, h.hash)
			}
		}
	}
}

// requests asks for a certificate of each trust anchor, by the hash of its key (RFC 7296 §3.7).
func (sa *SA) requests() []isakmp.Payload {
	if !sa.cfg.Signed {
		return nil
	}
	var hashes []byte
	for _, c := range sa.cfg.Credentials.Anchors {
		sum := sha1.Sum(c.RawSubjectPublicKeyInfo)
		hashes = append(hashes, sum[:]...)
	}
	return []isakmp.Payload{ikev2.CERTREQ{Encoding: ikev2.EncodingX509Signature, Authorities: hashes}}
}

// prove sends the initiator's request of IKE_AUTH.
func (sa *SA) prove(now time.Time) ([]Datagram, error) {
	ps, err := sa.proof(true)
	if err != nil {
		sa.close()
		return nil, err
	}
	data, err := sa.seal(ikev2.ExchangeIKEAuth, false, sa.send, ps...)
	if err != nil {
		return nil, err
	}
	return sa.under(now, ikev2.ExchangeIKEAuth, data), nil
}

// proof are the payloads by which this side says and proves who it is.
func (sa *SA) proof(initiator bool) ([]isakmp.Payload, error) {
	id := sa.cfg.id()
	body, err := id.AppendBody(nil)
	if err != nil {
		return nil, err
	}
	ps := []isakmp.Payload{isakmp.Payload(ikev2.IDr{ID: id})}
	if initiator {
		ps[0] = ikev2.IDi{ID: id}
	}
	signed := sa.signed(initiator, body)
	if !sa.cfg.Signed {
		key, ok := sa.psk()
		if !ok {
			return nil, fmt.Errorf("ikev2: no pre-shared key for %s", sa.peer.Addr())
		}
		return append(ps, ikev2.AUTH{Method: ikev2.AuthSharedKey, Data: keymat.IKEv2SharedKey(sa.suite.PRF, key.Key, signed)}), nil
	}
	for _, c := range sa.cfg.Credentials.Chain {
		ps = append(ps, ikev2.CERT{Encoding: ikev2.EncodingX509Signature, Data: c.Raw})
	}
	if initiator {
		ps = append(ps, sa.requests()...)
	}
	auth, err := sa.sign(signed)
	return append(ps, auth), err
}

// signed are the octets that the proof of one side is about (RFC 7296 §2.15).
func (sa *SA) signed(initiator bool, idBody []byte) []byte {
	if initiator {
		return keymat.IKEv2Signed(sa.suite.PRF, sa.first[0], sa.nr, sa.keys.PI, idBody)
	}
	return keymat.IKEv2Signed(sa.suite.PRF, sa.first[1], sa.ni, sa.keys.PR, idBody)
}

func (sa *SA) psk() (policy.PSK, bool) {
	if sa.cfg.PSK == nil {
		return policy.PSK{}, false
	}
	return sa.cfg.PSK(sa.peer.Addr().Unmap(), sa.peerID)
}

// methodOf is the method of IKEv2 itself for a key, with its hash: RSA with SHA-1, ECDSA with the hash of its curve (RFC 7296 §3.8,
// RFC 4754 §3).
func methodOf(key crypto.PublicKey) (ikev2.AuthMethod, keymat.Hash) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return ikev2.AuthRSA, keymat.SHA1
	case *ecdsa.PublicKey:
		switch key.Params().BitSize {
		case 256:
			return ikev2.AuthECDSA256, keymat.SHA256
		case 384:
			return ikev2.AuthECDSA384, keymat.SHA384
		case 521:
			return ikev2.AuthECDSA521, keymat.SHA512
		}
	}
	return 0, 0
}

// sign makes a digital signature if the peer knows them, with the hash of a curve or the best that both know (RFC 7427 §3, §4), and
// otherwise what IKEv2 has itself.
func (sa *SA) sign(signed []byte) (ikev2.AUTH, error) {
	key := sa.cfg.Credentials.Key
	if key == nil {
		return ikev2.AUTH{}, fmt.Errorf("ikev2: no key to sign with")
	}
	method, hash := methodOf(key.Public())
	if len(sa.hashes) == 0 || method != ikev2.AuthRSA && !slices.Contains(sa.hashes, hash) {
		sig, err := keymat.AuthForm{Hash: hash, Bare: true}.Sign(sa.cfg.Rand, key, signed)
		return ikev2.AUTH{Method: method, Data: sig}, err
	}
	if method == ikev2.AuthRSA {
		hash = sa.hashes[0]
	}
	form := keymat.AuthForm{Hash: hash}
	der, ok := form.Algorithm(key.Public())
	if !ok {
		return ikev2.AUTH{}, fmt.Errorf("ikev2: no digital signature with a key of %T", key)
	}
	sig, err := form.Sign(sa.cfg.Rand, key, signed)
	return ikev2.AUTH{Method: ikev2.AuthDigitalSignature, Data: slices.Concat([]byte{byte(len(der))}, der, sig)}, err
}

// onAuth is the responder's part of IKE_AUTH. A Child SA is not made, and one who asks for it is told so (RFC 7296 §2.21.2).
func (sa *SA) onAuth(now time.Time, m *message) ([]isakmp.Payload, func(), error) {
	refused := []isakmp.Payload{notify(ikev2.NotifyAuthenticationFailed)}
	id, d, ok := isakmp.Find[ikev2.IDi](m.payloads)
	if !ok {
		return refused, sa.close, fmt.Errorf("%w: no IDi (RFC 7296 §1.2)", errAuthentication)
	}
	if err := sa.check(now, m, id.ID, sa.signed(true, d.Body())); err != nil {
		return refused, sa.close, err
	}
	reply, err := sa.proof(false)
	if err != nil {
		return refused, sa.close, err
	}
	if _, _, wants := isakmp.Find[ikev2.SA](m.payloads); wants {
		reply = append(reply, notify(ikev2.NotifyNoProposalChosen))
	}
	return reply, func() { sa.state, sa.due = Established, time.Time{} }, nil
}

// onAuthResponse is the end of IKE_AUTH for the initiator. What it refuses ends the SA, which the responder holds for made; whoever
// wants the peer to know has to begin again and delete it.
func (sa *SA) onAuthResponse(now time.Time, m *message) error {
	id, d, ok := isakmp.Find[ikev2.IDr](m.payloads)
	err := m.failure()
	if ok {
		err = sa.check(now, m, id.ID, sa.signed(false, d.Body()))
	} else if err == nil {
		err = fmt.Errorf("%w: no IDr (RFC 7296 §1.2)", errAuthentication)
	}
	if err != nil {
		sa.close()
		return err
	}
	sa.state = Established
	return nil
}

// check checks who the peer says it is, and its proof.
func (sa *SA) check(now time.Time, m *message, id ikev2.ID, signed []byte) error {
	claimed, err := identityOf(id)
	if err != nil {
		return err
	}
	if sa.cfg.Expect != nil && !sa.cfg.Expect(claimed) {
		return fmt.Errorf("%w: %s is not expected", errAuthentication, claimed)
	}
	auth, _, ok := isakmp.Find[ikev2.AUTH](m.payloads)
	if !ok {
		return fmt.Errorf("%w: no AUTH (RFC 7296 §1.2)", errAuthentication)
	}
	sa.peerID = claimed
	if sa.cfg.Signed {
		return sa.checkSignature(now, m, id, auth, signed)
	}
	key, known := sa.psk()
	if !known || auth.Method != ikev2.AuthSharedKey || !hmac.Equal(auth.Data, keymat.IKEv2SharedKey(sa.suite.PRF, key.Key, signed)) {
		return fmt.Errorf("%w: AUTH of %s does not verify with a shared key (RFC 7296 §2.15)", errAuthentication, claimed)
	}
	return nil
}

// checkSignature checks the certificate before the signature, whose key it names.
func (sa *SA) checkSignature(now time.Time, m *message, id ikev2.ID, auth ikev2.AUTH, signed []byte) error {
	leaf, err := sa.certificate(now, m, id)
	if err != nil {
		return fmt.Errorf("%w: %w", errAuthentication, err)
	}
	method, hash := methodOf(leaf.PublicKey)
	form, sig := keymat.AuthForm{Hash: hash, Bare: true}, auth.Data
	if auth.Method == ikev2.AuthDigitalSignature {
		if form, sig, err = digitalSignature(leaf.PublicKey, auth.Data); err != nil {
			return fmt.Errorf("%w: %w", errAuthentication, err)
		}
	} else if auth.Method != method || method == 0 {
		return fmt.Errorf("%w: method %d is not that of the key of %s (RFC 7296 §3.8)", errAuthentication, auth.Method, leaf.Subject)
	}
	if err := form.Verify(leaf.PublicKey, signed, sig); err != nil {
		return fmt.Errorf("%w: AUTH of %s: %w", errAuthentication, leaf.Subject, err)
	}
	sa.subject = policy.SubjectParts(leaf.RawSubject)
	return nil
}

// digitalSignature takes the AUTH of a digital signature apart: how long the AlgorithmIdentifier is, it, and the signature (RFC 7427 §3).
func digitalSignature(key crypto.PublicKey, data []byte) (keymat.AuthForm, []byte, error) {
	if len(data) == 0 || len(data) < 1+int(data[0]) {
		return keymat.AuthForm{}, nil, fmt.Errorf("an AUTH of %d octets has no algorithm (RFC 7427 §3)", len(data))
	}
	algorithm, sig := data[1:1+data[0]], data[1+data[0]:]
	form, ok := keymat.FormOf(key, algorithm)
	if !ok || form.Hash == keymat.SHA1 {
		return keymat.AuthForm{}, nil, fmt.Errorf("no signature of %T with algorithm %x (RFC 7427 §3)", key, algorithm)
	}
	return form, sig, nil
}

// certificate is that of the peer, once it has proven good for the identity: the first CERT, which the others may help to verify (RFC 7296
// §3.6).
func (sa *SA) certificate(now time.Time, m *message, id ikev2.ID) (*x509.Certificate, error) {
	var shown []*x509.Certificate
	for _, d := range m.payloads {
		if p, ok := d.Payload.(ikev2.CERT); ok && p.Encoding == ikev2.EncodingX509Signature {
			c, err := x509.ParseCertificate(p.Data)
			if err != nil {
				return nil, fmt.Errorf("a certificate that cannot be read: %w", err)
			}
			shown = append(shown, c)
		}
	}
	if len(shown) == 0 {
		return nil, errors.New("no certificate (RFC 7296 §3.6)")
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range sa.cfg.Credentials.Anchors {
		roots.AddCert(c)
	}
	for _, c := range shown[1:] {
		between.AddCert(c)
	}
	leaf := shown[0]
	chains, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	switch {
	case err != nil:
		return nil, err
	case !slices.ContainsFunc(chains, func(chain []*x509.Certificate) bool { return !sa.cfg.Credentials.Revokes(chain) }):
		return nil, fmt.Errorf("certificate %s, or one that it depends on, is revoked", leaf.Subject)
	case !certifies(leaf, id):
		return nil, fmt.Errorf("certificate %s does not name %d %x (RFC 7296 §3.5)", leaf.Subject, id.IDType, id.Data)
	}
	return leaf, nil
}

package tester

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/fixtures/pki"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Holder is what a tester makes certificates of: its right key, the authority that certifies it and what that says of it.
type Holder struct {
	Key     crypto.Signer
	By      *pki.Authority
	Subject pki.Subject
}

// Certificates has Main Mode 5 or 6 show these certificates behind the identity and no other, whether they were asked for or not
// (RFC 2408 §3.9).
func Certificates(kind core.Kind, what, section string, chain ...[]byte) Deviation {
	return Payloads(kind, what, section, func(ps []isakmp.Payload) []isakmp.Payload {
		ps = slices.DeleteFunc(ps, func(p isakmp.Payload) bool { return p.Type() == isakmp.PayloadCERT })
		for _, der := range slices.Backward(chain) {
			ps = slices.Insert(ps, min(1, len(ps)), isakmp.Payload(isakmp.CERT{Encoding: isakmp.CertX509Signature, Data: der}))
		}
		return ps
	})
}

// shows is Certificates for one of the holder that differs in what it says, by the right authority.
func (h Holder) shows(kind core.Kind, what, section string, change func(*pki.Subject)) Deviation {
	s := h.Subject
	change(&s)
	return Certificates(kind, what, section, h.By.Issue(h.Key, s), h.By.Certificate)
}

// Expired shows a certificate whose time is over (RFC 5280 §4.1.2.5).
func (h Holder) Expired(kind core.Kind) Deviation {
	return h.shows(kind, "a certificate that has expired", "RFC 5280 §4.1.2.5", func(s *pki.Subject) {
		s.Until = pki.From.AddDate(1, 0, 0)
	})
}

// NotYetValid shows a certificate whose time has not come (RFC 5280 §4.1.2.5).
func (h Holder) NotYetValid(kind core.Kind) Deviation {
	return h.shows(kind, "a certificate that is not valid yet", "RFC 5280 §4.1.2.5", func(s *pki.Subject) {
		s.From = pki.Until.Add(-time.Hour)
	})
}

// NotForSignatures shows a certificate of a key that may encrypt keys only (RFC 5280 §4.2.1.3).
func (h Holder) NotForSignatures(kind core.Kind) Deviation {
	return h.shows(kind, "a certificate that is not for signatures", "RFC 5280 §4.2.1.3", func(s *pki.Subject) {
		s.Usage = x509.KeyUsageKeyEncipherment
	})
}

// Named shows a certificate of another common name, such as one that its issuer has revoked (RFC 5280 §5).
func (h Holder) Named(kind core.Kind, name string) Deviation {
	return h.shows(kind, "the certificate of the name "+name, "RFC 5280 §5", func(s *pki.Subject) { s.CN = name })
}

// Nameless shows a certificate that has no alternative names, and so not the address that is its identity (RFC 4945 §3.1).
func (h Holder) Nameless(kind core.Kind) Deviation {
	return h.shows(kind, "a certificate without its identity", "RFC 4945 §3.1", func(s *pki.Subject) {
		s.Addresses, s.Hosts, s.Users = nil, nil, nil
	})
}

// Elsewhere shows a certificate of another address than its identity (RFC 4945 §3.1).
func (h Holder) Elsewhere(kind core.Kind) Deviation {
	return h.shows(kind, "a certificate of another address", "RFC 4945 §3.1", func(s *pki.Subject) {
		s.Addresses = []netip.Addr{netip.MustParseAddr("192.0.2.99")}
	})
}

// OtherAuthority shows a certificate of an authority that nobody trusts (RFC 5280 §6).
func (h Holder) OtherAuthority(kind core.Kind) Deviation {
	other := pki.Root("nobody trusts it")
	return Certificates(kind, "a certificate of an unknown authority", "RFC 5280 §6", other.Issue(h.Key, h.Subject), other.Certificate)
}

// Impostor shows a certificate of an authority that has the name of a trusted one, but not its key (RFC 5280 §6).
func (h Holder) Impostor(kind core.Kind, name string) Deviation {
	impostor := pki.Impostor(name)
	return Certificates(kind, "a certificate of an authority that only has a trusted name", "RFC 5280 §6",
		impostor.Issue(h.Key, h.Subject), impostor.Certificate)
}

// Pretender shows a certificate that was issued with that of a node (RFC 5280 §4.2.1.9).
func (h Holder) Pretender(kind core.Kind) Deviation {
	node := h.By.Pretender("a node")
	return Certificates(kind, "a certificate that another node issued", "RFC 5280 §4.2.1.9",
		node.Issue(h.Key, h.Subject), node.Certificate, h.By.Certificate)
}

// CutChain leaves out the certificate between the own one and the trust anchor (RFC 5280 §6).
func (h Holder) CutChain(kind core.Kind) Deviation {
	return Certificates(kind, "no certificate of the authority in between", "RFC 5280 §6", h.By.Issue(h.Key, h.Subject))
}

// OtherCurve shows a certificate, right in all else, of a key that the negotiated method does not have (RFC 4754 §3).
func (h Holder) OtherCurve(kind core.Kind, curve elliptic.Curve) Deviation {
	return Certificates(kind, "a certificate of a key on "+curve.Params().Name, "RFC 4754 §3",
		h.By.Issue(pki.ECDSA(curve, "another"), h.Subject), h.By.Certificate)
}

// OtherKey shows the certificate of another key of the same kind than the one that signs (RFC 2409 §5.1).
func (h Holder) OtherKey(kind core.Kind, key crypto.Signer) Deviation {
	return Certificates(kind, "the certificate of another key", "RFC 2409 §5.1", h.By.Issue(key, h.Subject), h.By.Certificate)
}

// CertificateEncoding says another encoding of the certificates (RFC 2408 §5.9).
func CertificateEncoding(kind core.Kind, e isakmp.CertEncoding) Deviation {
	return Edit(kind, fmt.Sprintf("certificates of encoding %d", uint8(e)), "RFC 2408 §5.9", func(c isakmp.CERT) isakmp.Payload {
		c.Encoding = e
		return c
	})
}

// CutCertificate leaves out the last octets of each certificate (RFC 2408 §5.9).
func CutCertificate(kind core.Kind, octets int) Deviation {
	return Edit(kind, fmt.Sprintf("certificates cut short by %d octets", octets), "RFC 2408 §5.9", func(c isakmp.CERT) isakmp.Payload {
		c.Data = c.Data[:max(0, len(c.Data)-octets)]
		return c
	})
}

// ChangedCertificate alters one bit in the issuer's signature of the first certificate (RFC 5280 §6.1.3).
func ChangedCertificate(kind core.Kind) Deviation {
	return Payloads(kind, "a certificate that was changed", "RFC 5280 §6.1.3", func(ps []isakmp.Payload) []isakmp.Payload {
		first := slices.IndexFunc(ps, func(p isakmp.Payload) bool { return p.Type() == isakmp.PayloadCERT })
		if cert, ok := ps[max(0, first)].(isakmp.CERT); ok {
			cert.Data = slices.Clone(cert.Data)
			cert.Data[len(cert.Data)-1] ^= 1
			ps[first] = cert
		}
		return ps
	})
}

// EditSignature changes the SIG of Main Mode 5 or 6 (RFC 2409 §5.1).
func EditSignature(kind core.Kind, what, section string, change func([]byte) []byte) Deviation {
	return EditAuthenticated(kind, what, section, func(s isakmp.SIG) isakmp.Payload { return isakmp.SIG{Data: change(s.Data)} })
}

// SignatureLength cuts the SIG to so many octets, or puts zeros behind it (RFC 2409 §5.1).
func SignatureLength(kind core.Kind, octets int) Deviation {
	return EditSignature(kind, fmt.Sprintf("a SIG of %d octets", octets), "RFC 2409 §5.1", func(sig []byte) []byte {
		out := make([]byte, octets)
		copy(out, sig)
		return out
	})
}

// SignatureDER sends an ECDSA signature as a SEQUENCE in DER (RFC 4754 §7).
func SignatureDER(kind core.Kind) Deviation {
	return EditSignature(kind, "an ECDSA signature in DER", "RFC 4754 §7", func(sig []byte) []byte {
		half := len(sig) / 2
		der, _ := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:half]), new(big.Int).SetBytes(sig[half:])})
		return der
	})
}

// SignatureSwapped sends an ECDSA signature with s before r (RFC 4754 §7).
func SignatureSwapped(kind core.Kind) Deviation {
	return EditSignature(kind, "an ECDSA signature with s before r", "RFC 4754 §7", func(sig []byte) []byte {
		half := len(sig) / 2
		return append(slices.Clone(sig[half:]), sig[:half]...)
	})
}

// SignatureDigestInfo signs with a DigestInfo around the HASH (RFC 2409 §5.1).
func SignatureDigestInfo(kind core.Kind, key *rsa.PrivateKey) Deviation {
	return EditSignature(kind, "a DigestInfo around the HASH that is signed", "RFC 2409 §5.1", func(sig []byte) []byte {
		out, err := keymat.SignDigestInfo(key, signedHash(&key.PublicKey, sig))
		if err != nil {
			return sig
		}
		return out
	})
}

// SignedBy has another RSA key sign the HASH than that of the certificate, whose private key is own (RFC 2409 §5.1).
func SignedBy(kind core.Kind, own *rsa.PrivateKey, other crypto.Signer) Deviation {
	return EditSignature(kind, "a signature by another key than that of the certificate", "RFC 2409 §5.1", func(sig []byte) []byte {
		out, err := keymat.SignHash(other, signedHash(&own.PublicKey, sig))
		if err != nil {
			return sig
		}
		return out
	})
}

// signedHash is what an RSA signature of PKCS #1 type 1 was made over: the octets behind 00 01 ff ... 00 (RFC 8017 §9.2).
func signedHash(key *rsa.PublicKey, sig []byte) []byte {
	block := new(big.Int).Exp(new(big.Int).SetBytes(sig), big.NewInt(int64(key.E)), key.N).Bytes()
	end := slices.Index(block, 0)
	return block[end+1:]
}

// OtherMethod has the holder's key, which is not of RSA, sign the HASH where RSA was negotiated, and shows the certificate of it
// (RFC 2409 §5). Own is the key that would have signed.
func (h Holder) OtherMethod(kind core.Kind, own *rsa.PrivateKey) Deviation {
	shown := Certificates(kind, "a signature of another method than that which was negotiated", "RFC 2409 §5",
		h.By.Issue(h.Key, h.Subject), h.By.Certificate)
	return Deviation{shown.Name, shown.Section, Taps(shown, SignedBy(kind, own, h.Key))}
}

// Together applies two deviations to one message, and is called after both.
func Together(first, second Deviation) Deviation {
	return Deviation{first.Name + ", and " + second.Name, first.Section, Taps(first, second)}
}

// HashForSignature sends what would prove a pre-shared key, as if that had been negotiated (RFC 2409 §5.1).
func HashForSignature(kind core.Kind, octets int) Deviation {
	return EditAuthenticated(kind, "a HASH instead of a SIG", "RFC 2409 §5.1",
		func(isakmp.SIG) isakmp.Payload { return isakmp.Hash{Data: make([]byte, octets)} })
}

// OmitSignature leaves the SIG out (RFC 2409 §5.1).
func OmitSignature(kind core.Kind) Deviation {
	return AuthenticatedPayloads(kind, "no SIG", "RFC 2409 §5.1", func(ps []isakmp.Payload) []isakmp.Payload {
		return slices.DeleteFunc(ps, func(p isakmp.Payload) bool { return p.Type() == isakmp.PayloadSIG })
	})
}

// IdentityOf has Main Mode 5 or 6 claim an identity of another type, under a proof made for it (RFC 2407 §4.6.2.1).
func IdentityOf(kind core.Kind, typ uint8, data []byte) Deviation {
	text := string(data)
	if name := policy.DecodeName(data); name != "" {
		text = name
	}
	return Identity(kind, fmt.Sprintf("%s %s as its identity", isakmp.IDType(typ), text), func(id *isakmp.ID) { id.IDType, id.Data = typ, data })
}

// Requests replaces the certificate requests of Main Mode 3 or 4 (RFC 2408 §3.10).
func Requests(kind core.Kind, what string, requests ...isakmp.CR) Deviation {
	return Payloads(kind, what, "RFC 2408 §3.10", func(ps []isakmp.Payload) []isakmp.Payload {
		ps = slices.DeleteFunc(ps, func(p isakmp.Payload) bool { return p.Type() == isakmp.PayloadCR })
		for _, r := range requests {
			ps = append(ps, r)
		}
		return ps
	})
}

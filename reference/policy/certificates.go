package policy

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
)

// Certificates are what Phase 1 makes and checks signatures with (RFC 2409 §5.1), each in DER.
type Certificates struct {
	Chain   [][]byte // the own certificate, and those between it and the trust anchor
	Key     []byte   // PKCS #8 of the own certificate
	Anchors [][]byte // certificates of the authorities that are trusted
	CRLs    [][]byte // lists of what they have revoked
	Known   [][]byte // certificates of peers, in case they send none
}

// Set reports whether there is anything.
func (c Certificates) Set() bool {
	return len(c.Chain)+len(c.Key)+len(c.Anchors)+len(c.CRLs)+len(c.Known) > 0
}

// Credentials are Certificates that have been read.
type Credentials struct {
	Key     crypto.Signer
	Chain   []*x509.Certificate
	Anchors []*x509.Certificate
	CRLs    []*x509.RevocationList
	Known   []*x509.Certificate
}

// Revokes reports whether a list by its issuer names a certificate of a chain, which ends with a trust anchor (RFC 5280 §6.3). A list
// that is out of date still counts: what was revoked once stays so.
func (c *Credentials) Revokes(chain []*x509.Certificate) bool {
	for i, one := range chain[:len(chain)-1] {
		for _, list := range c.CRLs {
			if !bytes.Equal(list.RawIssuer, one.RawIssuer) || list.CheckSignatureFrom(chain[i+1]) != nil {
				continue
			}
			if slices.ContainsFunc(list.RevokedCertificateEntries, func(e x509.RevocationListEntry) bool {
				return e.SerialNumber.Cmp(one.SerialNumber) == 0
			}) {
				return true
			}
		}
	}
	return false
}

// Credentials reads the certificates, the key and the lists. It fails if one of them cannot be read.
func (c Certificates) Credentials() (*Credentials, error) {
	all := new(Credentials)
	var err error
	if len(c.Key) > 0 {
		if all.Key, err = ParseSigningKey(c.Key); err != nil {
			return nil, fmt.Errorf("certificates: key: %w", err)
		}
	}
	if all.Chain, err = parseAll(c.Chain, x509.ParseCertificate); err != nil {
		return nil, fmt.Errorf("certificates: chain: %w", err)
	}
	if all.Anchors, err = parseAll(c.Anchors, x509.ParseCertificate); err != nil {
		return nil, fmt.Errorf("certificates: anchors: %w", err)
	}
	if all.CRLs, err = parseAll(c.CRLs, x509.ParseRevocationList); err != nil {
		return nil, fmt.Errorf("certificates: crls: %w", err)
	}
	if all.Known, err = parseAll(c.Known, x509.ParseCertificate); err != nil {
		return nil, fmt.Errorf("certificates: known: %w", err)
	}
	return all, nil
}

func parseAll[T any](ders [][]byte, parse func([]byte) (T, error)) (all []T, err error) {
	for _, der := range ders {
		one, err := parse(der)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// serves says, as an error, what a method needs that is not there.
func (c Certificates) serves(a Phase1Auth) error {
	if !a.Signs() {
		return nil
	}
	all, err := c.Credentials()
	switch {
	case err != nil:
		return err
	case all.Key == nil || len(all.Chain) == 0 || len(all.Anchors) == 0:
		return errors.New("it needs certificates with a chain, a key and anchors")
	}
	if algorithm, _, _ := SignatureOf(all.Key.Public()); algorithm != a.algorithm() {
		return fmt.Errorf("the key of the certificate is not one for %s", a)
	}
	return all.matching()
}

// matching says, as an error, that the key is not that of the own certificate.
func (c *Credentials) matching() error {
	if c.Key == nil || len(c.Chain) == 0 {
		return nil
	}
	own, err1 := x509.MarshalPKIXPublicKey(c.Key.Public())
	named, err2 := x509.MarshalPKIXPublicKey(c.Chain[0].PublicKey)
	if err1 != nil || err2 != nil || !bytes.Equal(own, named) {
		return errors.New("the key is not that of the first certificate of the chain")
	}
	return nil
}

// The blocks of PEM.
const (
	certificateBlock = "CERTIFICATE"
	crlBlock         = "X509 CRL"
)

// decodePEM returns what the blocks of a text hold, which all have to be of that type. Its errors follow what names the text.
func decodePEM(text []byte, typ string) (all [][]byte, err error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != typ {
			return nil, fmt.Errorf("holds a PEM block %q where %s is expected", block.Type, typ)
		}
		all = append(all, block.Bytes)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("holds no PEM block %s", typ)
	}
	return all, nil
}

// encodePEM is the reverse of decodePEM.
func encodePEM(ders [][]byte, typ string) string {
	var text bytes.Buffer
	for _, der := range ders {
		_ = pem.Encode(&text, &pem.Block{Type: typ, Bytes: der}) // a buffer takes everything
	}
	return text.String()
}

// DecodeCertificates reads the certificates of a PEM text. Its errors follow what names the text.
func DecodeCertificates(text []byte) ([][]byte, error) {
	all, err := decodePEM(text, certificateBlock)
	if err != nil {
		return nil, err
	}
	if _, err := parseAll(all, x509.ParseCertificate); err != nil {
		return nil, fmt.Errorf("holds a certificate that cannot be read: %w", err)
	}
	return all, nil
}

// DecodeCRLs reads the certificate revocation lists of a PEM text. Its errors follow what names the text.
func DecodeCRLs(text []byte) ([][]byte, error) {
	all, err := decodePEM(text, crlBlock)
	if err != nil {
		return nil, err
	}
	if _, err := parseAll(all, x509.ParseRevocationList); err != nil {
		return nil, fmt.Errorf("holds a list that cannot be read: %w", err)
	}
	return all, nil
}

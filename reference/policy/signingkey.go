package policy

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// GoodSigningBits is the size of the smallest RSA key that should sign PUSH messages. With profile getvpn a smaller one may.
const GoodSigningBits = 2048

// WeakBy returns the size of a signing key that is smaller than it should be, and 0 for every other.
func WeakBy(key crypto.PublicKey) int {
	if algorithm, bits, _ := SignatureOf(key); algorithm == SigRSA && bits < GoodSigningBits {
		return bits
	}
	return 0
}

// SignatureOf returns the algorithm of the signatures that belong to a public key, and the size of the key in bits; ok is
// false if there is none for such a key (RFC 6407 §5.3.6, §5.3.7).
func SignatureOf(key crypto.PublicKey) (a SigAlgorithm, bits int, ok bool) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return SigRSA, key.N.BitLen(), true
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return SigECDSA256, 256, true
		case elliptic.P384():
			return SigECDSA384, 384, true
		case elliptic.P521():
			return SigECDSA521, 521, true
		}
	}
	return 0, 0, false
}

// SignableBy says, as an error, which field of the policy does not go with an algorithm: ECDSA leaves no choice.
func (r RekeyPolicy) SignableBy(a SigAlgorithm) error {
	switch fixed := a.Hash(); {
	case fixed != 0 && r.SigHash != 0 && r.SigHash != fixed:
		return errors.New("sig_hash is not that of the signing key's curve; leave it out")
	case fixed != 0 && r.SigForm != SigDigestInfo:
		return errors.New("signature_form is for RSA, and the signing key is one of ECDSA; leave it out")
	}
	return nil
}

// signatureAlgorithm is that of a signing key, or 0 if there is no usable one.
func signatureAlgorithm(der []byte) SigAlgorithm {
	key, err := ParseSigningKey(der)
	if err != nil {
		return 0
	}
	algorithm, _, _ := SignatureOf(key.Public())
	return algorithm
}

// parsed remembers signing keys by their PKCS #8, because the checks of an RSA key take as long as a signature with it, and a
// process that plays many networks reads the same few over and over.
var parsed sync.Map

// ParseSigningKey reads the PKCS #8 of KeyServer.SigningKey. It fails if no algorithm of RFC 6407 §5.3.6 signs with the key.
func ParseSigningKey(der []byte) (crypto.Signer, error) {
	if key, ok := parsed.Load(string(der)); ok {
		return key.(crypto.Signer), nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	if signer, ok := key.(crypto.Signer); ok {
		if _, _, ok := SignatureOf(signer.Public()); ok {
			parsed.Store(string(der), signer)
			return signer, nil
		}
	}
	return nil, fmt.Errorf("%T, want RSA, or ECDSA over P-256, P-384 or P-521", key)
}

// DecodeSigningKey reads the content of a signing key's file, PEM with PKCS #8, PKCS #1 or SEC 1, and returns the key as
// KeyServer.SigningKey has it. Its errors follow the name of the file.
func DecodeSigningKey(data []byte) ([]byte, error) {
	der, err := DecodeShortKey(data)
	if err == nil {
		err = checkStrength(der)
	}
	if err != nil {
		return nil, err
	}
	return der, nil
}

// checkStrength says of a key of RSA that it is too small.
func checkStrength(der []byte) error {
	key, err := ParseSigningKey(der)
	if err != nil {
		return err
	}
	if bits := WeakBy(key.Public()); bits > 0 {
		return fmt.Errorf("holds an RSA key of %d bits; it must have at least %d", bits, GoodSigningBits)
	}
	return nil
}

// DecodeShortKey is DecodeSigningKey for profile getvpn, in which a key of RSA may be smaller than it should be.
func DecodeShortKey(data []byte) ([]byte, error) {
	block := privateBlock(data)
	if block == nil {
		return nil, errors.New("holds no PEM; it must hold a private key of RSA or ECDSA (PKCS #8, PKCS #1 or SEC 1)")
	}
	key, err := parsePrivateKey(block)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("holds a key that cannot be used: %w", err)
	}
	if _, err := ParseSigningKey(der); err != nil {
		return nil, errors.New("holds a key of another kind; it must hold one of RSA, or of ECDSA over P-256, P-384 or P-521")
	}
	return der, nil
}

// namedKey is a signing key with what a configuration calls it.
type namedKey struct {
	der  []byte
	name string
}

// signingKey reads the file that a configuration names and returns the key as PKCS #8.
func signingKey(v yamldoc.Value, open ReadFile) (key namedKey) {
	path, ok := v.Text()
	if !ok {
		return key
	}
	if strings.HasPrefix(path, pemPrefix) {
		der, err := DecodeShortKey([]byte(path))
		if err != nil {
			v.Problem("the PEM %v", err)
		}
		return namedKey{der, "the PEM"}
	}
	data, err := open(path)
	if errors.Is(err, fs.ErrNotExist) {
		v.Problem("there is no file %q; name a PEM file with an RSA or ECDSA key, relative to this file", path)
		return key
	}
	if err != nil {
		v.Problem("%v", err)
		return key
	}
	der, err := DecodeShortKey(data)
	if err != nil {
		v.Problem("%q %v", path, err)
		return key
	}
	return namedKey{der, fmt.Sprintf("%q", path)}
}

// checkSigningKey finds a key that is too small for the profile.
func checkSigningKey(k place[namedKey], p Profile) {
	if len(k.value.der) == 0 || p == ProfileGETVPN {
		return
	}
	if err := checkStrength(k.value.der); err != nil {
		k.at.Problem("%s %v", k.value.name, err)
	}
}

// privateBlock is the first block of a PEM file but for the curve's parameters, which some tools put before an EC key.
func privateBlock(data []byte) *pem.Block {
	block, rest := pem.Decode(data)
	if block != nil && block.Type == "EC PARAMETERS" {
		block, _ = pem.Decode(rest)
	}
	return block
}

func parsePrivateKey(block *pem.Block) (key any, err error) {
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("holds a PEM block %q; it must be PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("holds a key that cannot be read: %w", err)
	}
	return key, nil
}

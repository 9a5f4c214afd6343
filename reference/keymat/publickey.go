package keymat

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
)

// ErrPublicKey means that a SIG_ALGORITHM_KEY is no public key of RSA, or of ECDSA over P-256, P-384 or P-521.
var ErrPublicKey = errors.New("keymat: not a public key of RSA or ECDSA")

// ParsePublicKey reads the DER of a SubjectPublicKeyInfo or of a bare RSAPublicKey (PKCS #1), since RFC 6407 §5.6.2.2 does
// not say which one SIG_ALGORITHM_KEY holds. It returns an *rsa.PublicKey or an *ecdsa.PublicKey; the error is ErrPublicKey.
func ParsePublicKey(der []byte) (crypto.PublicKey, error) {
	if key, ok := parsed.get(string(der)); ok {
		return key, nil
	}
	key, err := parsePublicKey(der)
	if err == nil {
		parsed.put(string(der), key)
	}
	return key, err
}

// parsed remembers the keys that were read last: all members of a simulated group read the same one.
var parsed = memo[string, crypto.PublicKey]{most: 16}

func parsePublicKey(der []byte) (crypto.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		bare, pkcs1Err := x509.ParsePKCS1PublicKey(der)
		if pkcs1Err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPublicKey, err)
		}
		return bare, nil
	}
	switch key := parsed.(type) {
	case *rsa.PublicKey:
		return key, nil
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P224() {
			return key, nil
		}
	}
	return nil, fmt.Errorf("%w: %T", ErrPublicKey, parsed)
}

// MarshalPublicKey is the SubjectPublicKeyInfo, in DER, that goes into SIG_ALGORITHM_KEY.
func MarshalPublicKey(key crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPublicKey, err)
	}
	return der, nil
}

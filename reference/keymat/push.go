package keymat

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
)

// ErrSignature means that a signature is not that of the digest under the key.
var ErrSignature = errors.New("keymat: signature does not verify")

// ErrPublicKey means that a SIG_ALGORITHM_KEY is no RSA public key.
var ErrPublicKey = errors.New("keymat: not an RSA public key")

// pushLabel is what the digest of a PUSH begins with, so that no other signed message can pass for one (RFC 6407 §4).
var pushLabel = []byte("rekey")

// PushDigest is the digest that SIG of a GROUPKEY-PUSH signs, with SHA-256: "rekey", the header of 28 octets, and the
// payloads before SIG as they are sent (RFC 6407 §4).
func PushDigest(header, payloads []byte) []byte {
	return SHA256.Sum(pushLabel, header, payloads)
}

// SignPush signs a SHA-256 digest with RSASSA-PKCS1-v1_5 (RFC 6407 §5.3.6.1). The same digest and key give the same
// signature, as long as the modulus.
func SignPush(key *rsa.PrivateKey, digest []byte) ([]byte, error) {
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest)
	if err != nil {
		return nil, fmt.Errorf("keymat: sign PUSH: %w", err)
	}
	return sig, nil
}

// VerifyPush checks a signature by SignPush. The public key is as ParsePublicKey reads it; the error is ErrPublicKey or
// ErrSignature.
func VerifyPush(spki, digest, sig []byte) error {
	key, err := ParsePublicKey(spki)
	if err != nil {
		return err
	}
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest, sig); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// ParsePublicKey reads the DER of a SubjectPublicKeyInfo or of a bare RSAPublicKey (PKCS #1), since RFC 6407 §5.6.2.2 does
// not say which one SIG_ALGORITHM_KEY holds. The error is ErrPublicKey.
func ParsePublicKey(der []byte) (*rsa.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		bare, pkcs1Err := x509.ParsePKCS1PublicKey(der)
		if pkcs1Err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPublicKey, err)
		}
		return bare, nil
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: %T", ErrPublicKey, parsed)
	}
	return key, nil
}

// MarshalPublicKey is the SubjectPublicKeyInfo, in DER, that goes into SIG_ALGORITHM_KEY.
func MarshalPublicKey(key *rsa.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPublicKey, err)
	}
	return der, nil
}

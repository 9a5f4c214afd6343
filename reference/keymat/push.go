package keymat

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"sync"
)

// ErrSignature means that a signature is not that of the digest under the key.
var ErrSignature = errors.New("keymat: signature does not verify")

// pushLabel is what the digest of a PUSH begins with, so that no other signed message can pass for one (RFC 6407 §4).
var pushLabel = []byte("rekey")

// PushScheme is how PUSH messages are signed: RSASSA-PKCS1-v1_5 or ECDSA, as the key is, over a digest of Hash
// (RFC 6407 §5.3.5, §5.3.6). With a Hash that is not linked in nothing can be signed or verified.
type PushScheme struct {
	Hash crypto.Hash
	// Bare has RSA sign the digest alone, without DigestInfo, as Phase 1 does (RFC 2409 §5.1) and some daemons do here.
	Bare bool
}

// Digest is what SIG of a GROUPKEY-PUSH signs: the digest of "rekey", the header of 28 octets, and the payloads before SIG
// as they are sent (RFC 6407 §4).
func (s PushScheme) Digest(header, payloads []byte) []byte {
	if !s.Hash.Available() {
		return nil
	}
	w, idle := idleHashes[s.Hash].Get().(hash.Hash)
	if !idle {
		w = s.Hash.New()
	}
	sum := digest(w, [][]byte{pushLabel, header, payloads})
	w.Reset()
	idleHashes[s.Hash].Put(w)
	return sum
}

// idleHashes are those that nobody uses now, by their kind.
var idleHashes [crypto.BLAKE2b_512 + 1]sync.Pool

// Sign signs a digest of the scheme's hash with an RSA or ECDSA key. The same digest and key give the same signature, of
// SignatureLen octets: ECDSA takes its nonce from both (RFC 6979).
func (s PushScheme) Sign(key crypto.Signer, digest []byte) ([]byte, error) {
	if !s.fits(digest) {
		return nil, fmt.Errorf("keymat: sign PUSH: %d octets are no digest of %v", len(digest), s.Hash)
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		sig, err := rsa.SignPKCS1v15(nil, key, s.block(), digest)
		if err != nil {
			return nil, fmt.Errorf("keymat: sign PUSH: %w", err)
		}
		return sig, nil
	case *ecdsa.PrivateKey:
		return s.signECDSA(key, digest)
	}
	return nil, fmt.Errorf("keymat: sign PUSH: %w: %T", ErrPublicKey, key)
}

// signECDSA returns r and s one after another, each as long as the curve's field (RFC 4754 §7, RFC 6407 §5.3.6.4).
func (s PushScheme) signECDSA(key *ecdsa.PrivateKey, digest []byte) ([]byte, error) {
	der, err := key.Sign(nil, digest, s.Hash)
	if err != nil {
		return nil, fmt.Errorf("keymat: sign PUSH: %w", err)
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		return nil, fmt.Errorf("keymat: sign PUSH: %w", err)
	}
	sig := make([]byte, SignatureLen(&key.PublicKey))
	pair.R.FillBytes(sig[:len(sig)/2])
	pair.S.FillBytes(sig[len(sig)/2:])
	return sig, nil
}

// Verify checks a signature by Sign with a key as ParsePublicKey reads it. The error is ErrSignature.
func (s PushScheme) Verify(key crypto.PublicKey, digest, sig []byte) error {
	if !s.fits(digest) {
		return fmt.Errorf("%w: %d octets are no digest of %v", ErrSignature, len(digest), s.Hash)
	}
	return verify(key, s.block(), digest, sig)
}

// verify checks a PKCS #1 block of RSA, with a DigestInfo of that hash or none if it is 0, or r and s of ECDSA.
func verify(key crypto.PublicKey, block crypto.Hash, digest, sig []byte) error {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if err := verifyRSA(key, block, digest, sig); err != nil {
			return fmt.Errorf("%w: %w", ErrSignature, err)
		}
		return nil
	case *ecdsa.PublicKey:
		half := SignatureLen(key) / 2
		if len(sig) != 2*half {
			return fmt.Errorf("%w: %d octets instead of %d", ErrSignature, len(sig), 2*half)
		}
		if !verifyECDSA(key, digest, sig) {
			return ErrSignature
		}
		return nil
	}
	return fmt.Errorf("%w: no key of RSA or ECDSA", ErrSignature)
}

func (s PushScheme) fits(digest []byte) bool {
	return s.Hash.Available() && len(digest) == s.Hash.Size()
}

// block is the hash that the DigestInfo of an RSA signature names; 0 for none.
func (s PushScheme) block() crypto.Hash {
	if s.Bare {
		return 0
	}
	return s.Hash
}

// SignatureLen is the length of a key's signatures in octets: that of the modulus, or twice that of the field
// (RFC 6407 §5.3.6). It is 0 for a key that is neither RSA nor ECDSA.
func SignatureLen(key crypto.PublicKey) int {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return key.Size()
	case *ecdsa.PublicKey:
		return 2 * ((key.Curve.Params().BitSize + 7) / 8)
	}
	return 0
}

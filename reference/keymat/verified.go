package keymat

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
)

// verified remembers the signatures that were found right last. All members of a simulated group check the signature
// of the same rekey message with the key that ParsePublicKey has read for them all; what is wrong is computed every time.
var verified = memo[proof, struct{}]{most: 64}

// proof is what a signature was checked with.
type proof struct {
	key   crypto.PublicKey // a pointer, so that no other key is the same as long as it is remembered
	block crypto.Hash      // of RSA
	of    [sha256.Size]byte
}

// hashOf names octets, each behind their length.
func hashOf(parts ...[]byte) (n [sha256.Size]byte) {
	h := sha256.New()
	var length [4]byte
	for _, p := range parts {
		binary.BigEndian.PutUint32(length[:], uint32(len(p)))
		h.Write(length[:])
		h.Write(p)
	}
	h.Sum(n[:0])
	return n
}

// verifyRSA checks a PKCS #1 block over a digest, with a DigestInfo of that hash or none if it is 0.
func verifyRSA(key *rsa.PublicKey, block crypto.Hash, digest, sig []byte) error {
	p := proof{key, block, hashOf(sig, digest)}
	if _, known := verified.get(p); known {
		return nil
	}
	if err := rsa.VerifyPKCS1v15(key, block, digest, sig); err != nil {
		return err
	}
	verified.put(p, struct{}{})
	return nil
}

// verifyECDSA checks r and s, of the length of the field each, over a digest.
func verifyECDSA(key *ecdsa.PublicKey, digest, sig []byte) bool {
	p := proof{key: key, of: hashOf(sig, digest)}
	if _, known := verified.get(p); known {
		return true
	}
	half := len(sig) / 2
	if !ecdsa.Verify(key, digest, new(big.Int).SetBytes(sig[:half]), new(big.Int).SetBytes(sig[half:])) {
		return false
	}
	verified.put(p, struct{}{})
	return true
}

package keymat

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"sync"
)

// verified remembers the signatures that were found right last. All members of a simulated group check the signature
// of the same rekey message, each with a key that it has read itself; what is wrong is computed every time.
var verified recent

// recent is a bounded set of the digests that were put into it last.
type recent struct {
	mu   sync.Mutex
	has  map[[sha256.Size]byte]bool
	ring [64][sha256.Size]byte
	next int
}

func (r *recent) contains(d [sha256.Size]byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.has[d]
}

func (r *recent) add(d [sha256.Size]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.has == nil {
		r.has = make(map[[sha256.Size]byte]bool, len(r.ring))
	}
	if r.has[d] {
		return
	}
	delete(r.has, r.ring[r.next])
	r.ring[r.next], r.has[d] = d, true
	r.next = (r.next + 1) % len(r.ring)
}

// The kinds of signature that are remembered, so that one is never taken for one of the other.
const (
	ofRSA byte = iota
	ofECDSA
)

// name is what a signature is remembered by: everything that it was checked with, each part behind its length.
func name(kind byte, parts ...[]byte) (n [sha256.Size]byte) {
	h := sha256.New()
	h.Write([]byte{kind})
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
	n := name(ofRSA, key.N.Bytes(), binary.BigEndian.AppendUint64(nil, uint64(key.E)), []byte{byte(block)}, sig, digest)
	if verified.contains(n) {
		return nil
	}
	if err := rsa.VerifyPKCS1v15(key, block, digest, sig); err != nil {
		return err
	}
	verified.add(n)
	return nil
}

// verifyECDSA checks r and s, of the length of the field each, over a digest.
func verifyECDSA(key *ecdsa.PublicKey, digest, sig []byte) bool {
	public, err := key.Bytes()
	if err != nil {
		return false
	}
	n := name(ofECDSA, []byte(key.Curve.Params().Name), public, sig, digest)
	if verified.contains(n) {
		return true
	}
	half := len(sig) / 2
	if !ecdsa.Verify(key, digest, new(big.Int).SetBytes(sig[:half]), new(big.Int).SetBytes(sig[half:])) {
		return false
	}
	verified.add(n)
	return true
}

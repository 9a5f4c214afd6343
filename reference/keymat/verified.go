package keymat

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"math/big"
	"sync"
)

// verified remembers the ECDSA signatures that were found right last. All members of a simulated group check the signature
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

// verifyECDSA checks r and s, of the length of the field each, over a digest.
func verifyECDSA(key *ecdsa.PublicKey, digest, sig []byte) bool {
	public, err := key.Bytes()
	if err != nil {
		return false
	}
	// The lengths of all parts but the digest follow from the key's first octet and its length.
	h := sha256.New()
	h.Write([]byte{byte(len(public))})
	h.Write(public)
	h.Write(sig)
	h.Write(digest)
	var name [sha256.Size]byte
	h.Sum(name[:0])
	if verified.contains(name) {
		return true
	}
	half := len(sig) / 2
	if !ecdsa.Verify(key, digest, new(big.Int).SetBytes(sig[:half]), new(big.Int).SetBytes(sig[half:])) {
		return false
	}
	verified.add(name)
	return true
}

package keymat

import (
	"crypto"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
)

// Hash is a Phase 1 Hash Algorithm by its number (RFC 2409 appendix A). HMAC of it is the PRF, since no other PRF has a
// number (RFC 2409 §4).
type Hash uint16

// The hashes of the table.
const (
	MD5    Hash = 1
	SHA1   Hash = 2
	SHA256 Hash = 4
	SHA384 Hash = 5
	SHA512 Hash = 6
)

var hashes = map[Hash]struct {
	name string
	size int
	new  func() hash.Hash
}{
	MD5:    {"MD5", md5.Size, md5.New},
	SHA1:   {"SHA-1", sha1.Size, sha1.New},
	SHA256: {"SHA2-256", sha256.Size, sha256.New},
	SHA384: {"SHA2-384", sha512.Size384, sha512.New384},
	SHA512: {"SHA2-512", sha512.Size, sha512.New},
}

// HashOfSize returns the hash whose digests have that many octets, and whether there is one. No two of the table have the
// same length, so the length of SKEYID says which hash was negotiated.
func HashOfSize(octets int) (Hash, bool) {
	for h, row := range hashes {
		if row.size == octets {
			return h, true
		}
	}
	return 0, false
}

// Known reports whether the hash is in the table. Sum, PRF and Size panic for others, as crypto.Hash does, for an empty
// digest would compare equal to an empty HASH payload.
func (h Hash) Known() bool { _, ok := hashes[h]; return ok }

// String returns the hash's name.
func (h Hash) String() string {
	if row, ok := hashes[h]; ok {
		return row.name
	}
	return fmt.Sprintf("hash(%d)", uint16(h))
}

// Size is the length of a digest in octets.
func (h Hash) Size() int {
	h.mustKnow()
	return hashes[h].size
}

// crypto is the hash by the name that signatures have for it.
func (h Hash) crypto() crypto.Hash {
	return map[Hash]crypto.Hash{MD5: crypto.MD5, SHA1: crypto.SHA1, SHA256: crypto.SHA256, SHA384: crypto.SHA384, SHA512: crypto.SHA512}[h]
}

// Sum returns the digest of the parts, one after another.
func (h Hash) Sum(parts ...[]byte) []byte {
	h.mustKnow()
	return digest(hashes[h].new(), parts)
}

// PRF returns HMAC over the parts, one after another, with a key of any length, untruncated (RFC 4868 §2.4).
func (h Hash) PRF(key []byte, parts ...[]byte) []byte {
	h.mustKnow()
	return digest(hmac.New(hashes[h].new, key), parts)
}

func (h Hash) mustKnow() {
	if !h.Known() {
		panic("keymat: unknown " + h.String())
	}
}

func digest(w hash.Hash, parts [][]byte) []byte {
	for _, p := range parts {
		w.Write(p)
	}
	return w.Sum(nil)
}

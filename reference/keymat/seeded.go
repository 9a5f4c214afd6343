package keymat

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math/rand/v2"
)

// Seeded is an endless source of octets that depends on seed and labels alone, so that a run can be repeated to the octet:
// ChaCha8 keyed by SHA-256 over the parts, each with its length before it. It is not safe for concurrent use, and secret
// only as far as the seed is.
func Seeded(seed string, labels ...string) io.Reader {
	h := sha256.New()
	for _, part := range append([]string{seed}, labels...) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		io.WriteString(h, part)
	}
	return rand.NewChaCha8([32]byte(h.Sum(nil)))
}

package esp

import (
	"crypto/aes"
	"fmt"

	"github.com/gdoilab/gdoilab/reference/policy"
)

const (
	saltLen      = 4  // follows the key of GCM (RFC 4106 §8.1)
	integrityLen = 32 // key of HMAC-SHA-256 (RFC 4868 §2.1.1)
)

// newSuite sets up the algorithms of an SA and checks the lengths of its keys.
func newSuite(t policy.TrafficSA, o Options) (suite, sizes, error) {
	tr := t.Transform
	switch {
	case tr.KeyBits != 128 && tr.KeyBits != 192 && tr.KeyBits != 256:
		return nil, sizes{}, fmt.Errorf("%w: AES with a key of %d bits", ErrTransform, tr.KeyBits)
	case tr.Cipher == policy.CipherAESGCM16 && tr.Integrity == policy.IntegrityNone:
		if len(t.CipherKey) != tr.KeyBits/8+saltLen || len(t.IntegrityKey) != 0 {
			return nil, sizes{}, keyError(t)
		}
		g, err := newGCM(t.CipherKey, o)
		return g, sizes{iv: ivLenGCM, align: 4, icv: 16}, err
	case tr.Cipher == policy.CipherAESCBC && tr.Integrity == policy.IntegrityHMACSHA256:
		if len(t.CipherKey) != tr.KeyBits/8 || len(t.IntegrityKey) != integrityLen {
			return nil, sizes{}, keyError(t)
		}
		c, err := newCBC(t.CipherKey, t.IntegrityKey, o)
		return c, sizes{iv: aes.BlockSize, align: aes.BlockSize, icv: icvLenHMAC}, err
	}
	return nil, sizes{}, fmt.Errorf("%w: cipher %d with integrity algorithm %d", ErrTransform, tr.Cipher, tr.Integrity)
}

func keyError(t policy.TrafficSA) error {
	return fmt.Errorf("%w: cipher %d with %d bits has keys of %d and %d octets", ErrTransform,
		t.Transform.Cipher, t.Transform.KeyBits, len(t.CipherKey), len(t.IntegrityKey))
}

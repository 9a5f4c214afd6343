package esp

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/gdoilab/gdoilab/reference/rule"
)

// blockMode is a cipher.BlockMode that can be given another IV; that of CBC mode can.
type blockMode interface {
	cipher.BlockMode
	SetIV(iv []byte)
}

// cbc encrypts with AES (RFC 3602) or 3DES (RFC 2451) in CBC mode.
type cbc struct {
	rules    *rule.Switches
	rand     io.Reader
	random   *rule.Guard
	enc, dec blockMode
	predicts uint64 // IV of a mutant
}

// newCBC makes a maker for the block cipher. random is the duty that its IVs are unpredictable.
func newCBC(block func(key []byte) (cipher.Block, error), random *rule.Guard) func(parts) (encryption, error) {
	return func(p parts) (encryption, error) {
		if p.Rand == nil {
			return nil, fmt.Errorf("%w: CBC mode needs a source of randomness", ErrTransform)
		}
		b, err := block(p.CipherKey)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTransform, err)
		}
		zero := make([]byte, b.BlockSize())
		enc, ok1 := cipher.NewCBCEncrypter(b, zero).(blockMode)
		dec, ok2 := cipher.NewCBCDecrypter(b, zero).(blockMode)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("%w: this CBC mode cannot change its IV", ErrTransform)
		}
		return &cbc{rules: p.Rules, rand: p.Rand, random: random, enc: enc, dec: dec}, nil
	}
}

// iv draws a random IV, so that nobody can foretell it (RFC 3602 §3, RFC 2451 §3).
func (c *cbc) iv(iv []byte) error {
	if !c.random.Kept(c.rules) {
		c.predicts++
		clear(iv)
		binary.BigEndian.PutUint64(iv[len(iv)-8:], c.predicts)
		return nil
	}
	if _, err := io.ReadFull(c.rand, iv); err != nil {
		return fmt.Errorf("random IV: %w", err)
	}
	return nil
}

func (c *cbc) encrypt(iv, body []byte) {
	c.enc.SetIV(iv)
	c.enc.CryptBlocks(body, body)
}

func (c *cbc) decrypt(dst, iv, body []byte) {
	c.dec.SetIV(iv)
	c.dec.CryptBlocks(dst, body)
}

// null encrypts nothing and has no IV (RFC 2410).
type null struct{}

func newNULL(parts) (encryption, error) { return null{}, nil }

func (null) iv([]byte) error             { return nil }
func (null) encrypt(_, _ []byte)         {}
func (null) decrypt(dst, _, body []byte) { copy(dst, body) }

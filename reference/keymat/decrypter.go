package keymat

import (
	"crypto/cipher"
	"fmt"
	"slices"
)

// Decrypter reads messages under one key that all begin with one IV, as those under a KEK do (RFC 6407 §5.6.2.1): the key is expanded
// once. The zero value has no key. It is not safe for concurrent use.
type Decrypter struct {
	mode   cbcMode
	cipher Cipher
	iv     [BlockSize]byte
}

// cbcMode is what crypto/cipher makes, for AES and for 3DES.
type cbcMode interface {
	cipher.BlockMode
	SetIV(iv []byte)
}

// Decrypter makes one. With a key or IV of a length that the cipher does not have the error is ErrKey.
func (c Cipher) Decrypter(key, iv []byte) (d Decrypter, err error) {
	block, err := c.new(key, iv)
	if err != nil {
		return d, err
	}
	d.mode, d.cipher = cipher.NewCBCDecrypter(block, iv).(cbcMode), c
	copy(d.iv[:], iv)
	return d, nil
}

// Append appends to dst what DecryptCBC of the cipher returns with that key and IV.
func (d *Decrypter) Append(dst, ciphertext []byte) ([]byte, error) {
	switch {
	case d.mode == nil:
		return dst, fmt.Errorf("%w: there is none", ErrKey)
	case len(ciphertext)%d.cipher.BlockSize() != 0:
		return dst, fmt.Errorf("%w: %d octets", ErrBlocks, len(ciphertext))
	}
	out := slices.Grow(dst, len(ciphertext))[:len(dst)+len(ciphertext)]
	d.mode.SetIV(d.iv[:d.cipher.BlockSize()])
	d.mode.CryptBlocks(out[len(dst):], ciphertext)
	return out, nil
}

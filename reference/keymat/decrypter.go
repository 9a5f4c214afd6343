package keymat

import (
	"bytes"
	"crypto/cipher"
	"fmt"
	"slices"
	"sync"
	"weak"
)

// Decrypter reads messages under one key that all begin with one IV, as those under a KEK do (RFC 6407 §5.6.2.1): the key is expanded
// once, for all Decrypters that are made of it one after the other. The zero value has no key. It is safe for concurrent use.
type Decrypter struct {
	key    *expanded
	cipher Cipher
	iv     [BlockSize]byte
}

// expanded is a key at work.
type expanded struct {
	of  Cipher
	key []byte

	mu   sync.Mutex
	mode cbcMode
}

// cbcMode is what crypto/cipher makes, for AES and for 3DES.
type cbcMode interface {
	cipher.BlockMode
	SetIV(iv []byte)
}

// lastExpanded is the key that was expanded last, as long as somebody uses it: the members of a simulated group all have the same KEK.
var lastExpanded struct {
	sync.Mutex
	key weak.Pointer[expanded]
}

// Decrypter makes one. With a key or IV of a length that the cipher does not have the error is ErrKey.
func (c Cipher) Decrypter(key, iv []byte) (d Decrypter, err error) {
	last := &lastExpanded
	last.Lock()
	defer last.Unlock()
	e := last.key.Value()
	if e == nil || e.of != c || !bytes.Equal(e.key, key) || len(iv) != c.BlockSize() {
		block, err := c.new(key, iv)
		if err != nil {
			return d, err
		}
		e = &expanded{of: c, key: bytes.Clone(key), mode: cipher.NewCBCDecrypter(block, iv).(cbcMode)}
		last.key = weak.Make(e)
	}
	d.key, d.cipher = e, c
	copy(d.iv[:], iv)
	return d, nil
}

// Append appends to dst what DecryptCBC of the cipher returns with that key and IV.
func (d *Decrypter) Append(dst, ciphertext []byte) ([]byte, error) {
	switch {
	case d.key == nil:
		return dst, fmt.Errorf("%w: there is none", ErrKey)
	case len(ciphertext)%d.cipher.BlockSize() != 0:
		return dst, fmt.Errorf("%w: %d octets", ErrBlocks, len(ciphertext))
	}
	out := slices.Grow(dst, len(ciphertext))[:len(dst)+len(ciphertext)]
	d.key.mu.Lock()
	defer d.key.mu.Unlock()
	d.key.mode.SetIV(d.iv[:d.cipher.BlockSize()])
	d.key.mode.CryptBlocks(out[len(dst):], ciphertext)
	return out, nil
}

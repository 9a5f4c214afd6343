package keymat

import (
	"crypto/cipher"
	"fmt"
)

// Decrypter reads messages under one key, each with the IV that it is told, as those under a KEK are (RFC 6407 §5.6.2.1): the key is
// expanded once. The zero value has no key. It is not safe for concurrent use.
type Decrypter struct {
	cipher Cipher
	mode   cbcMode
}

// cbcMode is what crypto/cipher makes, for AES and for 3DES.
type cbcMode interface {
	cipher.BlockMode
	SetIV(iv []byte)
}

// Decrypter makes one. The error is ErrKey.
func (c Cipher) Decrypter(key []byte) (Decrypter, error) {
	iv := make([]byte, c.BlockSize())
	block, err := c.new(key, iv)
	if err != nil {
		return Decrypter{}, err
	}
	return Decrypter{c, cipher.NewCBCDecrypter(block, iv).(cbcMode)}, nil
}

// Decrypt is DecryptCBC of the cipher with the key, without the next IV.
func (d Decrypter) Decrypt(iv, ciphertext []byte) ([]byte, error) {
	switch {
	case d.mode == nil:
		return nil, fmt.Errorf("%w: there is none", ErrKey)
	case len(iv) != d.cipher.BlockSize():
		return nil, fmt.Errorf("%w: IV of %d octets for %s", ErrKey, len(iv), d.cipher)
	case len(ciphertext)%d.cipher.BlockSize() != 0:
		return nil, fmt.Errorf("%w: %d octets", ErrBlocks, len(ciphertext))
	}
	plain := make([]byte, len(ciphertext))
	d.mode.SetIV(iv)
	d.mode.CryptBlocks(plain, ciphertext)
	return plain, nil
}

package keymat

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"errors"
	"fmt"
	"slices"
)

// Cipher is a block cipher that ISAKMP messages are encrypted with, in CBC mode. It has a number in Phase 1 (RFC 2409
// appendix A) and another one as KEK_ALGORITHM (RFC 6407 §5.3.2); this is neither.
type Cipher uint8

// The ciphers. Keys of AES have 16, 24 or 32 octets, those of TripleDES 24: three DES keys, of which nobody checks the
// parity bits.
const (
	AES Cipher = iota
	TripleDES
)

// BlockSize is the block size of AES in octets, the largest of all ciphers here.
const BlockSize = aes.BlockSize

// BlockSize is the length of a block, and so of an IV, in octets.
func (c Cipher) BlockSize() int {
	if c == TripleDES {
		return des.BlockSize
	}
	return aes.BlockSize
}

// CipherOfBlock returns the cipher with blocks, and so IVs, of that many octets, and whether there is one.
func CipherOfBlock(octets int) (Cipher, bool) {
	for _, c := range []Cipher{AES, TripleDES} {
		if c.BlockSize() == octets {
			return c, true
		}
	}
	return 0, false
}

// String returns "AES" or "3DES".
func (c Cipher) String() string {
	if c == TripleDES {
		return "3DES"
	}
	return "AES"
}

// Independent reports whether the three keys in a key of TripleDES, which has 24 octets, differ from each other, apart from
// their parity bits: with two that are equal it is a weaker cipher (RFC 6407 §5.3.2.2).
func Independent(key []byte) bool {
	parts := partsOf(key)
	return Triple(key) && parts[0] != parts[2]
}

// Triple reports whether a key of TripleDES is more than one of DES, which it is not if the first two or the last two of its
// three keys are equal, apart from their parity bits (RFC 2451 §2.3).
func Triple(key []byte) bool {
	parts := partsOf(key)
	return parts[0] != parts[1] && parts[1] != parts[2]
}

// partsOf are the three keys in a key of TripleDES without their parity bits.
func partsOf(key []byte) (parts [3][des.BlockSize]byte) {
	for i, octet := range key {
		parts[i/des.BlockSize][i%des.BlockSize] = octet &^ 1
	}
	return parts
}

// ErrKey means that a key or an IV has a length that the cipher does not have.
var ErrKey = errors.New("keymat: wrong length of key or IV")

// ErrBlocks means that a ciphertext is not a whole number of blocks.
var ErrBlocks = errors.New("keymat: ciphertext is not a whole number of blocks")

// EncryptCBC encrypts what follows the header of an ISAKMP message, padded with zeros to whole blocks, none if it is already
// so (RFC 2409 appendix B). nextIV is the last block of the ciphertext, or iv if there is none; it shares no memory with
// ciphertext. With a key or IV of a length that the cipher does not have the error is ErrKey.
func (c Cipher) EncryptCBC(key, iv, plain []byte) (ciphertext, nextIV []byte, err error) {
	ciphertext, err = c.AppendEncryptCBC(make([]byte, 0, padded(len(plain), c.BlockSize())), key, iv, plain)
	if err != nil {
		return nil, nil, err
	}
	return ciphertext, NextIV(iv, ciphertext), nil
}

// DecryptCBC is the reverse of EncryptCBC; the padding remains in plain, since only the payload chain tells where it
// begins. The error is ErrKey or ErrBlocks.
func (c Cipher) DecryptCBC(key, iv, ciphertext []byte) (plain, nextIV []byte, err error) {
	plain, err = c.AppendDecryptCBC(make([]byte, 0, len(ciphertext)), key, iv, ciphertext)
	if err != nil {
		return nil, nil, err
	}
	return plain, NextIV(iv, ciphertext), nil
}

// AppendEncryptCBC appends the ciphertext of plain, zero-padded to whole blocks, to dst. Plain and the free space of dst
// must not overlap.
func (c Cipher) AppendEncryptCBC(dst, key, iv, plain []byte) ([]byte, error) {
	block, err := c.new(key, iv)
	if err != nil {
		return dst, err
	}
	start := len(dst)
	dst = append(dst, plain...)
	for len(dst)-start < padded(len(plain), c.BlockSize()) {
		dst = append(dst, 0)
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(dst[start:], dst[start:])
	return dst, nil
}

// AppendDecryptCBC appends the plaintext of ciphertext, padding included, to dst. Ciphertext and the free space of dst must
// not overlap.
func (c Cipher) AppendDecryptCBC(dst, key, iv, ciphertext []byte) ([]byte, error) {
	block, err := c.new(key, iv)
	if err != nil {
		return dst, err
	}
	if len(ciphertext)%c.BlockSize() != 0 {
		return dst, fmt.Errorf("%w: %d octets", ErrBlocks, len(ciphertext))
	}
	start := len(dst)
	dst = append(dst, ciphertext...)
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(dst[start:], dst[start:])
	return dst, nil
}

// NextIV is the IV after a message: a copy of the last block of its ciphertext, or of iv if there is none.
func NextIV(iv, ciphertext []byte) []byte {
	if len(ciphertext) < len(iv) {
		return slices.Clone(iv)
	}
	return slices.Clone(ciphertext[len(ciphertext)-len(iv):])
}

func (c Cipher) new(key, iv []byte) (cipher.Block, error) {
	if len(iv) != c.BlockSize() {
		return nil, fmt.Errorf("%w: IV of %d octets for %s", ErrKey, len(iv), c)
	}
	construct := aes.NewCipher
	if c == TripleDES {
		construct = des.NewTripleDESCipher
	}
	block, err := construct(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return block, nil
}

func padded(n, block int) int { return (n + block - 1) / block * block }

package keymat

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"slices"
)

// BlockSize is the block size of AES in octets.
const BlockSize = aes.BlockSize

// ErrKey means that a key or an IV has a length that the cipher does not have.
var ErrKey = errors.New("keymat: wrong length of key or IV")

// ErrBlocks means that a ciphertext is not a whole number of blocks.
var ErrBlocks = errors.New("keymat: ciphertext is not a whole number of blocks")

// EncryptCBC encrypts what follows the header of an ISAKMP message with AES, padded with zeros to whole blocks, none if it
// is already so (RFC 2409 appendix B). nextIV is the last block of the ciphertext, or iv if there is none; it shares no
// memory with ciphertext. The key has 16, 24 or 32 octets, the IV 16; otherwise the error is ErrKey.
func EncryptCBC(key, iv, plain []byte) (ciphertext, nextIV []byte, err error) {
	ciphertext, err = AppendEncryptCBC(make([]byte, 0, padded(len(plain))), key, iv, plain)
	if err != nil {
		return nil, nil, err
	}
	return ciphertext, NextIV(iv, ciphertext), nil
}

// DecryptCBC is the reverse of EncryptCBC; the padding remains in plain, since only the payload chain tells where it
// begins. The error is ErrKey or ErrBlocks.
func DecryptCBC(key, iv, ciphertext []byte) (plain, nextIV []byte, err error) {
	plain, err = AppendDecryptCBC(make([]byte, 0, len(ciphertext)), key, iv, ciphertext)
	if err != nil {
		return nil, nil, err
	}
	return plain, NextIV(iv, ciphertext), nil
}

// AppendEncryptCBC appends the ciphertext of plain, zero-padded to whole blocks, to dst. Plain and the free space of dst
// must not overlap.
func AppendEncryptCBC(dst, key, iv, plain []byte) ([]byte, error) {
	block, err := newAES(key, iv)
	if err != nil {
		return dst, err
	}
	start := len(dst)
	dst = append(dst, plain...)
	for len(dst)-start < padded(len(plain)) {
		dst = append(dst, 0)
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(dst[start:], dst[start:])
	return dst, nil
}

// AppendDecryptCBC appends the plaintext of ciphertext, padding included, to dst. Ciphertext and the free space of dst must
// not overlap.
func AppendDecryptCBC(dst, key, iv, ciphertext []byte) ([]byte, error) {
	block, err := newAES(key, iv)
	if err != nil {
		return dst, err
	}
	if len(ciphertext)%BlockSize != 0 {
		return dst, fmt.Errorf("%w: %d octets", ErrBlocks, len(ciphertext))
	}
	start := len(dst)
	dst = append(dst, ciphertext...)
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(dst[start:], dst[start:])
	return dst, nil
}

// NextIV is the IV after a message: a copy of the last block of its ciphertext, or of iv if there is none.
func NextIV(iv, ciphertext []byte) []byte {
	if len(ciphertext) < BlockSize {
		return slices.Clone(iv)
	}
	return slices.Clone(ciphertext[len(ciphertext)-BlockSize:])
}

func newAES(key, iv []byte) (cipher.Block, error) {
	if len(iv) != BlockSize {
		return nil, fmt.Errorf("%w: IV of %d octets", ErrKey, len(iv))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return block, nil
}

func padded(n int) int { return (n + BlockSize - 1) / BlockSize * BlockSize }

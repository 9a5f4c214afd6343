package esp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/gdoilab/gdoilab/reference/rule"
)

const (
	icvLenHMAC = 16 // the first half of the HMAC (RFC 4868 §2.3)
	icvLenOld  = 12 // what some old implementations send instead; only a mutant does
)

// blockMode is a cipher.BlockMode that can be given another IV; that of AES in CBC mode can.
type blockMode interface {
	cipher.BlockMode
	SetIV(iv []byte)
}

// cbc is AES-CBC (RFC 3602) with HMAC-SHA-256-128 (RFC 4868) over everything from the SPI to the Next Header.
type cbc struct {
	rules    *rule.Switches
	rand     io.Reader
	encrypt  blockMode
	decrypt  blockMode
	mac      hash.Hash
	sum      [sha256.Size]byte
	predicts uint64 // IV of a mutant
}

func newCBC(key, integrityKey []byte, o Options) (*cbc, error) {
	if o.Rand == nil {
		return nil, fmt.Errorf("%w: AES-CBC needs a source of randomness", ErrTransform)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTransform, err)
	}
	var zero [aes.BlockSize]byte
	encrypt, ok1 := cipher.NewCBCEncrypter(block, zero[:]).(blockMode)
	decrypt, ok2 := cipher.NewCBCDecrypter(block, zero[:]).(blockMode)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("%w: this AES-CBC cannot change its IV", ErrTransform)
	}
	return &cbc{rules: o.Rules, rand: o.Rand, encrypt: encrypt, decrypt: decrypt, mac: hmac.New(sha256.New, integrityKey)}, nil
}

// iv draws a random IV, so that nobody can foretell it (RFC 3602 §3).
func (c *cbc) iv(iv []byte) error {
	if !guardRandomIV.Kept(c.rules) {
		c.predicts++
		clear(iv)
		binary.BigEndian.PutUint64(iv[aes.BlockSize-8:], c.predicts)
		return nil
	}
	if _, err := io.ReadFull(c.rand, iv); err != nil {
		return fmt.Errorf("random IV: %w", err)
	}
	return nil
}

func (c *cbc) seal(packet []byte, icvLen int) {
	end := len(packet) - icvLen
	body := packet[headerLen+aes.BlockSize : end]
	c.encrypt.SetIV(packet[headerLen : headerLen+aes.BlockSize])
	c.encrypt.CryptBlocks(body, body)
	copy(packet[end:], c.digest(packet[:end]))
}

func (c *cbc) open(dst, packet []byte) ([]byte, error) {
	end := len(packet) - icvLenHMAC
	if !guardICV.Holds(c.rules, hmac.Equal(c.digest(packet[:end])[:icvLenHMAC], packet[end:])) {
		return dst, guardICV.Violated("ESP SPI %08x sequence %d: the ICV does not verify",
			binary.BigEndian.Uint32(packet), binary.BigEndian.Uint32(packet[4:]))
	}
	body := packet[headerLen+aes.BlockSize : end]
	start := len(dst)
	dst = slices.Grow(dst, len(body))[:start+len(body)]
	c.decrypt.SetIV(packet[headerLen : headerLen+aes.BlockSize])
	c.decrypt.CryptBlocks(dst[start:], body)
	return dst, nil
}

// digest is the whole HMAC of the octets, valid until the next call.
func (c *cbc) digest(octets []byte) []byte {
	c.mac.Reset()
	c.mac.Write(octets)
	return c.mac.Sum(c.sum[:0])
}

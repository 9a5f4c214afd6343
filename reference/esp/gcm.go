package esp

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/rule"
)

const ivLenGCM = 8

// gcm is AES-GCM with a 16-octet ICV (RFC 4106): nonce = salt | IV, additional data = SPI | sequence number.
type gcm struct {
	rules   *rule.Switches
	block   cipher.Block
	aead    cipher.AEAD
	counter counter
	nonce   [saltLen + ivLenGCM]byte
}

func newGCM(keyAndSalt []byte, o Options) (*gcm, error) {
	cut := len(keyAndSalt) - saltLen
	block, err := aes.NewCipher(keyAndSalt[:cut])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTransform, err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTransform, err)
	}
	g := &gcm{rules: o.Rules, block: block, aead: aead}
	copy(g.nonce[:], keyAndSalt[cut:])
	g.counter, err = newCounter(o)
	return g, err
}

func (g *gcm) iv(iv []byte) error { return g.counter.next(iv) }

func (g *gcm) seal(packet []byte, icvLen int) {
	aad := packet[:headerLen]
	if !guardAAD.Kept(g.rules) {
		aad = nil
	}
	body := packet[headerLen+ivLenGCM : len(packet)-icvLen]
	copy(g.nonce[saltLen:], packet[headerLen:])
	g.aead.Seal(body[:0], g.nonce[:], body, aad)
}

func (g *gcm) open(dst, packet []byte) ([]byte, error) {
	copy(g.nonce[saltLen:], packet[headerLen:headerLen+ivLenGCM])
	sealed := packet[headerLen+ivLenGCM:]
	plain, err := g.aead.Open(dst, g.nonce[:], sealed, packet[:headerLen])
	if err == nil {
		return plain, nil
	}
	if !guardTag.Holds(g.rules, false) {
		return dst, guardTag.Violated("ESP SPI %08x sequence %d is not authentic",
			binary.BigEndian.Uint32(packet), binary.BigEndian.Uint32(packet[4:]))
	}
	return g.decrypt(dst, sealed[:len(sealed)-g.aead.Overhead()]), nil
}

// decrypt is counter mode alone, for the mutant that does not authenticate: GCM encrypts with counter blocks from 2.
func (g *gcm) decrypt(dst, ciphertext []byte) []byte {
	var first [aes.BlockSize]byte
	copy(first[:], g.nonce[:])
	first[aes.BlockSize-1] = 2
	start := len(dst)
	dst = slices.Grow(dst, len(ciphertext))[:start+len(ciphertext)]
	cipher.NewCTR(g.block, first[:]).XORKeyStream(dst[start:], ciphertext)
	return dst
}

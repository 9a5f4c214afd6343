package esp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"slices"
)

const (
	saltLen = 4 // follows the key of GCM and GMAC (RFC 4106 §8.1, RFC 4543 §5.4)
	ivLen   = 8 // of both

	// leastTag is the shortest tag that crypto/cipher makes.
	leastTag = 12
	fullTag  = 16
)

// keyed is what the modes of GCM have in common: nonce = salt | IV, where the IVs are counted (RFC 4106 §3.1 and §4, RFC 4543
// §3.1 and §3.2).
type keyed struct {
	counter
	key   []byte
	tag   int
	block cipher.Block // nil before the first packet, like aead
	aead  cipher.AEAD
	esn   bool
	nonce [saltLen + ivLen]byte
	head  [headerLen + 4]byte // SPI and sequence number of 64 bits
}

func newKeyed(p parts, tag int) (k keyed, err error) {
	cut := len(p.CipherKey) - saltLen
	k.key, k.tag, k.esn = p.CipherKey[:cut], tag, p.esn
	copy(k.nonce[:], p.CipherKey[cut:])
	k.counter, err = newCounter(p.Options)
	return k, err
}

// cipher is the mode at work, made for the first packet: its tables are most of an SA, and of the SAs that a large group is given in a
// simulated day hardly one carries anything.
func (k *keyed) cipher() cipher.AEAD {
	if k.aead == nil {
		k.schedule()
	}
	return k.aead
}

// schedule expands the key. Its length and that of the tag have been checked, so that nothing can fail.
func (k *keyed) schedule() {
	k.block, _ = aes.NewCipher(k.key)
	k.aead, _ = cipher.NewGCMWithTagSize(k.block, k.tag)
}

func (k *keyed) iv(iv []byte) error { return k.counter.next(iv) }

// nonceOf is the nonce of a packet, valid until the next call.
func (k *keyed) nonceOf(packet []byte) []byte {
	copy(k.nonce[saltLen:], packet[headerLen:headerLen+ivLen])
	return k.nonce[:]
}

// header is SPI and sequence number as they are authenticated (RFC 4106 §5): as they are sent, or with the upper half between
// them. It is valid until the next call.
func (k *keyed) header(packet []byte, high uint32) []byte {
	if !k.esn {
		return packet[:headerLen]
	}
	copy(k.head[:4], packet)
	binary.BigEndian.PutUint32(k.head[4:], high)
	copy(k.head[8:], packet[4:headerLen])
	return k.head[:]
}

// decrypt is counter mode alone, for a mutant that does not authenticate: GCM encrypts with counter blocks from 2.
func (k *keyed) decrypt(dst, ciphertext []byte) []byte {
	var first [aes.BlockSize]byte
	copy(first[:], k.nonce[:])
	first[aes.BlockSize-1] = 2
	start := len(dst)
	dst = slices.Grow(dst, len(ciphertext))[:start+len(ciphertext)]
	cipher.NewCTR(k.block, first[:]).XORKeyStream(dst[start:], ciphertext)
	return dst
}

// gcm is AES-GCM with an ICV of 16 or 12 octets (RFC 4106): additional data = SPI | sequence number.
type gcm struct{ keyed }

func newGCM(p parts) (*gcm, error) {
	k, err := newKeyed(p, p.form.ICV)
	return &gcm{k}, err
}

func (g *gcm) seal(out []byte, start int, high uint32) {
	packet := out[start:]
	body := packet[headerLen+ivLen : len(packet)-g.cipher().Overhead()]
	g.cipher().Seal(body[:0], g.nonceOf(packet), body, g.sealHeader(packet, high))
}

// sealHeader is header, but for a sender that neglects it.
func (k *keyed) sealHeader(packet []byte, high uint32) []byte {
	if !guardAAD.Kept(k.rules) {
		return nil
	}
	return k.header(packet, high)
}

func (g *gcm) open(dst, packet []byte, high uint32) ([]byte, error) {
	sealed := packet[headerLen+ivLen:]
	plain, err := g.cipher().Open(dst, g.nonceOf(packet), sealed, g.header(packet, high))
	if err == nil {
		return plain, nil
	}
	if !guardTag.Holds(g.rules, false) {
		return dst, refused(guardTag, packet)
	}
	return g.decrypt(dst, sealed[:len(sealed)-g.cipher().Overhead()]), nil
}

// shortGCM is AES-GCM with an ICV of 8 octets (RFC 4106 §6), of which crypto/cipher makes at least 12 and verifies no less.
// So the receiver encrypts once more what it has decrypted, and compares what the tag begins with.
type shortGCM struct {
	keyed
	again []byte // the packet as it is encrypted once more
}

func newShortGCM(p parts) (*shortGCM, error) {
	k, err := newKeyed(p, leastTag)
	return &shortGCM{keyed: k}, err
}

func (g *shortGCM) seal(out []byte, start int, high uint32) {
	packet := out[start:]
	body := packet[headerLen+ivLen : len(packet)-g.cipher().Overhead()]
	g.cipher().Seal(body[:0], g.nonceOf(packet), body, g.sealHeader(packet, high))
}

const shortICV = 8

func (g *shortGCM) open(dst, packet []byte, high uint32) ([]byte, error) {
	nonce, end := g.nonceOf(packet), len(packet)-shortICV
	body := packet[headerLen+ivLen : end]
	// Counter mode is its own reverse; the tag of this first turn is of no use.
	plain := g.cipher().Seal(dst, nonce, body, nil)[:len(dst)+len(body)]
	g.again = g.cipher().Seal(g.again[:0], nonce, plain[len(dst):], g.header(packet, high))
	if !guardTag.Holds(g.rules, subtle.ConstantTimeCompare(g.again[len(body):len(body)+shortICV], packet[end:]) == 1) {
		clear(plain[len(dst):])
		return dst, refused(guardTag, packet)
	}
	return plain, nil
}

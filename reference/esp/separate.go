package esp

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/binary"
	"hash"
	"slices"

	"github.com/gdoilab/gdoilab/reference/rule"
)

// encryption is the one half of separate.
type encryption interface {
	iv(iv []byte) error
	// encrypt works in place.
	encrypt(iv, body []byte)
	// decrypt fills dst, which is as long as body.
	decrypt(dst, iv, body []byte)
}

// separate is an encryption algorithm with an HMAC beside it: the ICV covers everything from the SPI to the Next Header, and
// behind that the upper half of an extended sequence number, which is not sent (RFC 4303 §3.3.2.1).
type separate struct {
	encryption
	rules *rule.Switches
	mac   hash.Hash
	esn   bool
	ivLen int
	icv   int
	sum   [sha512.Size]byte
	upper [4]byte
}

func newSeparate(p parts, encryptionOf func(parts) (encryption, error)) (*separate, error) {
	e, err := encryptionOf(p)
	return &separate{encryption: e, rules: p.Rules, mac: hmac.New(p.mac.hash, p.IntegrityKey), esn: p.esn,
		ivLen: p.form.IV, icv: p.Transform.ICVLen()}, err
}

// cut divides a packet.
func (s *separate) cut(packet []byte) (authentic, iv, body, icv []byte) {
	start, end := headerLen+s.ivLen, len(packet)-s.icv
	return packet[:end], packet[headerLen:start], packet[start:end], packet[end:]
}

func (s *separate) seal(out []byte, start int, high uint32) {
	packet := out[start:]
	authentic, iv, body, icv := s.cut(packet)
	s.encrypt(iv, body)
	copy(icv, s.digest(authentic, high))
}

func (s *separate) open(dst, packet []byte, high uint32) ([]byte, error) {
	authentic, iv, body, icv := s.cut(packet)
	if !guardICV.Holds(s.rules, hmac.Equal(s.digest(authentic, high)[:s.icv], icv)) {
		return dst, refused(guardICV, packet)
	}
	start := len(dst)
	dst = slices.Grow(dst, len(body))[:start+len(body)]
	s.decrypt(dst[start:], iv, body)
	return dst, nil
}

// digest is the whole HMAC of the octets, valid until the next call.
func (s *separate) digest(octets []byte, high uint32) []byte {
	s.mac.Reset()
	s.mac.Write(octets)
	if s.esn {
		binary.BigEndian.PutUint32(s.upper[:], high)
		s.mac.Write(s.upper[:])
	}
	return s.mac.Sum(s.sum[:0])
}

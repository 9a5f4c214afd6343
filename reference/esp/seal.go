package esp

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

const trailerLen = 2 // Pad Length and Next Header

// Seal appends to dst the ESP packet that protects payload, without an IP header (RFC 4303 §3.3). Payload must not overlap
// the free space of dst, which should have room for Overhead more octets than payload, and for four more where the ICV has
// eight.
//
// When the SA can send no more the error wraps ErrExhausted, and holds a *rule.Violation if the limit is one of a
// requirement; without a SID it wraps ErrNoSID. On any error dst is returned as it was and nothing has been used up.
func (s *SA) Seal(dst, payload []byte, next uint8) ([]byte, error) {
	if err := s.exhausted(); err != nil {
		return dst, err
	}
	pad := s.padLen(len(payload))
	bodyStart := headerLen + s.sizes.iv
	bodyEnd := bodyStart + len(payload) + pad + trailerLen
	out := slices.Grow(dst, bodyEnd+s.sizes.made)[:len(dst)+bodyEnd+s.sizes.made]
	packet := out[len(dst):]
	if err := s.suite.iv(packet[headerLen:bodyStart]); err != nil {
		return dst, fmt.Errorf("esp: SPI %08x: %w", s.spi, err)
	}
	binary.BigEndian.PutUint32(packet, s.spi)
	sequence := s.nextSequence()
	binary.BigEndian.PutUint32(packet[4:], uint32(sequence))
	body := packet[bodyStart:bodyEnd]
	copy(body, payload)
	s.putTrailer(body[len(payload):], pad, next)
	s.suite.seal(out, len(dst), uint32(sequence>>32))
	return out[:len(dst)+bodyEnd+s.sentICV()], nil
}

// sentICV is how much is sent of the ICV that the suite has made.
func (s *SA) sentICV() int {
	if !s.sizes.cut.Kept(s.rules) {
		return s.sizes.icv - shorter
	}
	return s.sizes.icv
}

// shorter is by how many octets a mutant cuts an ICV too short, as some old implementations do with HMAC-SHA-256.
const shorter = 4

// exhausted refuses to send when the numbers have come to their end and somebody may look at them.
func (s *SA) exhausted() error {
	last := uint64(math.MaxUint32)
	if s.esn {
		last = math.MaxUint64
	}
	if s.replay && !guardCycle.Holds(s.rules, s.sent < last) {
		return fmt.Errorf("%w: %w", ErrExhausted, guardCycle.Violated("ESP SPI %08x has sent its last sequence number, %d", s.spi, s.sent))
	}
	return nil
}

// nextSequence counts the packet. Without replay protection the 32 bits roll over, as groups with many senders need
// (RFC 4303 §3.3.3).
func (s *SA) nextSequence() uint64 {
	next := s.sent + 1
	if guardSequence.Kept(s.rules) {
		s.sent = next
	}
	if !guardFirst.Kept(s.rules) {
		next--
	}
	return next
}

// padLen is the least padding that fills up the last block (RFC 4303 §2.4).
func (s *SA) padLen(payloadLen int) int {
	mask := s.sizes.align - 1 // align is a power of two
	return -(payloadLen + trailerLen) & mask
}

func (s *SA) putTrailer(trailer []byte, pad int, next uint8) {
	kept := guardPadContents.Kept(s.rules)
	for i := range pad {
		trailer[i] = byte(i + 1)
		if !kept {
			trailer[i] = 0
		}
	}
	trailer[pad] = byte(pad)
	trailer[pad+1] = next
}

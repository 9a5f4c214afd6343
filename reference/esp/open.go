package esp

import (
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/rule"
)

// Open checks an ESP packet, from SPI to ICV, and appends its payload to dst (RFC 4303 §3.4). The free space of dst must
// not overlap the packet. The error is a *rule.Violation: replay, too old, not authentic, wrong padding. Then dst is
// returned as it was, and nothing has changed except after wrong padding, whose packet was authentic.
//
// A dummy packet is no error: next is NextNone and the caller drops it (RFC 4303 §2.6).
func (s *SA) Open(dst, packet []byte) (payload []byte, next uint8, err error) {
	if !s.complete(packet) {
		return dst, 0, guardICV.Violated("ESP SPI %08x: %d octets cannot be a packet of this SA", s.spi, len(packet))
	}
	sequence := s.sequence(binary.BigEndian.Uint32(packet[4:]))
	if v := s.admit(sequence); v != nil {
		return dst, 0, v
	}
	if !guardMarkAfter.Kept(s.rules) {
		s.window.Mark(sequence)
	}
	plain, err := s.suite.open(dst, packet, uint32(sequence>>32))
	if err != nil {
		if plain, sequence, err = s.openAhead(dst, packet, sequence, err); err != nil {
			return dst, 0, err
		}
	}
	s.accept(sequence)
	return s.unpad(plain, len(dst), sequence)
}

// OpenPacket is Open for a whole IP packet in which ESP begins at an octet.
func (s *SA) OpenPacket(dst, packet []byte, at int) (payload []byte, next uint8, err error) {
	return s.Open(dst, packet[at:])
}

// Read opens a packet as Open does, but for somebody who only watches: without replay protection, and with the upper half of
// an extended sequence number given.
func (s *SA) Read(dst, packet []byte, high uint32) (payload []byte, next uint8, err error) {
	if !s.complete(packet) {
		return dst, 0, guardICV.Violated("ESP SPI %08x: %d octets cannot be a packet of this SA", s.spi, len(packet))
	}
	plain, err := s.suite.open(dst, packet, high)
	if err != nil {
		return dst, 0, err
	}
	return s.unpad(plain, len(dst), uint64(high)<<32|uint64(binary.BigEndian.Uint32(packet[4:])))
}

// sequence is the whole number of a packet whose lower half was received (RFC 4303 appendix A2).
func (s *SA) sequence(low uint32) uint64 {
	switch {
	case !s.esn:
		return uint64(low)
	case !guardHigh.Kept(s.rules):
		return s.window.Top()&^0xffffffff | uint64(low)
	}
	return s.window.Extend(low)
}

// complete reports whether the packet has room for everything that this SA's packets have, in whole blocks.
func (s *SA) complete(packet []byte) bool {
	body := len(packet) - headerLen - s.sizes.iv - s.sizes.icv
	return body >= s.sizes.align && body%s.sizes.align == 0
}

// admit is the first check of a received packet: is its number one that may still come?
func (s *SA) admit(sequence uint64) *rule.Violation {
	if !s.replay {
		return nil
	}
	top, size := s.window.Top(), uint64(s.window.Size())
	if top >= size && !guardWindow.Above(s.rules, sequence, top-size) {
		return guardWindow.Violated("ESP SPI %08x: sequence %d is older than the window of %d below %d", s.spi, sequence, size, top)
	}
	if !guardReplay.Holds(s.rules, sequence != 0 && !s.window.Seen(sequence)) {
		return guardReplay.Violated("ESP SPI %08x: sequence %d is a replay", s.spi, sequence)
	}
	return nil
}

// Repeated reports whether a violation is that of the replay window.
func Repeated(v *rule.Violation) bool { return v.Guard == guardReplay || v.Guard == guardWindow }

// accept notes the number of a packet that is authentic.
func (s *SA) accept(sequence uint64) {
	if s.replay {
		s.window.Mark(sequence)
		s.resync.failed = 0
	}
}

// unpad cuts padding, Pad Length and Next Header off plain, whose first start octets are the caller's.
func (s *SA) unpad(plain []byte, start int, sequence uint64) ([]byte, uint8, error) {
	end := len(plain) - trailerLen
	pad, next := int(plain[end]), plain[end+1]
	if !guardPadding.Holds(s.rules, end-pad >= start && counts(plain[max(start, end-pad):end])) {
		return plain[:start], 0, guardPadding.Violated("ESP SPI %08x sequence %d: wrong padding, length %d", s.spi, sequence, pad)
	}
	return plain[:max(start, end-pad)], next, nil
}

// counts reports whether the octets are 1, 2, 3, and so on.
func counts(padding []byte) bool {
	for i, b := range padding {
		if b != byte(i+1) {
			return false
		}
	}
	return true
}

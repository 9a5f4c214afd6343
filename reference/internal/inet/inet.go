// Package inet makes Internet checksums (RFC 1071).
package inet

import (
	"encoding/binary"
	"math/bits"
)

// Checksum is the checksum of b; 0 if b holds a right one.
func Checksum(b []byte) uint16 { return ^Fold(Sum(b)) }

// Sum adds up the 16-bit words of b. It takes four of them at a time and in the machine's own order, since what is carried comes back
// where it belongs, in either order (RFC 1071 §2). Sums may be added to each other.
func Sum(b []byte) uint32 {
	var s, carry uint64
	for len(b) >= 64 {
		w := b[:64]
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(w), 0)
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(w[8:]), carry)
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(w[16:]), carry)
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(w[24:]), carry)
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(w[32:]), carry)
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(w[40:]), carry)
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(w[48:]), carry)
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(w[56:]), carry)
		s, carry = bits.Add64(s, 0, carry)
		s += carry
		b = b[64:]
	}
	if len(b) >= 32 {
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(b), 0)
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(b[8:]), carry)
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(b[16:]), carry)
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(b[24:]), carry)
		s, carry = bits.Add64(s, 0, carry)
		s += carry
		b = b[32:]
	}
	if len(b) >= 16 {
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(b), 0)
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(b[8:]), carry)
		s, carry = bits.Add64(s, 0, carry)
		s += carry
		b = b[16:]
	}
	if len(b) >= 8 {
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(b), 0)
		s += carry
		b = b[8:]
	}
	var last uint64 // no more than three numbers of 32 bits
	if len(b) >= 4 {
		last = uint64(binary.LittleEndian.Uint32(b))
		b = b[4:]
	}
	if len(b) >= 2 {
		last += uint64(binary.LittleEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) > 0 {
		last += uint64(b[0])
	}
	s, carry = bits.Add64(s, last, 0)
	return uint32(bits.ReverseBytes16(fold(s + carry)))
}

// fold makes a sum of 64 bits as short as a checksum.
func fold(s uint64) uint16 {
	s = s>>32 + s&0xffffffff
	s = s>>16&0xffff + s&0xffff + s>>32
	s = s>>16 + s&0xffff
	return uint16(s>>16 + s)
}

// Fold makes a sum as short as a checksum.
func Fold(s uint32) uint16 {
	for s>>16 != 0 {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

// Protocol numbers, and where the checksum is in the header of each.
const (
	TCP, UDP  = 6, 17
	TCPOffset = 16
	UDPOffset = 6
)

// The addresses of an IP header.
const (
	headerLen  = 20
	header6Len = 40
	offSource  = 12
	off6Source = 8
)

// Pseudo is the sum over the pseudo-header of what follows the IP headers of a packet, of that protocol and length (RFC 9293 §3.1,
// RFC 768, RFC 8200 §8.1).
func Pseudo(packet []byte, protocol uint8, length int) uint32 {
	addresses := packet[offSource:headerLen]
	if packet[0]>>4 == 6 {
		addresses = packet[off6Source:header6Len]
	}
	return Sum(addresses) + uint32(protocol) + uint32(length)
}

// SetChecksum makes the checksum of a TCP or UDP header that begins at an octet of a packet, over the pseudo-header too. Where it would
// be 0, which in UDP stands for none, it is all ones.
func SetChecksum(packet []byte, at int, protocol uint8) {
	offset := TCPOffset
	if protocol == UDP {
		offset = UDPOffset
	}
	field := packet[at+offset:]
	field[0], field[1] = 0, 0
	made := ^Fold(Pseudo(packet, protocol, len(packet)-at) + Sum(packet[at:]))
	if made == 0 && protocol == UDP {
		made = 0xffff
	}
	binary.BigEndian.PutUint16(field, made)
}

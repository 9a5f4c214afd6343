package lab

import (
	"encoding/binary"
	"net/netip"
)

// IPv4 is an IPv4 packet (RFC 791 §3.1).
type IPv4 struct {
	Source, Destination netip.Addr
	Protocol            uint8
	TTL                 uint8
	TOS                 uint8 // DSCP and ECN
	ID                  uint16
	Fragment            bool // one of several: what MoreFragments and Offset say
	DontFragment        bool
	MoreFragments       bool
	Offset              int    // of a fragment, in octets
	Options             []byte // a multiple of four octets
	Payload             []byte
}

const ipv4Header = 20

// ParseIPv4 reads a packet; it reports false for anything that is not a whole IPv4 packet.
func ParseIPv4(packet []byte) (IPv4, bool) {
	if len(packet) < ipv4Header || packet[0]>>4 != 4 {
		return IPv4{}, false
	}
	head, total := int(packet[0]&15)*4, int(packet[2])<<8|int(packet[3])
	if head < ipv4Header || total < head || total > len(packet) {
		return IPv4{}, false
	}
	flags := binary.BigEndian.Uint16(packet[6:])
	return IPv4{
		Source:        netip.AddrFrom4([4]byte(packet[12:16])),
		Destination:   netip.AddrFrom4([4]byte(packet[16:20])),
		Protocol:      packet[9],
		TTL:           packet[8],
		TOS:           packet[1],
		ID:            binary.BigEndian.Uint16(packet[4:]),
		Fragment:      flags&(flagMore|maskOffset) != 0,
		DontFragment:  flags&flagDont != 0,
		MoreFragments: flags&flagMore != 0,
		Offset:        int(flags&maskOffset) * 8,
		Options:       packet[ipv4Header:head:head],
		Payload:       packet[head:total],
	}, true
}

const (
	flagDont   = 0x4000
	flagMore   = 0x2000
	maskOffset = 0x1fff
)

// Bytes is the packet with a right length and checksum. A TTL of 0 becomes 64; MoreFragments and Offset count, Fragment
// does not.
func (p IPv4) Bytes() []byte {
	head := ipv4Header + len(p.Options)
	b := make([]byte, ipv4Header, head+len(p.Payload))
	b[0], b[1], b[8], b[9] = 4<<4|byte(head/4), p.TOS, p.TTL, p.Protocol
	if p.TTL == 0 {
		b[8] = 64
	}
	binary.BigEndian.PutUint16(b[2:], uint16(head+len(p.Payload)))
	binary.BigEndian.PutUint16(b[4:], p.ID)
	flags := uint16(p.Offset/8) & maskOffset
	if p.DontFragment {
		flags |= flagDont
	}
	if p.MoreFragments {
		flags |= flagMore
	}
	binary.BigEndian.PutUint16(b[6:], flags)
	copy(b[12:], p.Source.AsSlice())
	copy(b[16:], p.Destination.AsSlice())
	b = append(b, p.Options...)
	binary.BigEndian.PutUint16(b[10:], Checksum(b))
	return append(b, p.Payload...)
}

// Packet is what the packet has in common with those of IPv6.
func (p IPv4) Packet() Packet {
	return Packet{p.Source, p.Destination, p.Protocol, p.Fragment, p.Payload, p.TOS}
}

// UDP returns the ports and data of an unfragmented UDP packet.
func (p IPv4) UDP() (from, to netip.AddrPort, data []byte, ok bool) { return p.Packet().UDP() }

// SPI returns the SPI and sequence number of an unfragmented ESP packet, in UDP or not.
func (p IPv4) SPI() (spi, sequence uint32, ok bool) { return p.Packet().SPI() }

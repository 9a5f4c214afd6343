package lab

import (
	"encoding/binary"
	"net/netip"
)

// IPv6 is an IPv6 packet (RFC 8200 §3).
type IPv6 struct {
	Source, Destination netip.Addr
	Protocol            uint8 // of the payload: the last Next Header that was followed
	HopLimit            uint8
	TrafficClass        uint8  // DSCP and ECN
	FlowLabel           uint32 // 20 bits
	Extensions          []Extension
	Fragment            bool // one of several: what ID, MoreFragments and Offset say
	MoreFragments       bool
	ID                  uint32
	Offset              int    // of a fragment, in octets
	Payload             []byte // of a fragment: all behind the Fragment header
}

// Extension is an extension header in front of the payload, or of the Fragment header: Hop-by-Hop Options, Routing or
// Destination Options (RFC 8200 §4).
type Extension struct {
	Type uint8
	Data []byte // without Next Header and length: six octets, or eight more or a multiple of it
}

const (
	ipv6Header     = 40
	fragmentHeader = 8
)

// The extension headers that are known (RFC 8200 §4).
const (
	extHopByHop    = 0
	extRouting     = 43
	extFragment    = 44
	extDestination = 60
)

// ParseIPv6 reads a packet; it reports false for anything that is not a whole IPv6 packet. Jumbograms are none.
func ParseIPv6(packet []byte) (IPv6, bool) {
	if len(packet) < ipv6Header || packet[0]>>4 != 6 {
		return IPv6{}, false
	}
	total := ipv6Header + int(binary.BigEndian.Uint16(packet[4:]))
	if total > len(packet) {
		return IPv6{}, false
	}
	first := binary.BigEndian.Uint32(packet)
	p := IPv6{
		Source:       netip.AddrFrom16([16]byte(packet[8:24])),
		Destination:  netip.AddrFrom16([16]byte(packet[24:40])),
		Protocol:     packet[6],
		HopLimit:     packet[7],
		TrafficClass: uint8(first >> 20),
		FlowLabel:    first & 0xfffff,
		Payload:      packet[ipv6Header:total],
	}
	return p, p.follow()
}

// follow takes extension headers from the payload, up to the Fragment header.
func (p *IPv6) follow() bool {
	for !p.Fragment {
		switch p.Protocol {
		case extHopByHop, extRouting, extDestination:
			if len(p.Payload) < 8 || len(p.Payload) < 8*(1+int(p.Payload[1])) {
				return false
			}
			length := 8 * (1 + int(p.Payload[1]))
			p.Extensions = append(p.Extensions, Extension{p.Protocol, p.Payload[2:length:length]})
			p.Protocol, p.Payload = p.Payload[0], p.Payload[length:]
		case extFragment:
			if len(p.Payload) < fragmentHeader {
				return false
			}
			place := binary.BigEndian.Uint16(p.Payload[2:])
			p.Fragment, p.MoreFragments, p.Offset = true, place&1 != 0, int(place&^7)
			p.ID = binary.BigEndian.Uint32(p.Payload[4:])
			p.Protocol, p.Payload = p.Payload[0], p.Payload[fragmentHeader:]
		default:
			return true
		}
	}
	return true
}

// Bytes is the packet with right lengths. A Hop Limit of 0 becomes 64.
func (p IPv6) Bytes() []byte {
	headers := p.headers()
	b := make([]byte, ipv6Header, ipv6Header+len(headers)+len(p.Payload))
	binary.BigEndian.PutUint32(b, 6<<28|uint32(p.TrafficClass)<<20|p.FlowLabel&0xfffff)
	binary.BigEndian.PutUint16(b[4:], uint16(len(headers)+len(p.Payload)))
	b[6], b[7] = p.firstHeader(), p.HopLimit
	if p.HopLimit == 0 {
		b[7] = 64
	}
	copy(b[8:], p.Source.AsSlice())
	copy(b[24:], p.Destination.AsSlice())
	return append(append(b, headers...), p.Payload...)
}

// firstHeader is what the IPv6 header calls next.
func (p IPv6) firstHeader() uint8 {
	switch {
	case len(p.Extensions) > 0:
		return p.Extensions[0].Type
	case p.Fragment:
		return extFragment
	}
	return p.Protocol
}

// headers are the extension headers, each naming the next.
func (p IPv6) headers() []byte {
	var b []byte
	for i, e := range p.Extensions {
		rest := IPv6{Extensions: p.Extensions[i+1:], Fragment: p.Fragment, Protocol: p.Protocol}
		b = append(b, rest.firstHeader(), uint8((len(e.Data)+2)/8-1))
		b = append(b, e.Data...)
	}
	if !p.Fragment {
		return b
	}
	place := uint16(p.Offset) &^ 7
	if p.MoreFragments {
		place |= 1
	}
	b = append(b, p.Protocol, 0)
	b = binary.BigEndian.AppendUint16(b, place)
	return binary.BigEndian.AppendUint32(b, p.ID)
}

// Packet is what the packet has in common with those of IPv4.
func (p IPv6) Packet() Packet {
	return Packet{p.Source, p.Destination, p.Protocol, p.Fragment, p.Payload, p.TrafficClass}
}

// UDP returns the ports and data of an unfragmented UDP packet.
func (p IPv6) UDP() (from, to netip.AddrPort, data []byte, ok bool) { return p.Packet().UDP() }

// SPI returns the SPI and sequence number of an unfragmented ESP packet, in UDP or not.
func (p IPv6) SPI() (spi, sequence uint32, ok bool) { return p.Packet().SPI() }

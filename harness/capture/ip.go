package capture

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
)

// The IP protocols that are told apart.
const (
	protocolICMP   = 1
	protocolIGMP   = 2
	protocolIPIP   = 4
	protocolTCP    = 6
	protocolUDP    = 17
	protocolIPv6   = 41
	protocolESP    = 50
	protocolAH     = 51
	protocolICMPv6 = 58
)

var protocolNames = map[uint8]string{protocolICMP: "ICMP", protocolIGMP: "IGMP", protocolIPIP: "IPv4", protocolTCP: "TCP",
	protocolUDP: "UDP", protocolIPv6: "IPv6", protocolESP: "ESP", protocolAH: "AH", protocolICMPv6: "ICMPv6"}

// packet is an IPv4 or IPv6 packet (RFC 791 §3.1, RFC 8200 §3). Its slices alias the octets.
type packet struct {
	version             uint8
	source, destination netip.Addr
	protocol            uint8 // of the payload, in IPv6 the one behind the extension headers
	tos, ttl            uint8 // or Traffic Class and Hop Limit
	flowLabel           uint32
	id                  uint32 // in IPv6 that of a fragment
	dontFragment, more  bool
	fragmented          bool        // in IPv6: there is a Fragment header
	offset              int         // of a fragment, in octets
	extensions          []extension // of IPv6
	header              int         // length in octets, with the extension headers
	octets              []byte      // the header, as it stood in front of the payload
	payload             []byte
}

// whole is the packet as its source sent it: without padding behind it, and put together of its fragments.
func (p *packet) whole() []byte {
	b := slices.Concat(p.octets, p.payload)
	if p.version == 6 {
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)-ipv6Header))
		return b
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// parseIP reads a packet of either version.
func parseIP(b []byte) (packet, error) {
	if len(b) > 0 && b[0]>>4 == 6 {
		return parseIPv6(b)
	}
	return parseIPv4(b)
}

// parseIPv4 reads a packet. Octets after its total length, such as the padding of a short Ethernet frame, are cut off; a
// packet that ends before it is refused.
func parseIPv4(b []byte) (packet, error) {
	if len(b) < 20 || b[0]>>4 != 4 {
		return packet{}, fmt.Errorf("not an IPv4 packet: %d octets", len(b))
	}
	header, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	if header < 20 || total < header || total > len(b) {
		return packet{}, fmt.Errorf("IPv4 header of %d octets in a packet of %d, captured %d", header, total, len(b))
	}
	flags := binary.BigEndian.Uint16(b[6:])
	return packet{
		version:      4,
		source:       netip.AddrFrom4([4]byte(b[12:16])),
		destination:  netip.AddrFrom4([4]byte(b[16:20])),
		protocol:     b[9],
		tos:          b[1],
		ttl:          b[8],
		id:           uint32(binary.BigEndian.Uint16(b[4:])),
		dontFragment: flags&0x4000 != 0,
		more:         flags&0x2000 != 0,
		offset:       int(flags&0x1fff) * 8,
		header:       header,
		octets:       b[:header:header],
		payload:      b[header:total],
	}, nil
}

func (p *packet) fragment() bool { return p.more || p.offset != 0 || p.fragmented }

// udp returns ports and data of a UDP datagram.
func (p *packet) udp() (from, to netip.AddrPort, data []byte, ok bool) {
	from, to = p.endpoints()
	if p.protocol != protocolUDP || len(p.payload) < 8 {
		return from, to, nil, false
	}
	length := int(binary.BigEndian.Uint16(p.payload[4:]))
	if length < 8 || length > len(p.payload) {
		return from, to, nil, false
	}
	return from, to, p.payload[8:length], true
}

// endpoints are sender and receiver, with ports for UDP and TCP.
func (p *packet) endpoints() (from, to netip.AddrPort) {
	var source, destination uint16
	if (p.protocol == protocolUDP || p.protocol == protocolTCP) && len(p.payload) >= 4 && p.offset == 0 {
		source, destination = binary.BigEndian.Uint16(p.payload), binary.BigEndian.Uint16(p.payload[2:])
	}
	return netip.AddrPortFrom(p.source, source), netip.AddrPortFrom(p.destination, destination)
}

// protocolName names an IP protocol.
func protocolName(p uint8) string {
	if name, ok := protocolNames[p]; ok {
		return name
	}
	return fmt.Sprintf("protocol %d", p)
}

// what is the packet's upper part on one line: "ICMP echo request id 7 seq 1".
func (p *packet) what() string {
	name, b := protocolName(p.protocol), p.payload
	switch {
	case p.fragment():
		return fmt.Sprintf("%s fragment at %d", name, p.offset)
	case p.protocol == protocolICMP && len(b) >= 8:
		return fmt.Sprintf("ICMP %s", icmpText(b))
	case p.protocol == protocolICMPv6 && len(b) >= 8:
		return fmt.Sprintf("ICMPv6 %s", icmpv6Text(b))
	case (p.protocol == protocolUDP || p.protocol == protocolTCP) && len(b) >= 4:
		return fmt.Sprintf("%s %d -> %d", name, binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]))
	}
	return name
}

func icmpText(b []byte) string {
	pair := fmt.Sprintf(" id %d seq %d", binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:]))
	switch {
	case b[0] == 8:
		return "echo request" + pair
	case b[0] == 0:
		return "echo reply" + pair
	case b[0] == 3 && b[1] == 4:
		return fmt.Sprintf("fragmentation needed, MTU %d", binary.BigEndian.Uint16(b[6:]))
	case b[0] == 3:
		return fmt.Sprintf("unreachable, code %d", b[1])
	case b[0] == 11:
		return "time exceeded"
	}
	return fmt.Sprintf("type %d code %d", b[0], b[1])
}

// field shows the packet, which begins at that offset: what its value does not say. With secret its data is protected
// data.
func (p *packet) field(at int, secret bool) Field {
	if p.version == 6 {
		return p.field6(at, secret)
	}
	f := Field{Name: "IPv4", Value: p.line(), Offset: at, Length: p.header + len(p.payload)}
	f.Children = []Field{
		{Name: "TOS", Value: hexNumber(uint64(p.tos), 2), Offset: at + 1, Length: 1},
		{Name: "Identification", Value: hexNumber(uint64(p.id), 4), Offset: at + 4, Length: 2},
		{Name: "Fragment", Value: p.fragmentText(), Offset: at + 6, Length: 2},
		{Name: "TTL", Value: strconv.Itoa(int(p.ttl)), Offset: at + 8, Length: 1},
		{Name: "Data", Value: text(p.payload, 32), Offset: at + p.header, Length: len(p.payload), Secret: secret},
	}
	return f
}

// line is the packet on one line: "10.1.0.10 -> 10.2.0.10 ICMP echo request id 7 seq 1".
func (p *packet) line() string {
	return p.source.String() + " -> " + p.destination.String() + " " + p.what()
}

func (p *packet) fragmentText() string {
	s := "offset " + strconv.Itoa(p.offset)
	if p.dontFragment {
		s += ", DF"
	}
	if p.more {
		s += ", MF"
	}
	return s
}

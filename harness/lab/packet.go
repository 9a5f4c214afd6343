package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// ProtocolESP is the IP protocol number of ESP.
const ProtocolESP = 50

// UDPPacket builds an IPv4 packet with a UDP datagram and correct checksums.
func UDPPacket(from, to netip.AddrPort, ttl uint8, data []byte) ([]byte, error) {
	ip := ipv4(from.Addr(), to.Addr(), ttl, layers.IPProtocolUDP)
	udp := &layers.UDP{SrcPort: layers.UDPPort(from.Port()), DstPort: layers.UDPPort(to.Port())}
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		return nil, fmt.Errorf("lab: UDP to %s: %w", to, err)
	}
	return serialize(ip, udp, gopacket.Payload(data))
}

// EchoPacket builds an ICMP echo request, or the reply to one.
func EchoPacket(from, to netip.Addr, reply bool, id, seq uint16, dontFragment bool, data []byte) ([]byte, error) {
	ip := ipv4(from, to, 64, layers.IPProtocolICMPv4)
	if dontFragment {
		ip.Flags = layers.IPv4DontFragment
	}
	typ := layers.CreateICMPv4TypeCode(layers.ICMPv4TypeEchoRequest, 0)
	if reply {
		typ = layers.CreateICMPv4TypeCode(layers.ICMPv4TypeEchoReply, 0)
	}
	return serialize(ip, &layers.ICMPv4{TypeCode: typ, Id: id, Seq: seq}, gopacket.Payload(data))
}

// ESPPacket builds an IPv4 packet around ESP octets.
func ESPPacket(from, to netip.Addr, esp []byte) ([]byte, error) {
	return serialize(ipv4(from, to, 64, ProtocolESP), gopacket.Payload(esp))
}

func ipv4(from, to netip.Addr, ttl uint8, protocol layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, TTL: ttl, Protocol: protocol, SrcIP: from.AsSlice(), DstIP: to.AsSlice()}
}

func serialize(ls ...gopacket.SerializableLayer) ([]byte, error) {
	buf := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...)
	if err != nil {
		return nil, fmt.Errorf("lab: packet: %w", err)
	}
	return buf.Bytes(), nil
}

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

// Checksum is the Internet checksum of the octets, 0 if they hold a right one (RFC 1071).
func Checksum(b []byte) uint16 {
	var sum uint32
	for i, octet := range b {
		sum += uint32(octet) << (8 * (1 - i&1))
	}
	for sum>>16 != 0 {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// UDP returns the ports and data of an unfragmented UDP packet.
func (p IPv4) UDP() (from, to netip.AddrPort, data []byte, ok bool) {
	if p.Protocol != 17 || p.Fragment || len(p.Payload) < 8 {
		return from, to, nil, false
	}
	u := p.Payload
	length := int(u[4])<<8 | int(u[5])
	if length < 8 || length > len(u) {
		return from, to, nil, false
	}
	from = netip.AddrPortFrom(p.Source, uint16(u[0])<<8|uint16(u[1]))
	to = netip.AddrPortFrom(p.Destination, uint16(u[2])<<8|uint16(u[3]))
	return from, to, u[8:length], true
}

// SPI returns the SPI and sequence number of an unfragmented ESP packet.
func (p IPv4) SPI() (spi, sequence uint32, ok bool) {
	if p.Protocol != ProtocolESP || p.Fragment || len(p.Payload) < 8 {
		return 0, 0, false
	}
	e := p.Payload
	return uint32(e[0])<<24 | uint32(e[1])<<16 | uint32(e[2])<<8 | uint32(e[3]),
		uint32(e[4])<<24 | uint32(e[5])<<16 | uint32(e[6])<<8 | uint32(e[7]), true
}

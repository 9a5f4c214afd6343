package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// The IP protocols that a lab has to do with.
const (
	protocolICMP   = 1
	protocolIGMP   = 2
	protocolUDP    = 17
	ProtocolESP    = 50
	protocolICMPv6 = 58
)

// UDPPacket builds an IP packet with a UDP datagram and correct checksums.
func UDPPacket(from, to netip.AddrPort, ttl uint8, data []byte) ([]byte, error) {
	h := headers.Get().(*headersOfUDP)
	defer headers.Put(h)
	ip := h.header(from.Addr(), to.Addr(), ttl, layers.IPProtocolUDP)
	h.udp = layers.UDP{SrcPort: layers.UDPPort(from.Port()), DstPort: layers.UDPPort(to.Port())}
	if err := h.udp.SetNetworkLayerForChecksum(ip); err != nil {
		return nil, fmt.Errorf("lab: UDP to %s: %w", to, err)
	}
	packet, err := serialize(ip, &h.udp, gopacket.Payload(data))
	if err == nil {
		allOnes(packet[len(packet)-len(data)-2 : len(packet)-len(data)])
	}
	return packet, err
}

// headers are those that no packet is made of now. New ones would be most of what a packet costs.
var headers = sync.Pool{New: func() any { return new(headersOfUDP) }}

type headersOfUDP struct {
	headersOfIP
	udp layers.UDP
}

// headersOfIP is room for a header of either version.
type headersOfIP struct {
	v4 layers.IPv4
	v6 layers.IPv6
}

// allOnes replaces a UDP checksum of zero, which would stand for none (RFC 768, RFC 8200 §8.1). The serializer does not.
func allOnes(checksum []byte) {
	if checksum[0] == 0 && checksum[1] == 0 {
		checksum[0], checksum[1] = 0xff, 0xff
	}
}

// EchoPacket builds an ICMP echo request, or the reply to one. An IPv6 packet is never fragmented on its way, whatever
// dontFragment says (RFC 8200 §4.5).
func EchoPacket(from, to netip.Addr, reply bool, id, seq uint16, dontFragment bool, data []byte) ([]byte, error) {
	if from.Is6() {
		return echo6(from, to, reply, id, seq, data)
	}
	ip := header(from, to, 64, layers.IPProtocolICMPv4)
	if ip, ok := ip.(*layers.IPv4); ok && dontFragment {
		ip.Flags = layers.IPv4DontFragment
	}
	typ := layers.CreateICMPv4TypeCode(layers.ICMPv4TypeEchoRequest, 0)
	if reply {
		typ = layers.CreateICMPv4TypeCode(layers.ICMPv4TypeEchoReply, 0)
	}
	return serialize(ip, &layers.ICMPv4{TypeCode: typ, Id: id, Seq: seq}, gopacket.Payload(data))
}

func echo6(from, to netip.Addr, reply bool, id, seq uint16, data []byte) ([]byte, error) {
	ip := header(from, to, 64, layers.IPProtocolICMPv6)
	typ := layers.CreateICMPv6TypeCode(layers.ICMPv6TypeEchoRequest, 0)
	if reply {
		typ = layers.CreateICMPv6TypeCode(layers.ICMPv6TypeEchoReply, 0)
	}
	icmp := &layers.ICMPv6{TypeCode: typ}
	if err := icmp.SetNetworkLayerForChecksum(ip); err != nil {
		return nil, fmt.Errorf("lab: echo to %s: %w", to, err)
	}
	return serialize(ip, icmp, &layers.ICMPv6Echo{Identifier: id, SeqNumber: seq}, gopacket.Payload(data))
}

// ESPPacket builds an IP packet around ESP octets.
func ESPPacket(from, to netip.Addr, esp []byte) ([]byte, error) {
	return serialize(header(from, to, 64, ProtocolESP), gopacket.Payload(esp))
}

// buffers are those that no packet is written in now.
var buffers = sync.Pool{New: func() any { return gopacket.NewSerializeBuffer() }}

// networkLayer is an IP header that can be written.
type networkLayer interface {
	gopacket.NetworkLayer
	gopacket.SerializableLayer
}

// header is the IP header of the version that the sender's address is of.
func header(from, to netip.Addr, ttl uint8, protocol layers.IPProtocol) networkLayer {
	return new(headersOfIP).header(from, to, ttl, protocol)
}

// header is one in this room.
func (h *headersOfIP) header(from, to netip.Addr, ttl uint8, protocol layers.IPProtocol) networkLayer {
	if from.Is6() {
		h.v6 = layers.IPv6{Version: 6, HopLimit: ttl, NextHeader: protocol, SrcIP: from.AsSlice(), DstIP: to.AsSlice()}
		return &h.v6
	}
	h.v4 = layers.IPv4{Version: 4, TTL: ttl, Protocol: protocol, SrcIP: from.AsSlice(), DstIP: to.AsSlice()}
	return &h.v4
}

func serialize(ls ...gopacket.SerializableLayer) ([]byte, error) {
	buf := buffers.Get().(gopacket.SerializeBuffer)
	defer buffers.Put(buf)
	err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...)
	if err != nil {
		return nil, fmt.Errorf("lab: packet: %w", err)
	}
	return slices.Clone(buf.Bytes()), nil
}

// Packet is what packets of IPv4 and IPv6 have in common.
type Packet struct {
	Source, Destination netip.Addr
	Protocol            uint8 // of the payload
	Fragment            bool  // the payload is a part of it
	Payload             []byte
	TOS                 uint8 // DSCP and ECN
}

// Parse reads a packet of either version; it reports false for anything that is not a whole IP packet.
func Parse(packet []byte) (Packet, bool) {
	if p, ok := ParseIPv6(packet); ok {
		return p.Packet(), true
	}
	p, ok := ParseIPv4(packet)
	return p.Packet(), ok
}

// UDP returns the ports and data of an unfragmented UDP packet.
func (p Packet) UDP() (from, to netip.AddrPort, data []byte, ok bool) {
	if p.Protocol != protocolUDP || p.Fragment || len(p.Payload) < 8 {
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

// ESP returns the ESP packet in an unfragmented packet, as its payload or in UDP (RFC 3948 §2.1).
func (p Packet) ESP() (esp []byte, ok bool) {
	if p.Protocol == ProtocolESP && !p.Fragment {
		return p.Payload, true
	}
	from, to, data, ok := p.UDP()
	if !ok || from.Port() != natt.Port && to.Port() != natt.Port {
		return nil, false
	}
	kind, esp, err := natt.Split(data)
	return esp, err == nil && kind == natt.KindESP
}

// SPI returns the SPI and sequence number of an unfragmented ESP packet, in UDP or not.
func (p Packet) SPI() (spi, sequence uint32, ok bool) {
	esp, ok := p.ESP()
	if !ok || len(esp) < 8 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint32(esp), binary.BigEndian.Uint32(esp[4:]), true
}

// icmp returns an ICMP message of the packet's version whose checksum is right.
func (p Packet) icmp() ([]byte, bool) {
	if p.Fragment || len(p.Payload) < 8 {
		return nil, false
	}
	if p.Source.Is6() {
		return p.Payload, p.Protocol == protocolICMPv6 && p.checksum() == 0
	}
	return p.Payload, p.Protocol == protocolICMP && Checksum(p.Payload) == 0
}

// intact reports whether a UDP packet has the checksum that its receiver wants: IPv4 can do without one, IPv6 cannot
// (RFC 8200 §8.1).
func (p Packet) intact() bool {
	if p.Source.Is4() && len(p.Payload) >= 8 && p.Payload[6] == 0 && p.Payload[7] == 0 {
		return true
	}
	return len(p.Payload) >= 8 && (p.Payload[6] != 0 || p.Payload[7] != 0) && p.checksum() == 0
}

// checksum is that of the payload and the pseudo-header before it, 0 if it holds a right one (RFC 768, RFC 8200 §8.1).
func (p Packet) checksum() uint16 {
	sum := uint32(len(p.Payload)) + uint32(p.Protocol)
	for _, a := range []netip.Addr{p.Source, p.Destination} {
		octets := a.As16()
		if a.Is4() {
			sum += words(octets[12:])
		} else {
			sum += words(octets[:])
		}
	}
	return folded(sum + words(p.Payload))
}

// Checksum is the Internet checksum of the octets, 0 if they hold a right one (RFC 1071).
func Checksum(b []byte) uint16 { return folded(words(b)) }

// words is the sum of 16-bit words; an octet alone at the end is the first half of one.
func words(b []byte) (sum uint32) {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) > 0 {
		sum += uint32(b[0]) << 8
	}
	return sum
}

func folded(sum uint32) uint16 {
	for sum>>16 != 0 {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

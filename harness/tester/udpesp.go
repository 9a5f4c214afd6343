package tester

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

const protocolUDP = 17

// udpForm is ESP in UDP before it leaves (RFC 3948 §2.1).
type udpForm struct {
	from, to uint16
	checksum bool
	front    []byte // between the UDP header and ESP
	cut      *int   // octets of ESP that are left; nil: all
}

// inUDP has the packet travel in UDP, as it already does or as an honest member has it.
func (f *espForm) inUDP() *udpForm {
	if f.udp == nil {
		f.udp = &udpForm{from: natt.Port, to: natt.Port}
	}
	return f.udp
}

// ESPInUDP puts the packet into UDP, from port 4500 to port 4500 and without a checksum (RFC 3948 §2.1).
func ESPInUDP() ESPOption { return func(f *espForm) { f.inUDP() } }

// ESPPorts puts the packet into UDP between other ports (RFC 3948 §2.1).
func ESPPorts(from, to uint16) ESPOption {
	return func(f *espForm) { f.inUDP().from, f.inUDP().to = from, to }
}

// ESPChecksum puts the packet into UDP with the checksum that it would have anywhere else (RFC 3948 §2.1).
func ESPChecksum() ESPOption { return func(f *espForm) { f.inUDP().checksum = true } }

// ESPMarker puts the packet into UDP behind the marker of key management, where its SPI would be zero (RFC 3948 §2.2).
func ESPMarker() ESPOption { return func(f *espForm) { f.inUDP().front = natt.AppendMarker(nil) } }

// ESPCut puts only the first octets of the packet into UDP (RFC 3948 §2.1).
func ESPCut(octets int) ESPOption { return func(f *espForm) { f.inUDP().cut = &octets } }

// wrap makes the payload of the outer packet.
func (f *espForm) wrap(esp []byte) (protocol uint8, payload []byte) {
	u := f.udp
	if u == nil {
		return lab.ProtocolESP, esp
	}
	if u.cut != nil {
		esp = esp[:min(*u.cut, len(esp))]
	}
	data := slices.Concat(u.front, esp)
	if !u.checksum {
		return protocolUDP, slices.Concat(udpHeader(u.from, u.to, len(data)), data)
	}
	packet, err := lab.UDPPacket(netip.AddrPortFrom(f.outer.Source, u.from), netip.AddrPortFrom(f.outer.Destination, u.to), f.outer.TTL, data)
	if ip, ok := lab.Parse(packet); err == nil && ok {
		return protocolUDP, ip.Payload
	}
	return protocolUDP, nil // addresses of two versions
}

// udpHeader is one without a checksum in front of so many octets.
func udpHeader(from, to uint16, octets int) []byte {
	b := binary.BigEndian.AppendUint16(nil, from)
	b = binary.BigEndian.AppendUint16(b, to)
	b = binary.BigEndian.AppendUint16(b, uint16(8+octets))
	return append(b, 0, 0)
}

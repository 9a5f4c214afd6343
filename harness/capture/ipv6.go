package capture

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
)

const ipv6Header = 40

// The extension headers that are followed to what they stand before (RFC 8200 §4).
const (
	extHopByHop    = 0
	extRouting     = 43
	extFragment    = 44
	extDestination = 60
)

var extensionNames = map[uint8]string{extHopByHop: "Hop-by-Hop Options", extRouting: "Routing", extFragment: "Fragment",
	extDestination: "Destination Options"}

// extension is an extension header and where it stands in the packet.
type extension struct {
	kind       uint8
	at, length int
}

// parseIPv6 reads a packet as parseIPv4 does. Jumbograms are refused.
func parseIPv6(b []byte) (packet, error) {
	if len(b) < ipv6Header || b[0]>>4 != 6 {
		return packet{}, fmt.Errorf("not an IPv6 packet: %d octets", len(b))
	}
	total := ipv6Header + int(binary.BigEndian.Uint16(b[4:]))
	if total > len(b) {
		return packet{}, fmt.Errorf("IPv6 packet of %d octets, captured %d", total, len(b))
	}
	first := binary.BigEndian.Uint32(b)
	p := packet{
		version:     6,
		source:      netip.AddrFrom16([16]byte(b[8:24])),
		destination: netip.AddrFrom16([16]byte(b[24:40])),
		protocol:    b[6],
		tos:         uint8(first >> 20),
		flowLabel:   first & 0xfffff,
		ttl:         b[7],
		header:      ipv6Header,
		octets:      b[:ipv6Header:ipv6Header],
		payload:     b[ipv6Header:total],
	}
	return p, p.follow()
}

// follow takes extension headers from the payload: all of them, or those up to the Fragment header, behind which there is
// but a part.
func (p *packet) follow() error {
	for !p.fragmented {
		if _, known := extensionNames[p.protocol]; !known {
			return nil
		}
		length := 8
		if p.protocol != extFragment && len(p.payload) > 1 {
			length += 8 * int(p.payload[1])
		}
		if len(p.payload) < length {
			return fmt.Errorf("IPv6 extension header %s of %d octets where %d are left", extensionNames[p.protocol], length, len(p.payload))
		}
		p.extensions = append(p.extensions, extension{p.protocol, p.header, length})
		if p.protocol == extFragment {
			p.readFragment()
		}
		p.octets = append(p.octets, p.payload[:length]...)
		p.protocol, p.header, p.payload = p.payload[0], p.header+length, p.payload[length:]
	}
	return nil
}

// readFragment reads the Fragment header that the payload begins with (RFC 8200 §4.5).
func (p *packet) readFragment() {
	place := binary.BigEndian.Uint16(p.payload[2:])
	p.fragmented, p.more, p.offset = true, place&1 != 0, int(place&^7)
	p.id = binary.BigEndian.Uint32(p.payload[4:])
}

// unfragment makes the first fragment, with the payload of all, the packet that it was before: without Fragment header, and
// with the extension headers behind it.
func (p *packet) unfragment() error {
	last := len(p.extensions) - 1
	p.octets = slices.Clone(p.octets[:p.extensions[last].at])
	p.octets[p.nextAt(last)] = p.protocol
	p.fragmented, p.header, p.extensions = false, p.header-p.extensions[last].length, p.extensions[:last:last]
	return p.follow()
}

// nextAt is where the Next Header field stands that announces an extension header.
func (p *packet) nextAt(extension int) int {
	if extension == 0 {
		return 6
	}
	return p.extensions[extension-1].at
}

// icmpv6Text says what an ICMPv6 message of at least eight octets is (RFC 4443, RFC 2710, RFC 3810, RFC 4861).
func icmpv6Text(b []byte) string {
	switch b[0] {
	case 1:
		return fmt.Sprintf("unreachable, code %d", b[1])
	case 2:
		return fmt.Sprintf("packet too big, MTU %d", binary.BigEndian.Uint32(b[4:]))
	case 3:
		return "time exceeded"
	case 128, 129:
		what := map[byte]string{128: "request", 129: "reply"}[b[0]]
		return fmt.Sprintf("echo %s id %d seq %d", what, binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:]))
	case 131, 143:
		return "multicast listener report"
	case 132:
		return "multicast listener done"
	case 133, 134, 135, 136, 137:
		return "neighbour discovery"
	}
	return fmt.Sprintf("type %d code %d", b[0], b[1])
}

func (p *packet) field6(at int, secret bool) Field {
	f := Field{Name: "IPv6", Value: p.line(), Offset: at, Length: p.header + len(p.payload)}
	f.Children = []Field{ // octet 1 is half of the Traffic Class and half of the Flow Label
		{Name: "Traffic Class", Value: hexNumber(uint64(p.tos), 2), Offset: at, Length: 1},
		{Name: "Flow Label", Value: hexNumber(uint64(p.flowLabel), 5), Offset: at + 1, Length: 3},
		{Name: "Hop Limit", Value: strconv.Itoa(int(p.ttl)), Offset: at + 7, Length: 1},
	}
	for _, e := range p.extensions {
		child := Field{Name: extensionNames[e.kind], Value: fmt.Sprintf("%d octets", e.length), Offset: at + e.at, Length: e.length}
		if e.kind == extFragment {
			child.Value = fmt.Sprintf("%s, identification %s", p.fragmentText(), hexNumber(uint64(p.id), 8))
		}
		f.Children = append(f.Children, child)
	}
	f.Children = append(f.Children, Field{Name: "Data", Value: text(p.payload, 32), Offset: at + p.header, Length: len(p.payload), Secret: secret})
	return f
}

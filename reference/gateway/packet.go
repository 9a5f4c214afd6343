package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/sadb"
)

// The IP protocols that the gateway knows.
const (
	protocolICMP   = 1
	protocolIPv4   = 4
	protocolUDP    = 17
	protocolIPv6   = 41
	protocolESP    = 50
	protocolAH     = 51
	protocolICMPv6 = 58
)

const (
	maxPacket = 65535 // octets of a packet altogether

	maskECN = 0x03
	ecnCE   = 0x03
)

// ErrMalformed means that what came is no IP packet that could be forwarded.
var ErrMalformed = errors.New("gateway: malformed packet")

var (
	errHeader = fmt.Errorf("%w: no IP header", ErrMalformed)
	errLength = fmt.Errorf("%w: total length", ErrMalformed)
	errOffset = fmt.Errorf("%w: fragment beyond the longest packet", ErrMalformed)
)

// packet is an IP packet that has been looked at.
type packet struct {
	bytes     []byte // exactly its length
	headerLen int    // up to the protocol of the flow: with IPv4 options, with IPv6 extension headers
	nextAt    int    // the octet that names that protocol
	flow      sadb.Flow
	fragment  bool // one of several
	gathered  bool // put together from fragments by the gateway
	espAt     int  // where ESP or AH begins, once that is known

	// In transport mode ESP protects what is behind the headers that routers read (RFC 4303 §3.1.1).
	routedLen    int // of those headers
	routedNextAt int // the octet that names what follows them

	fragmentAt     int // IPv6: of the Fragment header; 0 if there is none
	fragmentNextAt int // the octet that names it
}

// parse reads the headers of a packet into the zero value. Their lengths and checksum must be right. What follows the packet's
// length is cut off; inside ESP that is padding against traffic analysis (RFC 4303 §2.7).
func (p *packet) parse(b []byte) error {
	if len(b) > 0 && b[0]>>4 == 6 {
		return p.parse6(b)
	}
	return p.parse4(b)
}

func (p *packet) is6() bool { return p.bytes[0]>>4 == 6 }

// protocol is that of the packet itself inside another.
func (p *packet) protocol() uint8 {
	if p.is6() {
		return protocolIPv6
	}
	return protocolIPv4
}

// body is what follows the headers.
func (p *packet) body() []byte { return p.bytes[p.headerLen:] }

// readPorts reads what selectors are compared with; later fragments have no ports to show.
func (p *packet) readPorts(later bool) {
	if !hasPorts(p.flow.Protocol) {
		return
	}
	body := p.body()
	if later || len(body) < 4 {
		p.flow.PortsHidden = true
		return
	}
	p.flow.SourcePort = binary.BigEndian.Uint16(body)
	p.flow.DestinationPort = binary.BigEndian.Uint16(body[2:])
}

// hasPorts reports whether a protocol's header begins with ports: TCP, UDP, DCCP, SCTP, UDP-Lite.
func hasPorts(protocol uint8) bool {
	switch protocol {
	case 6, protocolUDP, 33, 132, 136:
		return true
	}
	return false
}

// tos is DSCP and ECN: the TOS octet of IPv4, the traffic class of IPv6.
func (p *packet) tos() byte {
	if p.is6() {
		return p.bytes[0]<<4 | p.bytes[1]>>4
	}
	return p.bytes[offTOS]
}

// setTOS changes DSCP and ECN.
func (p *packet) setTOS(tos byte) {
	if p.is6() {
		p.bytes[0], p.bytes[1] = 6<<4|tos>>4, tos<<4|p.bytes[1]&0x0f
		return
	}
	p.bytes[offTOS] = tos
	resum(p.bytes, p.headerLen)
}

// ttlAt is the place of the TTL, which IPv6 calls Hop Limit.
func (p *packet) ttlAt() int {
	if p.is6() {
		return off6HopLimit
	}
	return offTTL
}

// lowerTTL counts one hop on a copy of the packet.
func (p *packet) lowerTTL(b []byte) {
	b[p.ttlAt()]--
	if !p.is6() {
		resum(b, p.headerLen)
	}
}

// finish sets the length, and the checksum of IPv4, of a packet whose headers are otherwise complete.
func finish(b []byte) {
	if b[0]>>4 == 6 {
		binary.BigEndian.PutUint16(b[off6Length:], uint16(len(b)-header6Len))
		return
	}
	binary.BigEndian.PutUint16(b[offTotalLength:], uint16(len(b)))
	resum(b, int(b[0]&0x0f)*4)
}

// quote returns the packet that an ICMP error is about, as far as the error shows it: no more than its beginning. Its flow
// hides what is not there.
func (p *packet) quote() (q packet, ok bool) {
	body := p.body()
	if p.fragment || len(body) < icmpLen || !p.icmpError() {
		return packet{}, false
	}
	q = packet{bytes: body[icmpLen:]}
	if p.is6() {
		return q, q.readQuoted6()
	}
	return q, q.readQuoted4()
}

// quoted returns the flow of the packet that an ICMP error is about.
func (p *packet) quoted() (sadb.Flow, bool) {
	q, ok := p.quote()
	return q.flow, ok
}

// icmpError reports whether a packet is an ICMP error. IPv6 keeps the types below 128 for errors; those of IPv4 are
// unreachable, quench, redirect, time exceeded and parameter problem.
func (p *packet) icmpError() bool {
	typ, ok := p.icmpType()
	if !ok || p.is6() {
		return ok && typ < 128
	}
	return typ == 3 || typ == 4 || typ == 5 || typ == 11 || typ == 12
}

// icmpType returns the type of an ICMP message of the packet's own version.
func (p *packet) icmpType() (typ byte, ok bool) {
	protocol := uint8(protocolICMP)
	if p.is6() {
		protocol = protocolICMPv6
	}
	if p.flow.Protocol != protocol || len(p.body()) == 0 {
		return 0, false
	}
	return p.body()[0], true
}

// local reports whether a packet concerns its link only and so is never forwarded: neighbour discovery, multicast listeners,
// and whatever has an address of the link (RFC 4861 §4, RFC 3810 §5, RFC 4291 §2.5.6).
func (p *packet) local() bool {
	if !p.is6() {
		return false
	}
	typ, icmp := p.icmpType()
	return icmp && (typ >= 130 && typ <= 137 || typ == 143) || ofLink(p.flow.Source) || ofLink(p.flow.Destination)
}

func ofLink(a netip.Addr) bool {
	return a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast()
}

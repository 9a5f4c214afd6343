package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/sadb"
)

// The octets of an IPv4 header (RFC 791 §3.1).
const (
	offTOS         = 1
	offTotalLength = 2
	offID          = 4
	offFragment    = 6 // flags and fragment offset
	offTTL         = 8
	offProtocol    = 9
	offChecksum    = 10
	offSource      = 12
	offDestination = 16

	headerLen = 20    // without options
	maxPacket = 65535 // total length
)

const (
	flagDF     = 0x4000
	flagMF     = 0x2000
	maskOffset = 0x1fff // in units of 8 octets

	maskECN = 0x03
	ecnCE   = 0x03

	protocolICMP = 1
	protocolUDP  = 17
	protocolESP  = 50
)

// ErrMalformed means that what came is no IPv4 packet that could be forwarded.
var ErrMalformed = errors.New("gateway: malformed packet")

var (
	errVersion  = fmt.Errorf("%w: not an IPv4 header", ErrMalformed)
	errLength   = fmt.Errorf("%w: total length", ErrMalformed)
	errOffset   = fmt.Errorf("%w: fragment beyond the longest packet", ErrMalformed)
	errChecksum = fmt.Errorf("%w: header checksum", ErrMalformed)
)

// packet is an IPv4 packet that has been looked at.
type packet struct {
	bytes     []byte // exactly its total length
	headerLen int
	flow      sadb.Flow
	fragment  bool // one of several
}

// parse reads an IPv4 header, whose lengths and checksum must be right. What follows the total length is cut off; inside
// ESP that is padding against traffic analysis (RFC 4303 §2.7).
func parse(b []byte) (packet, error) {
	if len(b) < headerLen || b[0]>>4 != 4 {
		return packet{}, errVersion
	}
	ihl, total := int(b[0]&0x0f)*4, int(binary.BigEndian.Uint16(b[offTotalLength:]))
	if ihl < headerLen || total < ihl || total > len(b) {
		return packet{}, errLength
	}
	if checksum(b[:ihl]) != 0 {
		return packet{}, errChecksum
	}
	p := packet{bytes: b[:total:total], headerLen: ihl}
	fragment := binary.BigEndian.Uint16(b[offFragment:])
	if int(fragment&maskOffset)*8+total-ihl > maxPacket {
		return packet{}, errOffset
	}
	p.fragment = fragment&(flagMF|maskOffset) != 0
	p.readFlow(fragment&maskOffset != 0)
	return p, nil
}

// quoted returns the flow of the packet that an ICMP error is about. Of the packet no more than its beginning is there.
func (p *packet) quoted() (f sadb.Flow, ok bool) {
	body := p.body()
	if p.flow.Protocol != protocolICMP || len(body) < icmpLen+headerLen || !icmpError(body[0]) {
		return sadb.Flow{}, false
	}
	q := packet{bytes: body[icmpLen:], headerLen: int(body[icmpLen]&0x0f) * 4}
	if q.bytes[0]>>4 != 4 || q.headerLen < headerLen || q.headerLen > len(q.bytes) {
		return sadb.Flow{}, false
	}
	q.readFlow(binary.BigEndian.Uint16(q.bytes[offFragment:])&maskOffset != 0)
	return q.flow, true
}

// readFlow reads what selectors are compared with; later fragments have no ports to show.
func (p *packet) readFlow(later bool) {
	b := p.bytes
	p.flow = sadb.Flow{
		Source:      netip.AddrFrom4([4]byte(b[offSource:])),
		Destination: netip.AddrFrom4([4]byte(b[offDestination:])),
		Protocol:    b[offProtocol],
	}
	if hasPorts(p.flow.Protocol) {
		p.readPorts(later)
	}
}

func (p *packet) readPorts(later bool) {
	body := p.body()
	if later || len(body) < 4 {
		p.flow.PortsHidden = true
		return
	}
	p.flow.SourcePort = binary.BigEndian.Uint16(body)
	p.flow.DestinationPort = binary.BigEndian.Uint16(body[2:])
}

// body is what follows the IP header.
func (p *packet) body() []byte { return p.bytes[p.headerLen:] }

func (p *packet) dontFragment() bool { return p.bytes[offFragment]&(flagDF>>8) != 0 }

// hasPorts reports whether a protocol's header begins with ports: TCP, UDP, DCCP, SCTP, UDP-Lite.
func hasPorts(protocol uint8) bool {
	switch protocol {
	case 6, protocolUDP, 33, 132, 136:
		return true
	}
	return false
}

// checksum is the Internet checksum of b; 0 if b holds a right one (RFC 1071).
func checksum(b []byte) uint16 {
	var sum uint32
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum>>16 != 0 {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// finish sets total length and checksum of a packet whose header is otherwise complete.
func finish(b []byte, ihl int) {
	binary.BigEndian.PutUint16(b[offTotalLength:], uint16(len(b)))
	resum(b, ihl)
}

// resum sets the header checksum anew.
func resum(b []byte, ihl int) {
	b[offChecksum], b[offChecksum+1] = 0, 0
	binary.BigEndian.PutUint16(b[offChecksum:], checksum(b[:ihl]))
}

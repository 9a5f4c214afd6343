package gateway

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/internal/inet"
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

	headerLen = 20 // without options
)

const (
	flagDF     = 0x4000
	flagMF     = 0x2000
	maskOffset = 0x1fff // in units of 8 octets
)

var errChecksum = fmt.Errorf("%w: header checksum", ErrMalformed)

// parse4 reads an IPv4 header.
func (p *packet) parse4(b []byte) error {
	if len(b) < headerLen || b[0]>>4 != 4 {
		return errHeader
	}
	ihl, total := int(b[0]&0x0f)*4, int(binary.BigEndian.Uint16(b[offTotalLength:]))
	if ihl < headerLen || total < ihl || total > len(b) {
		return errLength
	}
	if inet.Checksum(b[:ihl]) != 0 {
		return errChecksum
	}
	fragment := binary.BigEndian.Uint16(b[offFragment:])
	if int(fragment&maskOffset)*8+total-ihl > maxPacket {
		return errOffset
	}
	p.bytes, p.headerLen = b[:total:total], ihl
	p.readHeader4()
	return nil
}

// readQuoted4 reads the beginning of a packet; it fails if not even the header is there.
func (p *packet) readQuoted4() bool {
	b := p.bytes
	if len(b) < headerLen || b[0]>>4 != 4 {
		return false
	}
	if p.headerLen = int(b[0]&0x0f) * 4; p.headerLen < headerLen || p.headerLen > len(b) {
		return false
	}
	p.readHeader4()
	return true
}

func (p *packet) readHeader4() {
	b := p.bytes
	fragment := binary.BigEndian.Uint16(b[offFragment:])
	p.fragment = fragment&(flagMF|maskOffset) != 0
	p.nextAt, p.routedLen, p.routedNextAt = offProtocol, p.headerLen, offProtocol
	p.flow.Source = netip.AddrFrom4([4]byte(b[offSource:]))
	p.flow.Destination = netip.AddrFrom4([4]byte(b[offDestination:]))
	p.flow.Protocol = b[offProtocol]
	p.readPorts(fragment&maskOffset != 0)
}

func (p *packet) dontFragment() bool { return !p.is6() && p.bytes[offFragment]&(flagDF>>8) != 0 }

// resum sets the header checksum of IPv4 anew.
func resum(b []byte, ihl int) {
	b[offChecksum], b[offChecksum+1] = 0, 0
	binary.BigEndian.PutUint16(b[offChecksum:], inet.Checksum(b[:ihl]))
}

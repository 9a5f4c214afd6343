package gateway

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// The octets of an IPv6 header and of a Fragment header (RFC 8200 §3, §4.5).
const (
	off6Length      = 4
	off6Next        = 6
	off6HopLimit    = 7
	off6Source      = 8
	off6Destination = 24

	header6Len  = 40 // without extension headers
	fragmentLen = 8  // of a Fragment header

	flag6MF     = 0x0001
	mask6Offset = 0xfff8 // in octets, whose lowest three bits are always zero

	minMTU6 = 1280 // of every link (RFC 8200 §5)
)

// Extension headers (RFC 8200 §4.1). AH, ESP and whatever else is a protocol of its own.
const (
	extHopByHop    = 0
	extRouting     = 43
	extFragment    = 44
	extDestination = 60

	maxExtensions = 8 // in one packet; more than that serve no purpose
)

var (
	errExtension  = fmt.Errorf("%w: IPv6 extension header", ErrMalformed)
	errExtensions = fmt.Errorf("%w: more than %d IPv6 extension headers", ErrMalformed, maxExtensions)
)

// parse6 reads an IPv6 header and the extension headers that follow it, all of which must be in the packet, and in the
// first one of several (RFC 7112 §5).
func (p *packet) parse6(b []byte) error {
	if len(b) < header6Len || b[0]>>4 != 6 {
		return errHeader
	}
	total := header6Len + int(binary.BigEndian.Uint16(b[off6Length:]))
	if total > len(b) || total > maxPacket {
		return errLength
	}
	p.bytes = b[:total:total]
	if err := p.readHeader6(); err != nil {
		return err
	}
	if p.fragmentAt > 0 && p.fragmentOffset()+total-p.fragmentAt-fragmentLen > maxPacket {
		return errOffset
	}
	return nil
}

// readQuoted6 reads the beginning of a packet; it fails if not even the header is there.
func (p *packet) readQuoted6() bool {
	if len(p.bytes) < header6Len || p.bytes[0]>>4 != 6 {
		return false
	}
	if p.readHeader6() != nil {
		p.flow.PortsHidden, p.flow.ProtocolHidden = true, true
	}
	return true
}

func (p *packet) readHeader6() error {
	p.flow.Source = netip.AddrFrom16([16]byte(p.bytes[off6Source:]))
	p.flow.Destination = netip.AddrFrom16([16]byte(p.bytes[off6Destination:]))
	p.nextAt, p.headerLen = off6Next, header6Len
	p.routedNextAt, p.routedLen = off6Next, header6Len
	for range maxExtensions + 1 {
		next := p.bytes[p.nextAt]
		later := p.fragmentAt > 0 && p.fragmentOffset() > 0
		if later || !isExtension(next) {
			p.flow.Protocol, p.flow.ProtocolHidden = next, later && isExtension(next)
			p.flow.PortsHidden = p.flow.ProtocolHidden
			p.readPorts(later)
			return nil
		}
		if err := p.skip(next); err != nil {
			return err
		}
	}
	return errExtensions
}

func isExtension(next uint8) bool {
	return next == extHopByHop || next == extRouting || next == extFragment || next == extDestination
}

// skip goes past one extension header. Hop-by-hop options come first or not at all.
func (p *packet) skip(typ uint8) error {
	at, n := p.headerLen, fragmentLen
	if len(p.bytes) < at+fragmentLen || typ == extHopByHop && at != header6Len || typ == extFragment && p.fragmentAt > 0 {
		return errExtension
	}
	if typ != extFragment {
		n = 8 * (1 + int(p.bytes[at+1]))
	}
	if len(p.bytes) < at+n {
		return errExtension
	}
	if typ == extFragment {
		p.fragmentAt, p.fragmentNextAt = at, p.nextAt
		p.fragment = binary.BigEndian.Uint16(p.bytes[at+2:])&(mask6Offset|flag6MF) != 0
	}
	p.nextAt, p.headerLen = at, at+n
	// Destination options are for routers too if a Routing header follows; behind it they are the receiver's affair.
	if typ != extDestination {
		p.routedNextAt, p.routedLen = p.nextAt, p.headerLen
	}
	return nil
}

// fragmentOffset is that of the Fragment header, in octets.
func (p *packet) fragmentOffset() int {
	return int(binary.BigEndian.Uint16(p.bytes[p.fragmentAt+2:]) & mask6Offset)
}

package gateway

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/internal/inet"
)

// ICMP errors sent at once and per second in the long run (RFC 1812 §4.3.2.8).
const (
	icmpBurst = 10
	icmpRate  = 10
)

const (
	icmpLen    = 8
	icmpQuote  = 576 - headerLen - icmpLen      // of the packet it is about (RFC 1812 §4.3.2.3)
	icmp6Quote = minMTU6 - header6Len - icmpLen // (RFC 4443 §3.2)
	icmpTOS    = 0xc0                           // internetwork control

	icmpUnreachable, icmpTooBig = 3, 4 // type and code
	icmp6TooBig                 = 2    // type
)

// tellTooBig sends the source of a packet the greatest size that fits, unless there is nobody who may be told, or too many
// have been told of late. The source is the host itself, whether its address is preserved or not.
func (g *Gateway) tellTooBig(now time.Time, x *parcel, emit Emit) {
	kept, mtu := guardTooBig, x.room()
	if x.is6() {
		// A source of IPv6 does not go below 1280: what it then sends is fragmented around, see mustNotFragment.
		kept, mtu = guardTooBig6, max(minMTU6, mtu)
	}
	switch {
	case !kept.Kept(g.rules) || mtu < 0 || !g.mayTell(x.packet) || !g.errors.take(now):
	case x.is6():
		emit(core.Inside, tooBig6(g.own(true), x.packet, mtu))
	default:
		emit(core.Inside, tooBig4(g.own(false), x.packet, mtu))
	}
}

// tooBig4 makes ICMP type 3 code 4 (RFC 1191 §4).
func tooBig4(from netip.Addr, p *packet, mtu int) []byte {
	quote := p.bytes[:min(len(p.bytes), icmpQuote)]
	b := make([]byte, headerLen+icmpLen, headerLen+icmpLen+len(quote))
	b[0], b[offTOS], b[offTTL], b[offProtocol] = 4<<4|headerLen/4, icmpTOS, defaultTTL, protocolICMP
	putAddr4(b[offSource:], from)
	putAddr4(b[offDestination:], p.flow.Source)
	icmp := b[headerLen:]
	icmp[0], icmp[1] = icmpUnreachable, icmpTooBig
	binary.BigEndian.PutUint16(icmp[6:], uint16(mtu))
	b = append(b, quote...)
	binary.BigEndian.PutUint16(b[headerLen+2:], inet.Checksum(b[headerLen:]))
	finish(b)
	return b
}

// tooBig6 makes an ICMPv6 Packet Too Big (RFC 4443 §3.2).
func tooBig6(from netip.Addr, p *packet, mtu int) []byte {
	quote := p.bytes[:min(len(p.bytes), icmp6Quote)]
	b := make([]byte, header6Len+icmpLen, header6Len+icmpLen+len(quote))
	b[0], b[1], b[off6Next], b[off6HopLimit] = 6<<4|icmpTOS>>4, icmpTOS<<4&0xff, protocolICMPv6, defaultTTL
	putAddr6(b[off6Source:], from)
	putAddr6(b[off6Destination:], p.flow.Source)
	b[header6Len] = icmp6TooBig
	binary.BigEndian.PutUint32(b[header6Len+4:], uint32(mtu))
	b = append(b, quote...)
	finish(b)
	binary.BigEndian.PutUint16(b[header6Len+2:], checksum6(b))
	return b
}

// checksum6 is that of an ICMPv6 message without extension headers in front, over a pseudo-header too (RFC 8200 §8.1).
func checksum6(b []byte) uint16 {
	return ^inet.Fold(inet.Sum(b[off6Source:header6Len]) + uint32(len(b)-header6Len) + protocolICMPv6 + inet.Sum(b[header6Len:]))
}

// mayTell keeps ICMP errors from answering what must not be answered (RFC 1812 §4.3.2.7, RFC 4443 §2.4): ICMP errors, later
// fragments, multicast, and sources that are nobody behind this gateway. Of packets that are too big even receivers of an
// IPv6 group may complain.
func (g *Gateway) mayTell(p *packet) bool {
	if !g.own(p.is6()).IsValid() || !p.flow.Source.IsGlobalUnicast() || !p.is6() && !p.flow.Destination.IsGlobalUnicast() {
		return false
	}
	if !p.is6() && binary.BigEndian.Uint16(p.bytes[offFragment:])&maskOffset != 0 || p.fragmentAt > 0 && p.fragmentOffset() > 0 {
		return false
	}
	if _, icmp := p.icmpType(); p.icmpError() || !icmp && (p.flow.Protocol == protocolICMP || p.flow.Protocol == protocolICMPv6) {
		return false
	}
	return g.inFront(p.flow.Source)
}

// inFront reports whether the gateway stands in front of an address; without a list of networks, of any.
func (g *Gateway) inFront(a netip.Addr) bool {
	return len(g.cfg.Inside) == 0 || slices.ContainsFunc(g.cfg.Inside, func(n netip.Prefix) bool { return n.Contains(a) })
}

// bucket is a token bucket that starts full.
type bucket struct {
	used float64 // tokens that are missing
	last time.Time
}

func (b *bucket) take(now time.Time) bool {
	if !b.last.IsZero() {
		b.used = max(0, b.used-now.Sub(b.last).Seconds()*icmpRate)
	}
	b.last = now
	if b.used > icmpBurst-1 {
		return false
	}
	b.used++
	return true
}

package gateway

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
)

// ICMP errors sent at once and per second in the long run (RFC 1812 §4.3.2.8).
const (
	icmpBurst = 10
	icmpRate  = 10
)

const (
	icmpLen   = 8
	icmpQuote = 576 - headerLen - icmpLen // of the packet it is about (RFC 1812 §4.3.2.3)
	icmpTOS   = 0xc0                      // internetwork control
)

// tellTooBig sends the source of a packet the greatest size that fits (ICMP type 3 code 4, RFC 1191 §4), unless there is
// nobody who may be told, or too many have been told of late.
func (g *Gateway) tellTooBig(now time.Time, p packet, mtu int, emit Emit) {
	if !g.mayTell(p) || mtu < 0 || !g.errors.take(now) {
		return
	}
	quote := p.bytes[:min(len(p.bytes), icmpQuote)]
	b := make([]byte, headerLen+icmpLen, headerLen+icmpLen+len(quote))
	b[0], b[offTOS], b[offTTL], b[offProtocol] = 4<<4|headerLen/4, icmpTOS, outerTTL, protocolICMP
	copy(b[offSource:], g.address())
	copy(b[offDestination:], p.bytes[offSource:offSource+4])
	icmp := b[headerLen:]
	icmp[0], icmp[1] = 3, 4
	binary.BigEndian.PutUint16(icmp[6:], uint16(mtu))
	b = append(b, quote...)
	binary.BigEndian.PutUint16(b[headerLen+2:], checksum(b[headerLen:]))
	finish(b, headerLen)
	emit(core.Inside, b)
}

// mayTell keeps ICMP errors from answering what must not be answered (RFC 1812 §4.3.2.7): ICMP errors, later fragments,
// multicast, and sources that are nobody behind this gateway.
func (g *Gateway) mayTell(p packet) bool {
	src := p.flow.Source
	if !g.cfg.Address.Is4() || !src.IsGlobalUnicast() || !p.flow.Destination.IsGlobalUnicast() {
		return false
	}
	if binary.BigEndian.Uint16(p.bytes[offFragment:])&maskOffset != 0 {
		return false
	}
	if p.flow.Protocol == protocolICMP && (len(p.body()) == 0 || icmpError(p.body()[0])) {
		return false
	}
	return len(g.cfg.Inside) == 0 || slices.ContainsFunc(g.cfg.Inside, func(n netip.Prefix) bool { return n.Contains(src) })
}

// icmpError reports whether an ICMP type is an error: unreachable, quench, redirect, time exceeded, parameter problem.
func icmpError(typ byte) bool { return typ == 3 || typ == 4 || typ == 5 || typ == 11 || typ == 12 }

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

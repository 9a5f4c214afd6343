package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/sadb"
)

// ErrNoPeer means that an SA does not preserve the destination address, so that a tunnel peer would be needed, and a
// gateway of a group has none.
var ErrNoPeer = errors.New("gateway: no tunnel peer to send to")

var errTooLong = fmt.Errorf("%w: longer than an IPv4 packet once it is protected", ErrMalformed)

// outbound takes a packet from inside.
func (g *Gateway) outbound(now time.Time, p packet, emit Emit) error {
	if g.keyManagement(p.flow, p.flow.Source) {
		return g.bypass(p, core.Outside, emit)
	}
	e, ok := g.db.SelectOutbound(now, p.flow)
	if !ok {
		return g.unprotected(now, p, emit)
	}
	if len(p.bytes) > e.SA.MaxPayload(g.cfg.MTU-headerLen) {
		return g.tooBig(now, e, p, emit)
	}
	return g.protect(e, p, emit)
}

// unprotected forwards what policy does not protect, and everything if it fails open. An ICMP error that quotes a
// protected packet counts as one (RFC 4301 §6), whoever sends it: even the node itself, about a packet that was decrypted.
func (g *Gateway) unprotected(now time.Time, p packet, emit Emit) error {
	quoted, quotes := p.quoted()
	closed := g.Protects(p.flow) || quotes && g.Protects(quoted)
	if g.cfg.FailOpen {
		closed = quotes && g.db.Knows(now, quoted)
	}
	if closed && !guardClosed.Holds(g.rules, false) {
		return guardClosed.Violated("no SA for %v", p.flow)
	}
	return g.bypass(p, core.Outside, emit)
}

// protect forwards a packet under an SA.
func (g *Gateway) protect(e *sadb.Entry, p packet, emit Emit) error {
	inner, err := g.hop(p, guardEncapsulateTTL.Kept(g.rules))
	if err != nil {
		return err
	}
	outer, err := g.encapsulate(e, inner, p)
	if err != nil {
		return err
	}
	emit(core.Outside, outer)
	return nil
}

// encapsulate puts a packet into ESP and under an outer header. The result is valid until the next call.
func (g *Gateway) encapsulate(e *sadb.Entry, inner []byte, p packet) ([]byte, error) {
	if headerLen+e.SA.Overhead(len(inner))+len(inner) > maxPacket {
		return nil, errTooLong
	}
	if !e.Policy.Transform.Preservation.Destination() {
		return nil, fmt.Errorf("%w: SPI %08x, %v", ErrNoPeer, e.Policy.SPI, p.flow)
	}
	head := g.appendOuter(g.sealed[:0], e.Policy.Transform.Preservation, inner)
	ihl := len(head)
	outer, err := e.SA.Seal(head, inner, esp.NextIPv4)
	if err != nil {
		return nil, refused(err, p.flow)
	}
	g.sealed = outer
	finish(outer, ihl)
	g.counts.encrypted++
	return outer, nil
}

// outerTTL is what the gateway's own packets start with.
const outerTTL = 64

// appendOuter appends the outer header for an inner packet (RFC 4301 §5.1.2.1, RFC 5374 §3.1), without length and
// checksum.
func (g *Gateway) appendOuter(b []byte, preserve policy.Preservation, inner []byte) []byte {
	start := len(b)
	b = append(b, inner[:headerLen]...)
	h := b[start:]
	h[0] = 4<<4 | headerLen/4
	if !guardOuterDSCP.Kept(g.rules) {
		h[offTOS] &= maskECN
	}
	if !guardOuterECN.Kept(g.rules) {
		h[offTOS] &^= maskECN
	}
	g.id++
	binary.BigEndian.PutUint16(h[offID:], g.id)
	flags := binary.BigEndian.Uint16(h[offFragment:]) & flagDF
	if !guardOuterDF.Kept(g.rules) {
		flags = 0
	}
	binary.BigEndian.PutUint16(h[offFragment:], flags)
	if guardOuterTTL.Kept(g.rules) {
		h[offTTL] = outerTTL
	}
	h[offProtocol] = protocolESP
	g.putAddresses(h, preserve)
	if ihl := int(inner[0]&0x0f) * 4; ihl > headerLen && !guardOuterOptions.Kept(g.rules) {
		h[0] = inner[0]
		b = append(b, inner[headerLen:ihl]...)
	}
	return b
}

// putAddresses replaces the inner addresses where they are not to be preserved.
func (g *Gateway) putAddresses(h []byte, preserve policy.Preservation) {
	if preserve == policy.PreserveAbsent && !guardOuterAbsent.Kept(g.rules) {
		preserve = policy.PreserveDestination
	}
	if !preserve.Source() || !guardOuterSource.Kept(g.rules) {
		copy(h[offSource:offSource+4], g.address())
	}
	if !guardOuterDestination.Kept(g.rules) {
		copy(h[offDestination:offDestination+4], g.address())
	}
}

// address is the gateway's own, or 0.0.0.0 if it has none of IPv4.
func (g *Gateway) address() []byte {
	if !g.cfg.Address.Is4() {
		return make([]byte, 4)
	}
	a := g.cfg.Address.As4()
	return a[:]
}

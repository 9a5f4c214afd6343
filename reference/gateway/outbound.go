package gateway

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/sadb"
)

var errTooLong = fmt.Errorf("%w: longer than an IP packet once it is protected", ErrMalformed)

// parcel is a packet from inside on its way into an SA.
type parcel struct {
	*packet
	entry               *sadb.Entry
	source, destination netip.Addr // outer
	mtu                 int        // of the path
	metadata            int        // octets of headers between ESP and what is protected
	now                 time.Time
}

// outbound takes a packet from inside.
func (g *Gateway) outbound(now time.Time, p *packet, emit Emit) error {
	switch {
	case g.keyManagement(&p.flow, p.flow.Source):
		return g.bypass(p, core.Outside, emit)
	case p.local():
		return nil
	}
	if done, err := g.ownPolicy(core.Inside, p, emit); done {
		return err
	}
	if p.fragment && g.gathers(now, p.flow) {
		whole, err := g.gather(now, p)
		if err != nil || whole == nil {
			return err
		}
		p = whole
	}
	e, ok := g.selectOutbound(now, p.flow)
	if !ok || g.before(e, p.flow) || g.groups[e.Group].withholds() {
		return g.unprotected(now, p, emit)
	}
	x := parcel{packet: p, entry: e, now: now, metadata: g.metadataLen(e)}
	if err := g.address(&x); err != nil {
		return err
	}
	x.mtu = g.pathMTU(now, e.Policy.SPI, x.destination)
	e.Use(now)
	if len(p.bytes) > x.room() {
		return g.tooBig(now, &x, emit)
	}
	return g.protect(&x, emit)
}

// gathers reports whether a fragment may belong to a packet for an SA in transport mode, which protects whole packets only
// (RFC 4303 §3.1.1): the gateway has to put them together, as its hosts would not have cut them had they protected them.
func (g *Gateway) gathers(now time.Time, f sadb.Flow) bool {
	return slices.ContainsFunc(g.db.Entries(), func(e *sadb.Entry) bool {
		return transports(e) && now.Before(e.Expiry) && sadb.MayMatch(e.Policy.Selector, f, g.rules)
	})
}

// gather takes a fragment from inside and returns the whole packet with the last of them.
func (g *Gateway) gather(now time.Time, p *packet) (*packet, error) {
	whole, lost, err := g.inside.add(now, p)
	g.counts.dropped += lost
	if err != nil {
		return nil, fmt.Errorf("%w: fragment of %v: %w", ErrMalformed, p.flow, err)
	}
	if whole == nil {
		return nil, nil
	}
	put := &packet{gathered: true}
	return put, put.parse(whole)
}

// unprotected forwards what policy does not protect, and everything if it fails open. An ICMP error that quotes a
// protected packet counts as one (RFC 4301 §6), whoever sends it: even the node itself, about a packet that was decrypted.
func (g *Gateway) unprotected(now time.Time, p *packet, emit Emit) error {
	if g.failsClose() {
		return g.failClose(core.Inside, p, emit)
	}
	quoted, quotes := p.quoted()
	closed := g.closed(p.flow, core.Inside) || quotes && g.closed(quoted, core.Inside)
	if g.cfg.FailOpen {
		closed = quotes && g.db.Knows(now, quoted)
	}
	if closed && !guardClosed.Holds(g.rules, false) {
		for _, m := range g.groups {
			m.wanted = m.wanted || m.protects(p.flow)
		}
		return guardClosed.Violated("no SA for %v", p.flow)
	}
	return g.bypass(p, core.Outside, emit)
}

// protect forwards a packet under its SA.
func (g *Gateway) protect(x *parcel, emit Emit) error {
	inner, err := g.hop(x.packet, guardEncapsulateTTL.Kept(g.rules))
	if err != nil {
		return err
	}
	outer, err := g.encapsulate(x, inner)
	if err != nil {
		return err
	}
	emit(core.Outside, outer)
	return g.hide(x, len(outer), emit)
}

// encapsulate puts a packet, or what forwarding and fragmenting made of it, into ESP. The result is valid until the next
// call.
func (g *Gateway) encapsulate(x *parcel, inner []byte) ([]byte, error) {
	head, payload, next := g.sealed[:0], inner, x.protocol()
	if transports(x.entry) {
		head, payload, next = appendRouted(head, inner[:x.routedLen], x.routedNextAt, protocolOf(x.entry)), inner[x.routedLen:], inner[x.routedNextAt]
	} else {
		head, payload = g.appendOuter(head, x), g.padded(x, inner)
	}
	payload, next = g.stamp(x, payload, next)
	outer, err := g.seal(x, head, payload, next)
	tallyOut(x.entry, err)
	if err == nil {
		g.counts.encrypted++
	}
	return outer, err
}

// seal makes a packet of its outer headers and what is to be protected behind them.
func (g *Gateway) seal(x *parcel, head, payload []byte, next uint8) ([]byte, error) {
	headers := len(head)
	if inUDP(x.entry) {
		head = g.appendUDP(head)
	}
	if len(head)+len(payload)+x.entry.SA.Overhead(len(payload)) > maxPacket {
		return nil, errTooLong
	}
	outer, err := x.entry.SA.Seal(head, payload, next)
	if err != nil {
		g.groups[x.entry.Group].spent = true
		return nil, refused(err, x.flow)
	}
	g.sealed = outer
	finish(outer)
	if inUDP(x.entry) {
		g.finishUDP(outer, headers)
	}
	return outer, nil
}

// appendRouted appends the headers that stay in front of ESP or AH in transport mode (RFC 4303 §3.1.1, RFC 4302 §3.1.1).
func appendRouted(b, headers []byte, nextAt int, protocol uint8) []byte {
	start := len(b)
	b = append(b, headers...)
	b[start+nextAt] = protocol
	return b
}

// transports reports whether an SA is in transport mode, in UDP or not.
func transports(e *sadb.Entry) bool { return e.Policy.Transform.Mode.Transports() }

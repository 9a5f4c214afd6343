package gateway

import (
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/sadb"
)

// inbound takes a packet from outside.
func (g *Gateway) inbound(now time.Time, p *packet, emit Emit) error {
	if p.flow.Protocol == protocolUDP && g.SpeaksUDP() {
		return g.inboundUDP(now, p, emit)
	}
	return g.inboundOther(now, p, emit)
}

// inboundOther takes a packet that is not ESP in UDP.
func (g *Gateway) inboundOther(now time.Time, p *packet, emit Emit) error {
	switch {
	case g.keyManagement(&p.flow, p.flow.Destination), g.pushed(&p.flow) && !g.failsClose():
		return g.bypass(p, core.Inside, emit)
	case p.local():
		return nil
	case p.flow.Protocol == protocolESP, p.flow.Protocol == protocolAH && g.speaksAH():
		return g.inboundESP(now, p, emit)
	case g.learn(now, p):
		return nil
	}
	return g.inboundClear(now, p, emit)
}

// pushed reports whether a packet is a multicast GROUPKEY-PUSH, which may travel on to members further inside.
func (g *Gateway) pushed(f *sadb.Flow) bool {
	return f.Protocol == protocolUDP && f.Destination.IsMulticast() && f.DestinationPort == portGDOI &&
		guardKeyManagement.Kept(g.rules)
}

// inboundClear forwards what policy does not protect. If it fails open, protected traffic passes as long as there is no
// SA that its sender could have used.
func (g *Gateway) inboundClear(now time.Time, p *packet, emit Emit) error {
	if done, err := g.ownPolicy(core.Outside, p, emit); done {
		return err
	}
	if g.failsClose() {
		return g.failClose(core.Outside, p, emit)
	}
	open := g.cfg.FailOpen && !g.db.Knows(now, p.flow)
	if !open && !guardClear.Holds(g.rules, !g.closed(p.flow, core.Outside)) {
		return guardClear.Violated("%v came in clear", p.flow)
	}
	return g.bypass(p, core.Inside, emit)
}

// inboundESP takes a protected packet through the steps of RFC 4303 §3.4: reassembly, SA, then open.
func (g *Gateway) inboundESP(now time.Time, p *packet, emit Emit) error {
	if !guardWhole.Holds(g.rules, !p.fragment) {
		whole, err := g.reassemble(now, p)
		if err != nil || whole == nil {
			return err
		}
		p = &packet{gathered: true}
		if err := p.parse(whole); err != nil {
			return err
		}
	}
	spi, sequence, ok := p.protection()
	if !ok {
		return guardSPI.Violated("no SPI in %d octets of ESP or AH (%s -> %s)", len(p.body()), p.flow.Source, p.flow.Destination)
	}
	e, ok := g.db.LookupInbound(now, spi, p.flow.Destination, p.flow.Source)
	if ok && p.flow.Protocol == protocolOf(e) {
		p.espAt = p.headerLen
		return g.open(now, e, p, emit)
	}
	if done, err := g.ownPolicy(core.Outside, p, emit); done {
		return err
	}
	if !g.cfg.ForwardESP && !guardSPI.Holds(g.rules, false) {
		return guardSPI.Violated("no SA for ESP SPI %08x sequence %d (%s -> %s)", spi, sequence,
			p.flow.Source, p.flow.Destination)
	}
	return g.bypass(p, core.Inside, emit)
}

func (g *Gateway) reassemble(now time.Time, p *packet) ([]byte, error) {
	whole, lost, err := g.fragments.add(now, p)
	g.counts.dropped += lost
	if err != nil {
		return nil, guardWhole.Violated("fragment of ESP %s -> %s: %v", p.flow.Source, p.flow.Destination, err)
	}
	return whole, nil
}

// open decrypts a packet, checks what was inside and forwards it.
func (g *Gateway) open(now time.Time, e *sadb.Entry, outer *packet, emit Emit) error {
	start := g.opened[:0]
	if transports(e) {
		start = append(start, outer.bytes[:outer.headerLen]...)
	}
	plain, next, err := e.SA.OpenPacket(start, outer.bytes, outer.espAt)
	if err != nil {
		g.notRepeated(now, e, outer, err)
		return refused(err, outer.flow)
	}
	g.opened = plain
	if !guardDummy.Holds(g.rules, next != esp.NextNone) {
		g.counts.dropped++
		return nil
	}
	if plain, next, err = g.unstamp(now, e, outer, plain, len(start), next); err != nil {
		return refused(err, outer.flow)
	}
	var inner packet
	if err := inner.unwrap(e, outer, plain, next); err != nil {
		return fmt.Errorf("ESP SPI %08x with next header %d: %w", e.Policy.SPI, next, err)
	}
	if !guardNext.Holds(g.rules, transports(e) || next == inner.protocol() || next == esp.NextNone) {
		return guardNext.Violated("ESP SPI %08x has next header %d, and inside %v", e.Policy.SPI, next, inner.flow)
	}
	if err := g.checkInner(now, e, outer, &inner); err != nil {
		return err
	}
	// Not left to a kernel around the gateway, which would tell the sender in clear and quote the packet.
	if err := g.lives(&inner); err != nil {
		return err
	}
	if !transports(e) {
		g.copyTOS(outer.tos(), &inner)
	}
	g.repair(e, &inner)
	b, err := g.hop(&inner, guardDecapsulateTTL.Kept(g.rules))
	if err != nil {
		return err
	}
	g.counts.decrypted++
	if outer.gathered && inner.is6() && len(b) > minMTU6 {
		return g.scatter(b, emit)
	}
	emit(core.Inside, b)
	return nil
}

// scatter delivers an IPv6 packet in fragments, as its source let it travel. It was put together only to be opened, and a
// router behind the gateway would not fragment it again. What the links there carry is not known but for the least.
func (g *Gateway) scatter(b []byte, emit Emit) error {
	g.id++
	return fragment6(b, minMTU6, g.id, func(piece []byte) error {
		emit(core.Inside, piece)
		return nil
	})
}

// unwrap reads what was inside. In transport mode plain is the packet itself without its ESP header: it gets back the protocol
// and length that it had (RFC 4303 §3.4.4.1).
func (p *packet) unwrap(e *sadb.Entry, outer *packet, plain []byte, next uint8) error {
	if transports(e) {
		plain[outer.nextAt] = next
		finish(plain)
	}
	return p.parse(plain)
}

// checkInner compares the inner packet with the outer header, which ESP does not authenticate (RFC 5374 §5.2), and with
// the SA's selectors (RFC 4301 §5.2).
func (g *Gateway) checkInner(now time.Time, e *sadb.Entry, outer, inner *packet) error {
	preserve := e.Policy.Transform.Preservation
	if !guardSource.Holds(g.rules, !preserve.Source() || outer.flow.Source == inner.flow.Source) {
		return guardSource.Violated("ESP SPI %08x from %s has a packet from %s", e.Policy.SPI, outer.flow.Source, inner.flow.Source)
	}
	if !guardDestination.Holds(g.rules, !preserve.Destination() || outer.flow.Destination == inner.flow.Destination) {
		return guardDestination.Violated("ESP SPI %08x to %s has a packet to %s", e.Policy.SPI, outer.flow.Destination,
			inner.flow.Destination)
	}
	if !guardSelector.Holds(g.rules, g.db.Covers(now, e, g.unswapped(inner.flow))) {
		return guardSelector.Violated("ESP SPI %08x, which is for %v, has %v", e.Policy.SPI, e.Policy.Selector, inner.flow)
	}
	return nil
}

// unswapped is the flow as it travels, which is how selectors of multicast groups are written for both ends (RFC 5374 §4.1.1).
func (g *Gateway) unswapped(f sadb.Flow) sadb.Flow {
	if f.Destination.IsMulticast() && !guardUnswapped.Kept(g.rules) {
		f.Source, f.Destination = f.Destination, f.Source
	}
	return f
}

// copyTOS marks congestion that the outer packet met on an inner one that is ECN-capable; the DSCP stays (RFC 4301
// §5.1.2.1). A packet that is not ECN-capable is delivered all the same; that it be dropped is asked only later (RFC 6040 §4.2).
func (g *Gateway) copyTOS(outer byte, inner *packet) {
	was := inner.tos()
	tos := was
	if outer&maskECN == ecnCE && guardInnerECT.Holds(g.rules, tos&maskECN != 0) && guardInnerCE.Kept(g.rules) {
		tos |= ecnCE
	}
	if !guardInnerDSCP.Kept(g.rules) {
		tos = tos&maskECN | outer&^maskECN
	}
	if tos != was {
		inner.setTOS(tos)
	}
}

package gateway

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/internal/inet"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/sadb"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// ESP in UDP (RFC 3948 §2.1). What stands in front of ESP belongs to the outer header:
//
//	IP | source port 4500 (2) | destination port 4500 (2) | length (2) | checksum (2) | SPI, never 0 | … | ICV
//
// The checksum is 0 over IPv4. RFC 3948 knows no IPv6, where a datagram without a checksum is dropped by all who have not agreed
// on it (RFC 8200 §8.1, RFC 6935): there it is a right one. Nobody looks at it when it is received, since the ICV covers more.
var (
	guardUDP = rule.Check("gateway.install.udp", "RFC2407-4.5.3-01", rule.GM,
		"SAs of ESP in UDP are used only by a member that takes part in NAT traversal, and so has the port")
	guardUDPPorts = rule.Duty("gateway.udp.ports", "RFC3948-2.1-01", rule.GM,
		"ESP in UDP is sent from and to the port of IKE behind NATs")
	guardUDPPort = rule.Check("gateway.udp.port", "RFC3948-2.1-01", rule.GM,
		"ESP in UDP is taken from the port of IKE behind NATs only")
	guardUDPZero = rule.Duty("gateway.udp.zero", "RFC3948-2.1-02", rule.GM,
		"the UDP checksum in front of ESP is 0 over IPv4")
	guardUDPAny = rule.Duty("gateway.udp.any", "RFC3948-2.1-03", rule.GM,
		"the UDP checksum in front of ESP need not be 0")
	guardUDPSPI = rule.Duty("gateway.udp.spi", "RFC3948-2.1-04", rule.GM,
		"nothing stands between the UDP header and ESP")
	guardUDPMarker = rule.Check("gateway.udp.marker", "RFC3948-2.1-04", rule.GM,
		"what begins with four octets of zero is not ESP")
	guardUDPRepair = rule.Duty("gateway.udp.repair", "RFC3948-3.1.2-01", rule.GM,
		"in transport mode the checksum of TCP and UDP is made anew, since a NAT may have changed the addresses")
	guardUDPVerify = rule.Duty("gateway.udp.verify", "RFC3948-3.1.2-02", rule.GM,
		"in tunnel mode the checksum of TCP is left for the receiver to verify")
)

const (
	udpLen = 8

	offUDPLength   = 4
	offUDPChecksum = 6
	offTCPChecksum = 16

	protocolTCP = 6
)

// inUDP reports whether the packets of an entry travel in UDP. There is no AH in UDP.
func inUDP(e *sadb.Entry) bool {
	return e.Policy.Transform.Mode.UDP() && e.Policy.Transform.Protocol == policy.ProtocolESP
}

// udpLenOf is the length of what stands between the IP header and ESP.
func udpLenOf(e *sadb.Entry) int {
	if inUDP(e) {
		return udpLen
	}
	return 0
}

// SpeaksUDP reports whether there is an SA whose ESP travels in UDP. Where there is none, what comes to port 4500 is traffic like
// any other: hosts may have SAs of their own.
func (g *Gateway) SpeaksUDP() bool { return slices.ContainsFunc(g.db.Entries(), inUDP) }

// appendUDP appends a UDP header without length.
func (g *Gateway) appendUDP(b []byte) []byte {
	port := uint16(natt.Port)
	if !guardUDPPorts.Kept(g.rules) {
		port++
	}
	b = binary.BigEndian.AppendUint16(b, port)
	b = binary.BigEndian.AppendUint16(b, port)
	b = append(b, make([]byte, udpLen-offUDPLength)...)
	if !guardUDPSPI.Kept(g.rules) {
		b = natt.AppendMarker(b)
	}
	return b
}

// finishUDP sets length and checksum of the UDP header that begins there in a packet which is otherwise complete.
func (g *Gateway) finishUDP(b []byte, at int) {
	header := b[at:]
	binary.BigEndian.PutUint16(header[offUDPLength:], uint16(len(header)))
	if b[0]>>4 == 6 || !guardUDPZero.Kept(g.rules) {
		inet.SetChecksum(b, at, protocolUDP)
	}
}

// inboundUDP takes a UDP packet from outside where ESP may be in UDP. What is none of that is traffic like any other. Fragments do
// not tell before they are put together: only the first has the ports.
func (g *Gateway) inboundUDP(now time.Time, p *packet, emit Emit) error {
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
	switch kind := g.splitUDP(p); {
	case kind == natt.KindKeepalive && g.Protects(p.flow):
		return nil // it has done its work at the NATs on the way (RFC 3948 §2.3)
	case kind == natt.KindESP:
		return g.inboundInUDP(now, p, emit)
	}
	return g.inboundOther(now, p, emit)
}

// splitUDP tells what a UDP packet to port 4500 holds, and where ESP begins in it; 0 if it holds nothing that is known.
func (g *Gateway) splitUDP(p *packet) natt.Kind {
	body := p.body()
	if len(body) < udpLen || !guardUDPPort.Holds(g.rules, p.flow.DestinationPort == natt.Port) {
		return 0
	}
	length := int(binary.BigEndian.Uint16(body[offUDPLength:]))
	if length < udpLen || length > len(body) {
		return 0
	}
	kind, _, _ := natt.Split(body[udpLen:length])
	p.espAt = p.headerLen + udpLen
	if kind == natt.KindISAKMP && guardUDPMarker.Holds(g.rules, false) {
		kind, p.espAt = natt.KindESP, p.espAt+natt.MarkerLen
	}
	if kind == natt.KindESP {
		p.bytes = p.bytes[:p.headerLen+length]
	}
	return kind
}

// inboundInUDP takes what looks like ESP in UDP. If there is no SA for it, it may be some host's own, unless it is for the gateway
// itself.
func (g *Gateway) inboundInUDP(now time.Time, p *packet, emit Emit) error {
	esp := p.bytes[p.espAt:]
	own := p.flow.Destination == g.own(p.is6())
	switch {
	case len(esp) < espFixed && own:
		return guardSPI.Violated("no SPI in %d octets of ESP in UDP (%s -> %s)", len(esp), p.flow.Source, p.flow.Destination)
	case len(esp) < espFixed:
		return g.inboundOther(now, p, emit)
	}
	spi, sequence := binary.BigEndian.Uint32(esp), binary.BigEndian.Uint32(esp[4:])
	e, ok := g.db.LookupInbound(now, spi, p.flow.Destination, p.flow.Source)
	none := binary.BigEndian.Uint16(p.body()[offUDPChecksum:]) == 0
	switch {
	case ok && inUDP(e) && (none || guardUDPAny.Kept(g.rules)):
		return g.open(now, e, p, emit)
	case g.cfg.ForwardESP:
		return g.bypass(p, core.Inside, emit)
	case own && !guardSPI.Holds(g.rules, false):
		return guardSPI.Violated("no SA for ESP in UDP, SPI %08x sequence %d (%s -> %s)", spi, sequence, p.flow.Source, p.flow.Destination)
	}
	return g.inboundOther(now, p, emit)
}

// apart forwards to the inside, in pieces as it came, what was put together only to see that it is no ESP in UDP.
func (g *Gateway) apart(b []byte, emit Emit) error {
	if b[0]>>4 == 6 && len(b) > minMTU6 {
		return g.scatter(b, emit)
	}
	if b[0]>>4 == 6 {
		emit(core.Inside, b)
		return nil
	}
	return fragment4(b, g.cfg.MTU, func(piece []byte) error {
		emit(core.Inside, piece)
		return nil
	})
}

// repair makes the checksum of TCP or UDP inside a packet that came in transport mode in UDP anew (RFC 3948 §3.1.2): it may have
// been made over addresses that a NAT has replaced, and the ICV has vouched for what it covers. None stays none.
func (g *Gateway) repair(e *sadb.Entry, p *packet) {
	again := guardUDPRepair.Kept(g.rules)
	if !transports(e) {
		again = !guardUDPVerify.Kept(g.rules)
	}
	offset := offTCPChecksum
	if p.flow.Protocol == protocolUDP {
		offset = offUDPChecksum
	}
	body := p.body()
	switch {
	case !inUDP(e), !again, p.fragment, p.flow.Protocol != protocolTCP && p.flow.Protocol != protocolUDP, len(body) < offset+2:
	case p.flow.Protocol == protocolUDP && !p.is6() && body[offset] == 0 && body[offset+1] == 0:
	default:
		inet.SetChecksum(p.bytes, p.headerLen, p.flow.Protocol)
	}
}

// HandleDatagram takes ESP in UDP that came to a socket of the node, as Handle takes packets from outside.
func (g *Gateway) HandleDatagram(now time.Time, d *core.Datagram, emit Emit) error {
	g.arrived = appendPacket(g.arrived[:0], d)
	return g.Handle(now, core.Outside, g.arrived, emit)
}

// appendPacket appends the packet that a datagram came in, as far as it matters: its addresses, DSCP and ECN.
func appendPacket(b []byte, d *core.Datagram) []byte {
	var h [header6Len]byte
	if from, to := d.From.Addr(), d.To.Addr(); from.Is6() {
		h[0], h[1], h[off6Next], h[off6HopLimit] = 6<<4|d.TOS>>4, d.TOS<<4, protocolUDP, defaultTTL
		putAddr6(h[off6Source:], from)
		putAddr6(h[off6Destination:], to)
		b = append(b, h[:]...)
	} else {
		h[0], h[offTOS], h[offTTL], h[offProtocol] = 4<<4|headerLen/4, d.TOS, defaultTTL, protocolUDP
		putAddr4(h[offSource:], from)
		putAddr4(h[offDestination:], to)
		b = append(b, h[:headerLen]...)
	}
	b = binary.BigEndian.AppendUint16(b, d.From.Port())
	b = binary.BigEndian.AppendUint16(b, d.To.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(udpLen+len(d.Data)))
	b = append(append(b, 0, 0), d.Data...)
	finish(b)
	return b
}

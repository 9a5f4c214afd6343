package member

import (
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// defaultKeepalive is how long a member behind a NAT is silent before it sends a keepalive (RFC 3948 §4).
const defaultKeepalive = 20 * time.Second

var (
	guardAnyPort = rule.Duty("member.natt.port", "RFC3947-3-01", rule.GM,
		"a message is taken whatever port it comes from")
	guardLatest = rule.Duty("member.natt.latest", "RFC3947-3-02", rule.GM,
		"what the member sends under Phase 1 goes to where the key server was last")
	guardKeepalive = rule.Duty("member.natt.keepalive", "RFC3947-3.2-03", rule.GM,
		"a member behind a NAT sends keepalives")
	guardEvidence = rule.Duty("member.natt.evidence", "RFC3948-4-02", rule.GM,
		"a keepalive does not show that the key server is alive")
	guardKeepaliveTime = rule.Timer("member.natt.interval", "RFC3948-4-01", rule.GM, 5*time.Second,
		"a keepalive is sent when nothing was sent for the configured time")
)

// keeper keeps the mapping of a NAT in front of the member alive, so that PUSH messages find their way in.
type keeper struct {
	at       time.Time // of the next keepalive; zero if there is no NAT
	from, to netip.AddrPort
}

// carrier is what makes datagrams of messages, and messages of datagrams.
func (h *host) carrier() *ike.Config { return &ike.Config{Rules: h.rules, Tap: h.tap} }

// arrived returns a datagram as its message came, without the marker of port 4500; nil if there is no message in it.
func (m *Member) arrived(now time.Time, d *core.Datagram) *core.Datagram {
	if !guardAnyPort.Kept(m.rules) && d.From.Port() != port && d.From.Port() != natt.Port {
		return nil
	}
	if d.To.Port() != natt.Port {
		return d
	}
	if m.carriesESP(d) {
		m.onESP(now, d)
		return nil
	}
	message, err := m.carrier().Arrive(d.Data)
	if err != nil {
		m.groups[0].refuse(now, err, d.From)
	}
	if err != nil || message == nil {
		m.noEvidence()
		return nil
	}
	return &core.Datagram{From: d.From, To: d.To, Data: message}
}

// noEvidence does what a keepalive does to the exchanges that wait for an answer: nothing, but in a mutant that takes it for a sign
// of life.
func (m *Member) noEvidence() {
	for _, g := range m.groups {
		if g.pull != nil && !guardEvidence.Kept(m.rules) {
			g.pull.repeat.copies = 0
		}
	}
}

// onArrival takes a datagram to any of the member's ports.
func (m *Member) onArrival(now time.Time, d *core.Datagram) {
	if d = m.arrived(now, d); d != nil {
		m.onDatagram(now, d)
	}
}

// transmit emits a datagram. One that passes the NAT is as good as a keepalive.
func (m *membership) transmit(s core.Send) {
	if !m.cfg.Phase1.NATTraversal {
		m.emit(&s)
		return
	}
	if out := m.carrier().Leave(s); out != nil {
		m.emit(out)
	}
	if s.From == m.keeper.from && s.To == m.keeper.to {
		m.silence(m.now)
	}
}

// keep begins or ends keepalives, as the Phase 1 that has come up has found a NAT in front of the member or not.
func (m *membership) keep(now time.Time) {
	m.keeper = keeper{}
	if m.phase1.BehindNAT() && guardKeepalive.Kept(m.rules) {
		m.keeper.from, m.keeper.to = m.phase1.Local(), m.phase1.Peer()
		m.silence(now)
	}
}

// silence begins a time in which nothing is sent.
func (m *membership) silence(now time.Time) {
	m.keeper.at = now.Add(max(guardKeepaliveTime.Delay(m.rules, m.cfg.Phase1.Keepalive), leastWait))
}

func (m *membership) sendKeepalive() {
	m.transmit(m.carrier().Keepalive(m.keeper.from, m.keeper.to))
}

// track has everything under Phase 1 go to where a proven message came from: a NAT in front of the key server may give it
// another port at any time (RFC 3947 §3).
func (m *membership) track(now time.Time, d *core.Datagram) {
	if !m.cfg.Phase1.NATTraversal || m.phase1.Peer() == d.From || !guardLatest.Kept(m.rules) {
		return
	}
	m.phase1.Follow(d.From, d.To)
	m.keep(now)
}

// asks reports whether a Phase 1 SA is with that key server, whose port a NAT on the way may have changed.
func (m *membership) asks(server netip.AddrPort) bool {
	peer := m.phase1.Peer()
	return peer == server || m.cfg.Phase1.NATTraversal && peer.Addr() == server.Addr()
}

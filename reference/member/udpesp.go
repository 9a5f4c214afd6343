package member

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gateway"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

var guardApart = rule.Duty("member.udp.apart", "RFC3948-2.1-04", rule.GM,
	"on the port that ESP shares with it, what begins with four octets of zero is key management")

// carriesESP reports whether a datagram to port 4500 is for the data path (RFC 3948 §2). Without an SA of ESP in UDP the port is
// that of key management alone.
func (m *Member) carriesESP(d *core.Datagram) bool {
	kind, _, err := natt.Split(d.Data)
	return err == nil && (kind == natt.KindESP || !guardApart.Kept(m.rules)) && m.gateway.SpeaksUDP()
}

// onESP hands ESP in UDP that came to the member's own address to the gateway.
func (m *Member) onESP(now time.Time, d *core.Datagram) {
	m.handled(now, m.gateway.HandleDatagram(now, d, m.forward))
}

// Carry takes a datagram to port 4500 as Gateway().Handle takes packets, if it is for the data path, and reports whether it is. A node
// may ask, under the lock that also guards Handle; Handle does with such a datagram what Carry does, only not as fast.
func (m *Member) Carry(now time.Time, d *core.Datagram, emit gateway.Emit) (taken bool, err error) {
	if d.To.Port() != natt.Port || !guardAnyPort.Kept(m.rules) || !m.gateway.Hears(d.From, d.To) || !m.carriesESP(d) {
		return false, nil
	}
	return true, m.gateway.HandleDatagram(now, d, emit)
}

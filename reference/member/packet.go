package member

import (
	"bytes"
	"errors"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var guardExhausted = rule.Duty("member.sid.exhausted", "RFC6407-5.6.4.3-03", rule.GM,
	"a member that has run out of IVs registers again")

// exhausted is the requirement that the data path names when a sender has no IV left.
const exhausted rule.ID = "RFC6407-5.6.4.3-02"

// onPacket hands a packet to the gateway and forwards what it makes of it.
func (m *Member) onPacket(now time.Time, p *core.Packet) {
	m.handled(now, m.gateway.Handle(now, p.From, p.Data, m.forward))
}

func (m *Member) forward(to core.Side, packet []byte) {
	m.emit(&core.Forward{To: to, Data: bytes.Clone(packet)})
}

// handled takes what the gateway says of a packet.
func (m *Member) handled(now time.Time, err error) {
	var v *rule.Violation
	if errors.As(err, &v) {
		m.refusedPacket(now, v)
	}
}

// refusedPacket counts and logs a packet that was dropped. A sender without IVs needs a new Sender-ID of its group.
func (m *Member) refusedPacket(now time.Time, v *rule.Violation) {
	m.emit(m.rejects.Refuse(now, v, netip.AddrPort{})...)
	for _, g := range m.groups {
		g.tellRepeated()
		spent := g.gateway.Spent() || len(m.groups) == 1
		if spent && v.Guard.ID == exhausted && guardExhausted.Kept(m.rules) && g.registration.at.IsZero() {
			g.renew(now, "the Sender-ID is used up")
		}
		g.onWanted(now)
	}
}

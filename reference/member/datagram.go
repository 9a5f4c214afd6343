package member

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var (
	guardSession = rule.Check("member.cookies", "RFC6407-7.2.4-01", rule.GM,
		"the cookies of a registration message name a live Phase 1")
	guardPushCookies = rule.Check("member.push.cookies", "RFC6407-4.4-01", rule.GM,
		"the cookie pair of a PUSH names the Rekey SA in force")
)

// onDatagram finds out from the cookies what a datagram belongs to (RFC 2408 §2.5.3). What belongs to nothing is dropped
// at almost no cost.
func (m *Member) onDatagram(now time.Time, d *core.Datagram) {
	m.expire(now)
	h, err := isakmp.ParseHeader(d.Data)
	switch {
	case err != nil:
		m.refuseGuard(now, guardSession, d.From)
	case m.rekey != nil && m.rekey.SPI == cookiePair(h):
		m.onPush(now, d, h)
	case m.inPhase1(h):
		m.onPhase1(now, d)
	case m.phase1 != nil && m.underPhase1(h):
		m.onProtected(now, d, h)
	case h.Exchange == isakmp.ExchangePush:
		m.onStrangePush(now, d, h)
	case m.phase1 != nil && guardSession.Holds(m.rules, false):
		m.onProtected(now, m.asOwn(d), h) // the mutant takes it as if the cookies were right
	default:
		m.refuseGuard(now, guardSession, d.From)
	}
}

func cookiePair(h isakmp.Header) (spi [16]byte) {
	copy(spi[:8], h.InitiatorCookie[:])
	copy(spi[8:], h.ResponderCookie[:])
	return spi
}

// inPhase1 reports whether a message is of the Phase 1 in progress, which before message 2 has no responder cookie.
func (m *Member) inPhase1(h isakmp.Header) bool {
	if m.exchange == nil {
		return false
	}
	i, _ := m.exchange.Cookies()
	return i == h.InitiatorCookie
}

// underPhase1 reports whether a message is protected by the Phase 1 SA.
func (m *Member) underPhase1(h isakmp.Header) bool {
	i, r := m.phase1.Cookies()
	return i == h.InitiatorCookie && r == h.ResponderCookie
}

// asOwn gives a datagram the cookies of the Phase 1 SA.
func (m *Member) asOwn(d *core.Datagram) *core.Datagram {
	i, r := m.phase1.Cookies()
	data := append(append(i[:], r[:]...), d.Data[len(i)+len(r):]...)
	return &core.Datagram{From: d.From, To: d.To, Data: data}
}

// onProtected takes what comes under the Phase 1 SA: the PULL, an Informational, or an echo of Phase 1 itself.
func (m *Member) onProtected(now time.Time, d *core.Datagram, h isakmp.Header) {
	switch h.Exchange {
	case isakmp.ExchangeInformational:
		m.onInformational(now, d)
	case isakmp.ExchangeMainMode:
		datagrams, _ := m.phase1.Duplicate(d.Data)
		m.send(datagrams...)
	default:
		m.onPull(now, d)
	}
}

// onStrangePush takes a PUSH whose cookies do not name the Rekey SA. A copy of the message that replaced the KEK is no
// cause for alarm.
func (m *Member) onStrangePush(now time.Time, d *core.Datagram, h isakmp.Header) {
	switch {
	case m.replaced == cookiePair(h) && m.recent.has(d.Data):
		m.refuseGuard(now, guardDuplicate, d.From)
	case m.rekey == nil || !guardPushCookies.Holds(m.rules, false):
		m.refuseGuard(now, guardPushCookies, d.From)
	default:
		m.onPush(now, d, h)
	}
}

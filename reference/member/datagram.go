package member

import (
	"crypto/sha256"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var (
	guardSession = rule.Check("member.cookies", "RFC6407-7.2.4-01", rule.GM,
		"the cookies of a registration message name a live Phase 1")
	guardOver = rule.Check("member.phase1.over", "RFC2408-5.2-04", rule.GM,
		"once Phase 1 is over its messages come only as copies of what was there")
	guardPushCookies = rule.Check("member.push.cookies", "RFC6407-4.4-01", rule.GM,
		"the cookie pair of a PUSH names the Rekey SA in force")
	guardGroup = rule.Duty("member.group.cookies", "RFC6407-4.4-01", rule.GM,
		"the cookies tell which of the member's groups a message is of")
)

// cookiePair is the 16 octets that every message begins with (RFC 2408 §3.1).
type cookiePair [16]byte

func pairOf(i, r isakmp.Cookie) (c cookiePair) {
	copy(c[:8], i[:])
	copy(c[8:], r[:])
	return c
}

// onDatagram finds out from the cookies which group a datagram belongs to (RFC 2408 §2.5.3). What belongs to nothing is
// dropped at almost no cost.
func (m *Member) onDatagram(now time.Time, d *core.Datagram) {
	m.expire(now)
	if len(d.Data) < isakmp.HeaderLen {
		m.refuseGuard(now, guardSession, d.From)
		return
	}
	cookies := cookiePair(d.Data[:16])
	m.groupOf(cookies).onDatagram(now, d, cookies)
}

// groupOf is the membership that knows the cookies. What none of the others knows goes to the first, which will refuse it if need be.
func (m *Member) groupOf(cookies cookiePair) *membership {
	for _, g := range m.groups[1:] {
		if g.knows(cookies) && guardGroup.Kept(m.rules) {
			return g
		}
	}
	return m.groups[0]
}

// knows reports whether the cookies are those of the Rekey SA, of the one before it, or of Phase 1.
func (m *membership) knows(cookies cookiePair) bool {
	return m.isRekeySA(cookies) || cookiePair(m.replaced) == cookies || m.inPhase1(cookies) || m.isPhase1(cookies)
}

func (m *membership) isRekeySA(cookies cookiePair) bool {
	return m.rekey != nil && cookiePair(m.rekey.SPI) == cookies
}

func (m *membership) isPhase1(cookies cookiePair) bool {
	return m.phase1 != nil && pairOf(m.phase1.Cookies()) == cookies
}

// onDatagram takes a message of the group, or one that is nobody's.
func (m *membership) onDatagram(now time.Time, d *core.Datagram, cookies cookiePair) {
	switch {
	case m.isRekeySA(cookies):
		m.onPush(now, d)
	case m.inPhase1(cookies):
		m.onPhase1(now, d)
	case m.isPhase1(cookies):
		m.onProtected(now, d)
	case exchangeOf(d) == isakmp.ExchangePush:
		m.onStrangePush(now, d, cookies)
	case m.phase1 != nil && guardSession.Holds(m.rules, false):
		m.onProtected(now, m.asOwn(d)) // the mutant takes it as if the cookies were right
	default:
		m.refuseGuard(now, guardSession, d.From)
	}
}

// exchangeOf is the exchange type of a message that has a header.
func exchangeOf(d *core.Datagram) isakmp.ExchangeType { return isakmp.ExchangeType(d.Data[18]) }

// inPhase1 reports whether a message is of the Phase 1 in progress, which before message 2 has no responder cookie.
func (m *membership) inPhase1(cookies cookiePair) bool {
	if m.exchange == nil {
		return false
	}
	i, _ := m.exchange.Cookies()
	return i == isakmp.Cookie(cookies[:8])
}

// asOwn gives a datagram the cookies of the Phase 1 SA.
func (m *membership) asOwn(d *core.Datagram) *core.Datagram {
	own := pairOf(m.phase1.Cookies())
	data := append(own[:], d.Data[len(own):]...)
	return &core.Datagram{From: d.From, To: d.To, Data: data}
}

// onProtected takes what comes under the Phase 1 SA: the PULL, an Informational, or an echo of Phase 1 itself.
func (m *membership) onProtected(now time.Time, d *core.Datagram) {
	switch exchangeOf(d) {
	case isakmp.ExchangeInformational:
		m.onInformational(now, d)
	case isakmp.ExchangeMainMode, isakmp.ExchangeAggressive:
		datagrams, ok := m.phase1.Duplicate(d.Data)
		if !guardOver.Holds(m.rules, ok) {
			m.refuseGuard(now, guardOver, d.From)
		}
		m.send(datagrams...)
	default:
		m.onPull(now, d)
	}
}

// onStrangePush takes a PUSH whose cookies do not name the Rekey SA. A copy of the message that replaced the KEK is no
// cause for alarm.
func (m *membership) onStrangePush(now time.Time, d *core.Datagram, cookies cookiePair) {
	switch {
	case cookiePair(m.replaced) == cookies && m.recent.has(sha256.Sum256(d.Data)):
		m.refuseGuard(now, guardDuplicate, d.From)
	case m.rekey == nil || !guardPushCookies.Holds(m.rules, false):
		m.refuseGuard(now, guardPushCookies, d.From)
	default:
		m.onPush(now, d)
	}
}

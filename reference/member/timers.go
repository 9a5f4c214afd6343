package member

import (
	"time"
)

// Deadline is when the member wants a Timer event: the earliest of what it waits for.
func (m *Member) Deadline() (time.Time, bool) {
	var next earliest
	for _, g := range m.groups {
		g.deadline(&next)
	}
	next.orIf(m.gateway.Deadline())
	return next.at, !next.at.IsZero()
}

func (m *membership) deadline(next *earliest) {
	if m.exchange != nil {
		next.orIf(m.exchange.Deadline())
	}
	if m.pull != nil {
		next.or(m.pull.repeat.at)
	}
	if m.phase1 != nil {
		next.or(m.phase1.Wake())
	}
	if m.rekey != nil {
		next.or(m.rekey.expiry)
		next.or(m.rekey.renew)
	}
	next.or(m.kekGone)
	next.or(m.registration.at)
	next.or(m.leases.renewAt)
	m.outlet.deadline(next)
	next.or(m.keeper.at)
	if m.getvpn() {
		next.or(m.directions.passive)
		next.or(m.tracked.at)
	}
}

// earliest is the first of some times. Zero times do not count.
type earliest struct{ at time.Time }

func (e *earliest) or(t time.Time) {
	if !t.IsZero() && (e.at.IsZero() || t.Before(e.at)) {
		e.at = t
	}
}

func (e *earliest) orIf(t time.Time, ok bool) {
	if ok {
		e.or(t)
	}
}

func due(now, at time.Time) bool { return !at.IsZero() && !now.Before(at) }

// onTimer does what is due.
func (m *Member) onTimer(now time.Time) {
	m.expire(now)
	m.gateway.Expire(now)
	for _, g := range m.groups {
		g.onTimer(now)
	}
}

// expire ends in every group what has outlived its lifetime.
func (m *Member) expire(now time.Time) {
	for _, g := range m.groups {
		g.expire(now)
	}
}

func (m *membership) onTimer(now time.Time) {
	if m.exchange != nil {
		if at, ok := m.exchange.Deadline(); ok && due(now, at) {
			m.phase1Timeout(now)
		}
	}
	if m.pull != nil && due(now, m.pull.repeat.at) {
		m.pullTimeout(now)
	}
	if due(now, m.leases.renewAt) {
		m.leases.renewAt = time.Time{}
		m.tellMissed()
		m.renew(now, "no rekey has come, and the SAs end soon")
	}
	m.renewKEK(now)
	if due(now, m.registration.at) {
		m.register(now)
	}
	if due(now, m.keeper.at) {
		m.sendKeepalive()
	}
	m.directionsDue(now)
}

// expire ends what has outlived its lifetime, so that no message is taken under it.
func (m *membership) expire(now time.Time) {
	m.outlet.expire(now)
	if m.rekey != nil && due(now, m.rekey.expiry) {
		m.kekEnds(now)
	}
	if m.phase1 != nil && due(now, m.phase1.Wake()) {
		m.onPhase1Timer(now)
	}
}

package keyserver

import (
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// onDatagram finds out by the cookies whom a datagram concerns. Until that is known nothing is read but the cookies, so
// that floods of strangers cost next to nothing.
func (k *KeyServer) onDatagram(now time.Time, d *core.Datagram) {
	if d = k.arrived(now, d); d == nil {
		return
	}
	if len(d.Data) < isakmp.HeaderLen {
		k.refuseGuard(now, guardShort, d.From)
		return
	}
	pair := cookies(d.Data[:16])
	if s := k.sessions.byCookies[pair]; s != nil {
		k.onSession(now, s, d)
	} else if c := k.byRekey[pair]; c != nil {
		k.onAck(now, c, d)
	} else if isakmp.Cookie(pair[8:]).IsZero() {
		k.onOpening(now, isakmp.Cookie(pair[:8]), d)
	} else {
		k.refuseGuard(now, guardCookies, d.From)
	}
}

// onOpening takes a message without a responder cookie: the first of a Phase 1, or a repeat of it.
func (k *KeyServer) onOpening(now time.Time, cookie isakmp.Cookie, d *core.Datagram) {
	if s := k.sessions.byOpening[opening{cookie, d.From}]; s != nil {
		k.onPhase1(now, s, d)
		return
	}
	if !k.begins(d) || k.overloaded(d.From) {
		return
	}
	x, replies, err := ike.Respond(k.phase1At(d.To), now, d.From, d.Data)
	k.refuse(now, err, d.From)
	k.send(replies...)
	if x != nil && err == nil {
		k.sessions.add(x)
	}
}

// onSession takes a message with the cookies of a Phase 1.
func (k *KeyServer) onSession(now time.Time, s *session, d *core.Datagram) {
	k.unproven(s, d)
	exchange := isakmp.ExchangeType(d.Data[18])
	switch {
	case exchange == isakmp.ExchangePull:
		if !guardPhase1.Holds(k.opts.Rules, s.sa != nil) {
			k.refuse(now, guardPhase1.Violated("PULL before Phase 1 is complete"), d.From)
		}
		if s.sa != nil {
			k.onPull(now, s, d)
		}
	case s.sa == nil || exchange == isakmp.ExchangeMainMode || exchange == isakmp.ExchangeAggressive:
		k.onPhase1(now, s, d)
	case exchange == isakmp.ExchangeInformational:
		k.onInformational(now, s, d)
	default:
		k.refuseExchange(now, exchange, d)
	}
}

func (k *KeyServer) refuseExchange(now time.Time, exchange isakmp.ExchangeType, d *core.Datagram) {
	if !guardExchange.Holds(k.opts.Rules, false) {
		k.refuse(now, guardExchange.Violated("%v cannot be used under these cookies", exchange), d.From)
	}
}

// onPhase1 takes a message of a Phase 1 in progress, or a late repeat of one of an established SA.
func (k *KeyServer) onPhase1(now time.Time, s *session, d *core.Datagram) {
	if s.sa != nil {
		if err := s.sa.Former(d.To); err != nil {
			k.refuse(now, err, d.From)
			return
		}
		replies, ok := s.sa.Duplicate(d.Data)
		if !ok {
			k.refuseExchange(now, isakmp.ExchangeType(d.Data[18]), d)
		}
		k.send(replies...)
		return
	}
	replies, sa, err := s.exchange.HandleAt(now, d.From, d.To, d.Data)
	k.refuse(now, err, d.From)
	k.send(replies...)
	if sa == nil {
		k.sessions.goesOn(s)
		return
	}
	k.establish(s, sa)
	k.keep(s, d)
	secret := sa.Secret()
	k.secret(&core.Secret{Phase1: &secret})
	k.log(core.Info, "PHASE1_UP", "Phase 1 is established", field("peer", sa.Peer()), field("identity", sa.PeerName().Identity.Brief()),
		field("cookies", fmt.Sprintf("%x", s.cookies[:])))
}

// onSessionTimer wakes an SA, or gives up a Phase 1 that does not go on.
func (k *KeyServer) onSessionTimer(now time.Time, s *session) {
	if s.sa != nil {
		k.onPhase1Timer(now, s)
		return
	}
	replies, err := s.exchange.Timeout(now)
	k.send(replies...)
	before := s.wake
	k.sessions.reschedule(s)
	if err != nil || !s.wake.After(before) {
		k.log(core.Info, "PHASE1_FAILED", "Phase 1 was not completed", field("peer", s.exchange.Peer()))
		k.sessions.remove(s)
	}
}

// onInformational takes a protected Informational: the peer may delete its Phase 1 SA (RFC 2408 §4.8, RFC 6407 §3.3).
// Group keys do not end with it.
func (k *KeyServer) onInformational(now time.Time, s *session, d *core.Datagram) {
	o, err := s.sa.OpenInformational(d.Data)
	if err != nil {
		k.refuse(now, err, d.From)
		return
	}
	k.track(s, d)
	deleted, err := s.sa.Deleted(o)
	k.refuse(now, err, d.From)
	if deleted {
		k.tellRejected(s, d.From)
		k.sessions.remove(s)
		k.log(core.Info, "PHASE1_DELETED", "the peer deleted its Phase 1 SA", field("peer", d.From))
		return
	}
	replies, err := s.sa.Liveness(now, o, k.opts.Rand)
	k.refuse(now, err, d.From)
	k.send(replies...)
	k.sessions.reschedule(s)
}

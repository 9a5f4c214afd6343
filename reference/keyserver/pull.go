package keyserver

import (
	"crypto/sha256"
	"errors"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

const (
	// pullPatience is how long message 3 may take; what was offered in message 2 is old after that.
	pullPatience = time.Minute
	// pullsKept is how many PULLs of one Phase 1 SA are remembered, to know repeats again (RFC 6407 §7.2.5).
	pullsKept = 256
)

// pull is one GROUPKEY-PULL. It waits for message 3, and once that has come it only answers repeats of it.
type pull struct {
	id     uint32 // Message ID
	began  time.Time
	stream *ike.Stream
	asked  gdoi.ID // how message 1 names the group
	group  *carried
	offer  *group.Offer
	ni, nr []byte

	first, third   [sha256.Size]byte // of the datagrams received
	second, fourth ike.Datagram      // the answers to them
	finished       bool
}

// finish ends the exchange and lets go of what was needed for it.
func (p *pull) finish(third [sha256.Size]byte, fourth ike.Datagram) {
	p.third, p.fourth, p.finished = third, fourth, true
	p.second, p.stream, p.group, p.offer, p.ni, p.nr = ike.Datagram{}, nil, nil, nil, nil, nil
}

// pulls are those of one Phase 1 SA, by Message ID and in their order.
type pulls struct {
	byID  map[uint32]*pull
	order []*pull
}

func (t *pulls) add(p *pull) {
	if t.byID == nil {
		t.byID = make(map[uint32]*pull)
	}
	t.remove(p.id)
	if len(t.order) >= pullsKept {
		t.remove(t.order[0].id)
	}
	t.byID[p.id] = p
	t.order = append(t.order, p)
}

func (t *pulls) remove(id uint32) {
	p := t.byID[id]
	if p == nil {
		return
	}
	delete(t.byID, id)
	for i := range t.order {
		if t.order[i] == p {
			t.order = append(t.order[:i:i], t.order[i+1:]...)
			return
		}
	}
}

// onPull takes a message of a GROUPKEY-PULL. A repeat of the last one is answered with the octets of the last answer; no
// other message finds its way into an exchange that is over (RFC 6407 §7.2.4 and §7.2.5).
func (k *KeyServer) onPull(now time.Time, s *session, d *core.Datagram) {
	id := messageID(d.Data)
	digest := sha256.Sum256(d.Data)
	p := s.pulls.byID[id]
	if p != nil && !p.finished && now.Sub(p.began) > pullPatience {
		s.pulls.remove(id)
		p = nil
	}
	switch {
	case p == nil:
		k.onPull1(now, s, d, digest)
	case p.finished && digest == p.third:
		k.send(k.again(s, p.fourth, d))
	case p.finished:
		k.onPullAgain(now, s, p, d, digest)
	case digest == p.first:
		k.send(k.again(s, p.second, d))
	default:
		k.onPull3(now, s, p, d, digest)
	}
}

// onPullAgain takes a message that comes after the end of its exchange. It is refused, whether it is a repeat or new.
func (k *KeyServer) onPullAgain(now time.Time, s *session, p *pull, d *core.Datagram, digest [sha256.Size]byte) {
	if !guardRepeat.Holds(k.opts.Rules, digest != p.first) {
		k.refuse(now, guardRepeat.Violated("message 1 of PULL %08x again", p.id), d.From)
		return
	}
	if digest != p.first && !guardFit.Holds(k.opts.Rules, false) {
		k.refuse(now, guardFit.Violated("PULL %08x is finished", p.id), d.From)
		return
	}
	k.onPull1(now, s, d, digest)
}

// onPull1 checks message 1 and answers with message 2 (RFC 6407 §3.4).
//
//	GM --> KS  HDR*, HASH(1), Ni, ID
//	KS --> GM  HDR*, HASH(2), Nr, SA
func (k *KeyServer) onPull1(now time.Time, s *session, d *core.Datagram, digest [sha256.Size]byte) {
	p := &pull{id: messageID(d.Data), began: now, first: digest}
	p.stream = s.sa.NewStream(isakmp.ExchangePull, p.id)
	opened, err := k.openPull1(s, p, d)
	if err == nil {
		err = k.admissible(s, p, d)
	}
	if err != nil {
		if k.refuse(now, err, d.From) {
			k.tellRefusedPull(s, p, err, d.From)
		}
		return
	}
	if s.sa.Exhausted() {
		k.endPhase1(s, spent)
		return
	}
	if p.group == nil || p.ni == nil { // only with a guard off
		return
	}
	if p.offer, err = p.group.Offer(now, k.recordedAs(s, d)); err != nil {
		k.fail("offer", err)
		return
	}
	if !guardDeferred.Kept(k.opts.Rules) {
		_, _ = p.group.Admit(now, k.recordedAs(s, d), d.From, p.offer, 0)
	}
	p.nr = k.nonce()
	opened.Commit()
	k.track(s, d)
	k.tellAsked(p.group, d.From)
	if p.second, err = k.sealPull2(s, p); err != nil {
		k.fail("message 2", err)
		return
	}
	p.second = s.back(p.second, d) // the port may be another than that of Phase 1
	s.pulls.add(p)
	k.send(p.second)
	k.onProtected(now, s, false)
}

// onPull3 checks message 3, lets the group admit the member and answers with message 4 (RFC 6407 §3.4).
//
//	GM --> KS  HDR*, HASH(3) [, GAP]
//	KS --> GM  HDR*, HASH(4) [, SEQ], KD
func (k *KeyServer) onPull3(now time.Time, s *session, p *pull, d *core.Datagram, digest [sha256.Size]byte) {
	opened, sids, err := k.openPull3(s, p, d)
	if err != nil {
		if k.refuse(now, err, d.From) {
			k.tellRefusedPull(s, p, err, d.From)
		}
		return
	}
	opened.Commit()
	k.track(s, d)
	id := k.recordedAs(s, d)
	admission, err := p.group.Admit(now, id, d.From, p.offer, sids)
	k.carry(p.group, admission.Plans...)
	if err != nil {
		k.onNotAdmitted(now, s, p, d, err)
		p.finish(digest, ike.Datagram{})
		k.onProtected(now, s, true)
		return
	}
	fourth, err := k.sealPull4(s, p, admission.Download)
	if err != nil {
		k.fail("message 4", err)
		return
	}
	fourth = s.back(fourth, d)
	k.floats.set(id, d.From, s.sa.Local())
	k.send(fourth)
	k.onAdmitted(p.group, id, d.From, admission)
	p.finish(digest, fourth)
	k.onProtected(now, s, true)
}

func (k *KeyServer) onAdmitted(c *carried, id policy.Identity, from netip.AddrPort, a group.Admission) {
	fields := []core.Field{field("group", c.ID()), field("member", id.Brief()), field("address", from)}
	if a.Download.SIDs != nil {
		k.secret(&core.Secret{Group: c.ID(), SIDs: a.Download.SIDs})
		fields = append(fields, field("sids", a.Download.SIDs.Values))
	}
	k.log(core.Notice, "REGISTERED", "member registered", fields...)
	k.tellAdmitted(c, from, a)
}

// onNotAdmitted reports a registration that failed at its end. The member is told that it has to begin again.
func (k *KeyServer) onNotAdmitted(now time.Time, s *session, p *pull, d *core.Datagram, err error) {
	k.log(core.Warning, "REGISTRATION_FAILED", err.Error(), field("group", p.group.ID()), field("from", d.From))
	var v *rule.Violation
	if errors.As(err, &v) {
		k.refuse(now, v, d.From)
	}
	k.notify(s, isakmp.NotifyInvalidSPI, d.From)
}

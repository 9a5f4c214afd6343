package keyserver

import (
	"cmp"
	"container/list"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// defaultKeepalive is how long a key server behind a NAT is silent before it sends a member a keepalive (RFC 3948 §4), and
// leastSilence the shortest silence, however it is told.
const (
	defaultKeepalive = 20 * time.Second
	leastSilence     = time.Second
)

var (
	guardKeepalive = rule.Duty("keyserver.natt.keepalive", "RFC3947-3.2-03", rule.KS,
		"a key server behind a NAT sends keepalives")
	guardKeepaliveTime = rule.Timer("keyserver.natt.interval", "RFC3948-4-01", rule.KS, 5*time.Second,
		"a keepalive is sent when nothing was sent to a member for the configured time")
	guardEvidence = rule.Duty("keyserver.natt.evidence", "RFC3948-4-02", rule.KS,
		"a keepalive does not show that the peer is alive")
)

// path is where a datagram leaves from and goes to.
type path struct{ from, to netip.AddrPort }

// keeper keeps the mapping of a NAT in front of the key server to one peer alive, so that PUSH messages go on coming from where
// that peer knows the key server to be.
type keeper struct {
	path
	id      policy.Identity // as which the peer is a member
	session cookies         // of its Phase 1
	at      time.Time       // of the next keepalive
}

// keepers are those of all peers, the one that is due first in front: all are silent for the same time.
type keepers struct {
	byID   map[policy.Identity]*list.Element
	byPath map[path]*list.Element
	order  list.List
}

// set has a peer's mapping kept, and no other of that peer's.
func (t *keepers) set(k *keeper) {
	if t.byID == nil {
		t.byID, t.byPath = make(map[policy.Identity]*list.Element), make(map[path]*list.Element)
	}
	t.drop(k.id)
	e := t.order.PushBack(k)
	t.byID[k.id], t.byPath[k.path] = e, e
}

func (t *keepers) drop(id policy.Identity) {
	e := t.byID[id]
	if e == nil {
		return
	}
	if p := e.Value.(*keeper).path; t.byPath[p] == e {
		delete(t.byPath, p)
	}
	delete(t.byID, id)
	t.order.Remove(e)
}

// sent notes that something takes a path, which is as good as a keepalive until then.
func (t *keepers) sent(p path, until time.Time) {
	if e := t.byPath[p]; e != nil {
		e.Value.(*keeper).at = until
		t.order.MoveToBack(e)
	}
}

// first is the keeper that is due first, or nil.
func (t *keepers) first() *keeper {
	if e := t.order.Front(); e != nil {
		return e.Value.(*keeper)
	}
	return nil
}

// silent is when a silence that begins now has lasted long enough.
func (k *KeyServer) silent() time.Time {
	interval := cmp.Or(k.cfg.Phase1.Keepalive, defaultKeepalive)
	return k.now.Add(max(guardKeepaliveTime.Delay(k.opts.Rules, interval), leastSilence))
}

// keep begins or ends keepalives to the peer of an SA, as a NAT was found in front of the key server or not.
func (k *KeyServer) keep(s *session, d *core.Datagram) {
	id := k.recordedAs(s, d)
	if !s.sa.BehindNAT() || !guardKeepalive.Kept(k.opts.Rules) {
		k.keepers.drop(id)
		return
	}
	k.keepers.set(&keeper{path: path{s.sa.Local(), s.sa.Peer()}, id: id, session: s.cookies, at: k.silent()})
}

// sendKeepalives sends those that are due, to peers with which there still is an SA (RFC 3948 §4).
func (k *KeyServer) sendKeepalives() {
	for first := k.keepers.first(); first != nil && !k.now.Before(first.at); first = k.keepers.first() {
		if k.hasSA(first) {
			k.emit(k.phase1.Keepalive(first.from, first.to))
		} else {
			k.keepers.drop(first.id)
		}
	}
}

// hasSA reports whether there is a Phase 1 SA with a peer, or the Rekey SA of a group that it is in.
func (k *KeyServer) hasSA(at *keeper) bool {
	if k.sessions.byCookies[at.session] != nil {
		return true
	}
	for _, c := range k.groups {
		if c.Has(at.id) {
			return true
		}
	}
	return false
}

// noEvidence does what a keepalive does to SAs whose peer may be dead: nothing, but in a mutant that takes it for a sign of life.
func (k *KeyServer) noEvidence(d *core.Datagram) {
	if guardEvidence.Kept(k.opts.Rules) {
		return
	}
	for _, s := range k.sessions.byCookies {
		if s.sa != nil && s.sa.Peer() == d.From {
			s.sa.Heard(k.now)
			k.sessions.reschedule(s)
		}
	}
}

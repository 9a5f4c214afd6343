package keyserver

import (
	"container/list"

	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// standing are the established sessions of each peer, the oldest first. A peer is who it has proven to be, so that members behind one
// address do not take each other's place.
//
// Each SA lives as long as was agreed, whether the peer still knows it or not: one that restarts again and again would leave any number
// behind. Where there are as many as the limit says the oldest gives way, which is the one least likely to be in use.
type standing struct {
	limit  int
	rules  *rule.Switches
	byPeer map[policy.Identity]*list.List
}

func newStanding(limit int, rules *rule.Switches) *standing {
	return &standing{limit: limit, rules: rules, byPeer: make(map[policy.Identity]*list.List)}
}

// peerOf is whom an established session is with.
func peerOf(s *session) policy.Identity { return s.sa.PeerName().Identity.Folded() }

func (t *standing) add(s *session) {
	own := t.byPeer[peerOf(s)]
	if own == nil {
		own = list.New()
		t.byPeer[peerOf(s)] = own
	}
	s.place = place{own: own.PushBack(s)}
}

func (t *standing) remove(s *session) {
	own := t.byPeer[peerOf(s)]
	own.Remove(s.place.own)
	if own.Len() == 0 {
		delete(t.byPeer, peerOf(s))
	}
	s.place = place{}
}

// surplus returns the session that has to give way to the others of its peer, or nil.
func (t *standing) surplus(peer policy.Identity) *session {
	own := t.byPeer[peer]
	if own == nil || guardEstablished.AtMost(t.rules, uint64(own.Len()), uint64(t.limit)) {
		return nil
	}
	return oldest(own)
}

// establish turns a Phase 1 in progress into an SA. Those of the peer that are too many are deleted, and it is told.
func (k *KeyServer) establish(s *session, sa *ike.SA) {
	k.sessions.establish(s, sa)
	for old := k.sessions.standing.surplus(peerOf(s)); old != nil; old = k.sessions.standing.surplus(peerOf(s)) {
		k.endPhase1(old, "newer Phase 1 SAs of the peer have taken the place of this one")
	}
}

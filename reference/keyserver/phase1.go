package keyserver

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/ike"
)

// onPhase1Timer ends an SA whose lifetime is over or whose peer is silent, and asks a peer that may be.
func (k *KeyServer) onPhase1Timer(now time.Time, s *session) {
	datagrams, ending := s.sa.Timer(now, k.opts.Rand)
	k.send(datagrams...)
	switch ending {
	case ike.Alive:
		k.sessions.reschedule(s)
		return
	case ike.Expired:
		k.log(core.Info, "PHASE1_EXPIRED", "the lifetime of a Phase 1 SA is over", field("peer", s.sa.Peer()))
	case ike.Dead:
		k.log(core.Notice, "PHASE1_DEAD", "the peer gives no sign of life", field("peer", s.sa.Peer()))
	}
	k.sessions.remove(s)
}

// onProtected notes that a message came under the SA, and ends one that has protected as much as it may. A PULL that is going on
// is finished first.
func (k *KeyServer) onProtected(now time.Time, s *session, finished bool) {
	s.sa.Heard(now)
	k.sessions.reschedule(s)
	if finished && s.sa.Exhausted() {
		k.endPhase1(s, spent)
	}
}

// spent is why an SA ends that has protected as much as it may.
const spent = "a Phase 1 SA has protected as much as it may"

// endPhase1 deletes an SA before its time, and tells the peer.
func (k *KeyServer) endPhase1(s *session, why string) {
	d, err := s.sa.SealDelete(k.opts.Rand)
	if err != nil {
		k.fail("Delete", err)
	}
	k.send(d)
	k.sessions.remove(s)
	k.log(core.Info, "PHASE1_EXPIRED", why, field("peer", s.sa.Peer()))
}

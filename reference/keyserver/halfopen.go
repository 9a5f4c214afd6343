package keyserver

import (
	"container/list"
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// waiting are the sessions whose Phase 1 is in progress, the oldest first: all of them, and those with each address. What a
// peer can have kept without proving anything is bounded in total and by its address (RFC 6407 §7.2.5).
//
// Where there is no room the oldest gives way, never the newcomer. An honest peer answers within a round trip; so a flood keeps
// it out only if it brings more first messages in that time than are kept, and not by what it had sent before. Turning
// newcomers away would let a table that was filled once stay full until exchanges are given up, and dropping by chance
// would cost the honest peer its exchange now and then in floods that are harmless otherwise.
type waiting struct {
	limits    policy.HalfOpen
	rules     *rule.Switches
	all       *list.List
	byAddress map[netip.Addr]*list.List
}

// place is where a session stands in the two lists; an established one has only that of its peer.
type place struct{ all, own *list.Element }

func newWaiting(limits policy.HalfOpen, rules *rule.Switches) *waiting {
	return &waiting{limits: limits, rules: rules, all: list.New(), byAddress: make(map[netip.Addr]*list.List)}
}

// surplus returns the session that has to give way before there is room for another one with this address, or nil.
func (w *waiting) surplus(from netip.Addr) *session {
	own := w.byAddress[from]
	if own != nil && !guardPerAddress.AtMost(w.rules, uint64(own.Len()+1), uint64(w.limits.PerAddress)) {
		return oldest(own)
	}
	if !guardHalfOpen.AtMost(w.rules, uint64(w.all.Len()+1), uint64(w.limits.Total)) {
		return oldest(w.all)
	}
	return nil
}

// oldest is the session that stands first in a list, or nil.
func oldest(l *list.List) *session {
	if l.Len() == 0 {
		return nil
	}
	return l.Front().Value.(*session)
}

func (w *waiting) add(s *session) {
	from := s.opened.address()
	own := w.byAddress[from]
	if own == nil {
		own = list.New()
		w.byAddress[from] = own
	}
	s.place = place{w.all.PushBack(s), own.PushBack(s)}
}

func (w *waiting) remove(s *session) {
	from := s.opened.address()
	own := w.byAddress[from]
	w.all.Remove(s.place.all)
	own.Remove(s.place.own)
	if own.Len() == 0 {
		delete(w.byAddress, from)
	}
	s.place = place{}
}

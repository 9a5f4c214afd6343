package keyserver

import (
	"container/heap"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// session is a Phase 1, in progress (exchange) or established (sa).
type session struct {
	cookies  cookies
	opened   opening
	exchange *ike.Exchange
	sa       *ike.SA
	pulls    pulls

	wake  time.Time
	index int // in the queue
	place place
}

// opening is how the first message of a Phase 1 is known again, which has only one cookie.
type opening struct {
	cookie isakmp.Cookie
	peer   netip.AddrPort
}

func (o opening) address() netip.Addr { return o.peer.Addr().Unmap() }

// sessions are all sessions of a key server.
type sessions struct {
	byCookies map[cookies]*session
	byOpening map[opening]*session
	queue     queue
	waiting   *waiting
	standing  *standing
}

func newSessions(limits policy.HalfOpen, established int, rules *rule.Switches) sessions {
	return sessions{
		byCookies: make(map[cookies]*session), byOpening: make(map[opening]*session), waiting: newWaiting(limits, rules),
		standing: newStanding(established, rules),
	}
}

// add enters a Phase 1 in progress. What there is no room for beside it is dropped.
func (t *sessions) add(x *ike.Exchange) *session {
	i, r := x.Cookies()
	s := &session{exchange: x, opened: opening{i, x.Peer()}}
	copy(s.cookies[:8], i[:])
	copy(s.cookies[8:], r[:])
	for old := t.waiting.surplus(s.opened.address()); old != nil; old = t.waiting.surplus(s.opened.address()) {
		t.remove(old)
	}
	t.byCookies[s.cookies] = s
	t.byOpening[s.opened] = s
	t.waiting.add(s)
	heap.Push(&t.queue, s)
	t.reschedule(s)
	return s
}

// establish turns a Phase 1 in progress into an SA.
func (t *sessions) establish(s *session, sa *ike.SA) {
	t.waiting.remove(s)
	s.exchange, s.sa = nil, sa
	t.standing.add(s)
	t.reschedule(s)
}

func (t *sessions) remove(s *session) {
	if s.sa == nil {
		t.waiting.remove(s)
	} else {
		t.standing.remove(s)
	}
	delete(t.byCookies, s.cookies)
	if t.byOpening[s.opened] == s {
		delete(t.byOpening, s.opened)
	}
	heap.Remove(&t.queue, s.index)
}

// goesOn is called when a session has had a message. One whose peer has got further counts as young again: that peer has shown
// that it receives what is sent to its address, and those that only send first messages have not.
func (t *sessions) goesOn(s *session) {
	before := s.wake
	if t.reschedule(s); s.wake != before {
		t.waiting.remove(s)
		t.waiting.add(s)
	}
}

// reschedule is called when the deadline of a session may have changed.
func (t *sessions) reschedule(s *session) {
	if s.sa != nil {
		s.wake = s.sa.Wake()
	} else if at, ok := s.exchange.Deadline(); ok {
		s.wake = at
	}
	heap.Fix(&t.queue, s.index)
}

// due returns a session whose time has come, or nil.
func (t *sessions) due(now time.Time) *session {
	if len(t.queue) == 0 || now.Before(t.queue[0].wake) {
		return nil
	}
	return t.queue[0]
}

func (t *sessions) deadline() (time.Time, bool) {
	if len(t.queue) == 0 {
		return time.Time{}, false
	}
	return t.queue[0].wake, true
}

func (t *sessions) established() int { return len(t.byCookies) - t.waiting.all.Len() }

// queue orders sessions by when they want to be woken (container/heap).
type queue []*session

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].wake.Before(q[j].wake) }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push appends a session, for container/heap.
func (q *queue) Push(x any) {
	s := x.(*session)
	s.index = len(*q)
	*q = append(*q, s)
}

// Pop takes the last one off, for container/heap.
func (q *queue) Pop() any {
	last := len(*q) - 1
	s := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return s
}

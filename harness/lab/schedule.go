package lab

import (
	"container/heap"
	"time"
)

// schedule is the memory fabric's future: things to do, in the order of their times and, at the same time, of their
// entry. It is its own clock.
type schedule struct {
	now     time.Time
	queue   moments
	moments map[int64]*moment // those of the queue, by their time in nanoseconds
}

// moment is what there is to do at one time. That of a group is mostly at the same one, and then costs nothing to put in order.
type moment struct {
	at   time.Time
	do   []func()
	done int
}

func newSchedule(now time.Time) *schedule {
	return &schedule{now: now, moments: make(map[int64]*moment)}
}

// at has do called when the clock reaches t; a time that has passed means now.
func (s *schedule) at(t time.Time, do func()) {
	if t.Before(s.now) {
		t = s.now
	}
	m := s.moments[t.UnixNano()]
	if m == nil {
		m = &moment{at: t}
		s.moments[t.UnixNano()] = m
		heap.Push(&s.queue, m)
	}
	m.do = append(m.do, do)
}

// step sets the clock to the next entry and does it. It reports false, and changes nothing, if that is after limit.
func (s *schedule) step(limit time.Time) bool {
	if len(s.queue) == 0 || s.queue[0].at.After(limit) {
		return false
	}
	m := s.queue[0]
	s.now = m.at
	do := m.do[m.done]
	m.do[m.done] = nil
	if m.done++; m.done == len(m.do) {
		heap.Pop(&s.queue)
		delete(s.moments, m.at.UnixNano())
	}
	do()
	return true
}

// moments are a heap, the first on top.
type moments []*moment

func (q moments) Len() int           { return len(q) }
func (q moments) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q moments) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *moments) Push(x any)        { *q = append(*q, x.(*moment)) }
func (q *moments) Pop() any {
	last := len(*q) - 1
	m := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return m
}

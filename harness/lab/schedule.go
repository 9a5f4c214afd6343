package lab

import (
	"container/heap"
	"time"
)

// schedule is the memory fabric's future: things to do, in the order of their times and, at the same time, of their
// entry. It is its own clock.
type schedule struct {
	now   time.Time
	next  uint64
	queue entries
}

type entry struct {
	at  time.Time
	seq uint64
	do  func()
}

// at has do called when the clock reaches t; a time that has passed means now.
func (s *schedule) at(t time.Time, do func()) {
	if t.Before(s.now) {
		t = s.now
	}
	s.next++
	heap.Push(&s.queue, entry{at: t, seq: s.next, do: do})
}

// step sets the clock to the next entry and does it. It reports false, and changes nothing, if that is after limit.
func (s *schedule) step(limit time.Time) bool {
	if len(s.queue) == 0 || s.queue[0].at.After(limit) {
		return false
	}
	e := heap.Pop(&s.queue).(entry)
	s.now = e.at
	e.do()
	return true
}

type entries []entry

func (q entries) Len() int { return len(q) }
func (q entries) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].seq < q[j].seq
	}
	return q[i].at.Before(q[j].at)
}
func (q entries) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *entries) Push(x any)   { *q = append(*q, x.(entry)) }
func (q *entries) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = entry{}
	*q = (*q)[:last]
	return e
}

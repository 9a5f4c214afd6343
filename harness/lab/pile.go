package lab

import "slices"

// pile is a list that only grows, as records do. Those of a large group are many, so what is there is never moved. The zero value is
// empty.
type pile[T any] struct {
	last    []T
	full    [][]T
	stacked int // how many are in full
}

// The least and the most that room is made for at once.
const (
	leastRoom = 16
	mostRoom  = 1024
)

func (p *pile[T]) add(one T) {
	if len(p.last) == cap(p.last) {
		if len(p.last) > 0 {
			p.full, p.stacked = append(p.full, p.last), p.stacked+len(p.last)
		}
		p.last = make([]T, 0, min(max(leastRoom, p.stacked/2), mostRoom))
	}
	p.last = append(p.last, one)
}

// all returns a copy of them.
func (p *pile[T]) all() []T { return slices.Concat(append(slices.Clone(p.full), p.last)...) }

// take returns them, and leaves none.
func (p *pile[T]) take() []T {
	all := p.last
	if len(p.full) > 0 {
		all = p.all()
	}
	*p = pile[T]{}
	return all
}

package lab

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Things are done in the order of their times, at one time in that in which they were entered, also those that are entered meanwhile.
func TestSchedule(t *testing.T) {
	start := time.Unix(1000, 0)
	s := newSchedule(start)
	rng := rand.New(rand.NewPCG(1, 2))
	var done, want []string
	type planned struct {
		at   int
		name string
	}
	var all []planned
	enter := func(at, i int) {
		p := planned{max(at, int(s.now.Sub(start)/time.Second)), fmt.Sprintf("%d at %d", i, at)}
		all = append(all, p)
		s.at(start.Add(time.Duration(at)*time.Second), func() {
			if got := int(s.now.Sub(start) / time.Second); got != p.at {
				t.Errorf("%s is done at %d", p.name, got)
			}
			done = append(done, p.name)
		})
	}
	for i := range 300 {
		enter(rng.IntN(20), i)
	}
	for i := 300; s.step(start.Add(15 * time.Second)); i++ {
		if i < 400 {
			enter(rng.IntN(20), i) // of which some are late
		}
	}
	slices.SortStableFunc(all, func(a, b planned) int { return a.at - b.at })
	for _, p := range all {
		if p.at <= 15 {
			want = append(want, p.name)
		}
	}
	if !slices.Equal(done, want) {
		t.Errorf("%d were done, want %d, and in this order:\n%q\n%q", len(done), len(want), done, want)
	}
	if s.now.After(start.Add(15 * time.Second)) {
		t.Errorf("the clock is at %s", s.now)
	}
}

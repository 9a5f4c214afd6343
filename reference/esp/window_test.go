package esp

import (
	"math"
	"math/rand/v2"
	"testing"
)

// model is the window of RFC 4303 §3.4.3 written down plainly.
type model struct {
	size uint64
	top  uint64
	got  map[uint64]bool
}

func (m *model) check(n uint64) bool {
	return n != 0 && (m.top < m.size || n > m.top-m.size) && !m.got[n]
}

func (m *model) mark(n uint64) {
	m.top = max(m.top, n)
	m.got[n] = true
}

func TestWindowAgainstModel(t *testing.T) {
	for _, size := range []int{0, 1, 32, 64, 65, 128, 192, 1024} {
		for _, start := range []uint64{0, math.MaxUint32 - 5000, math.MaxUint64 - 1<<20} {
			r := rand.New(rand.NewPCG(uint64(size), start))
			w := NewWindow(size)
			m := model{size: uint64(w.Size()), got: make(map[uint64]bool)}
			n := start
			for range 3000 {
				step := r.Int64N(int64(2*w.Size())) - int64(w.Size())*3/2
				if r.IntN(40) == 0 {
					step = r.Int64N(int64(3 * w.Size()))
				}
				n = moved(m.top, step)
				if got, want := w.Check(n), m.check(n); got != want {
					t.Fatalf("size %d, top %d: Check(%d) = %v", size, m.top, n, got)
				}
				if m.check(n) {
					w.Mark(n)
					m.mark(n)
				}
				if w.Top() != m.top {
					t.Fatalf("size %d: top %d, want %d", size, w.Top(), m.top)
				}
			}
		}
	}
}

// moved is n+step, or 0 if that is below it.
func moved(n uint64, step int64) uint64 {
	if step < 0 && uint64(-step) > n {
		return 0
	}
	return n + uint64(step)
}

func TestWindowSizes(t *testing.T) {
	var zero Window
	if zero.Size() != 64 || !zero.Check(1) || zero.Check(0) {
		t.Error("the zero window is not an empty one of 64")
	}
	for size, want := range map[int]int{-1: 64, 0: 64, 1: 64, 64: 64, 65: 128, 128: 128, 1000: 1024} {
		w := NewWindow(size)
		if w.Size() != want {
			t.Errorf("NewWindow(%d) spans %d, want %d", size, w.Size(), want)
		}
	}
}

func TestWindowEdges(t *testing.T) {
	var w Window
	w.Mark(math.MaxUint32)
	for n, want := range map[uint64]bool{math.MaxUint32: false, math.MaxUint32 - 1: true, math.MaxUint32 - 63: true,
		math.MaxUint32 - 64: false, 1: false, 0: false} {
		if w.Check(n) != want {
			t.Errorf("after the highest number: Check(%d) = %v", n, !want)
		}
	}
	w.Mark(5) // too old: no trace
	if w.Seen(5) || w.Top() != math.MaxUint32 || !w.Check(math.MaxUint32-64+5) {
		t.Error("an old number left a trace")
	}
}

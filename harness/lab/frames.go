package lab

import (
	"slices"

	"github.com/gdoilab/gdoilab/harness/capture"
)

// frames are what has crossed, in order. Those of a large group are many, so what is there is never moved. The zero value is empty.
type frames struct {
	full [][]capture.Frame
	last []capture.Frame
}

// The least and the most frames that room is made for at once.
const (
	leastFrames = 16
	mostFrames  = 1024
)

func (f *frames) add(one capture.Frame) {
	if len(f.last) == cap(f.last) {
		room := leastFrames
		if len(f.last) > 0 {
			f.full = append(f.full, f.last)
			room = min(2*len(f.last), mostFrames)
		}
		f.last = make([]capture.Frame, 0, room)
	}
	f.last = append(f.last, one)
}

// all returns a copy of them.
func (f *frames) all() []capture.Frame { return slices.Concat(append(slices.Clone(f.full), f.last)...) }

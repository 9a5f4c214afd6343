package lab

import (
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/harness/capture"
)

// Frames come back as they were added, however many there are, and what was returned is the caller's.
func TestFrames(t *testing.T) {
	for _, n := range []int{0, 1, leastFrames, leastFrames + 1, 3*mostFrames + 5} {
		var f frames
		for i := range n {
			f.add(capture.Frame{At: time.Unix(int64(i), 0)})
			if i%100 == 0 && len(f.all()) != i+1 {
				t.Fatalf("%d after %d", len(f.all()), i+1)
			}
		}
		all := f.all()
		for i, frame := range all {
			if frame.At.Unix() != int64(i) {
				t.Fatalf("%d of %d is from %s", i, n, frame.At)
			}
		}
		if len(all) != n {
			t.Errorf("%d of %d", len(all), n)
		}
		if n > 0 {
			all[0].Note = "x"
			if f.all()[0].Note != "" {
				t.Error("the frames are shared")
			}
		}
	}
}

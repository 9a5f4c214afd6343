package pseudotime_test

import (
	"math"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/pseudotime"
)

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func TestClock(t *testing.T) {
	var c pseudotime.Clock
	if c.Running() || c.At(start.Add(time.Hour)) != 0 {
		t.Error("a clock advances before anybody has registered")
	}
	c.Start(start)
	c.Start(start.Add(time.Hour))
	for after, want := range map[time.Duration]string{0: "0.00", 9 * time.Millisecond: "0.00", 10 * time.Millisecond: "0.01",
		8210 * time.Millisecond: "8.21", 7200 * time.Second: "7200.00", -time.Second: "0.00"} {
		if got := c.At(start.Add(after)).String(); got != want {
			t.Errorf("after %v it is %s, want %s", after, got, want)
		}
	}
	c.Set(start, 60000678)
	if got := c.At(start.Add(time.Second)); got.String() != "600007.78" || got.Seconds() != 600007 {
		t.Errorf("%v", got)
	}
	c.Set(start, math.MaxUint64-50)
	if got := c.At(start.Add(time.Minute)); got != math.MaxUint64 {
		t.Errorf("beyond the last stamp it is %d", got)
	}
}

// Packets between two ticks carry the stamp of the first.
func TestTick(t *testing.T) {
	var c pseudotime.Clock
	c.Start(start)
	for _, w := range []struct {
		after, tick time.Duration
		want        pseudotime.Stamp
	}{
		{999 * time.Millisecond, time.Second, 0}, {time.Second, time.Second, 100}, {1999 * time.Millisecond, time.Second, 100},
		{2500 * time.Millisecond, 2 * time.Second, 200}, {77 * time.Millisecond, 0, 7}, {77 * time.Millisecond, 20 * time.Millisecond, 6},
	} {
		if got := c.TickAt(start.Add(w.after), w.tick); got != w.want {
			t.Errorf("after %v with ticks of %v: %d, want %d", w.after, w.tick, got, w.want)
		}
	}
}

// A clock that is turned goes on from there, and does not go below 0.
func TestTurn(t *testing.T) {
	var c pseudotime.Clock
	if c.Turn(start, time.Hour); c.Running() {
		t.Error("a clock that stands still advances")
	}
	c.Set(start, 1000)
	for _, w := range []struct {
		by   time.Duration
		want pseudotime.Stamp
	}{{time.Second, 1100}, {-10 * time.Second, 100}, {-time.Hour, 0}, {time.Second, 100}} {
		if c.Turn(start, w.by); c.At(start) != w.want {
			t.Errorf("turned by %v it is %s, want %s", w.by, c.At(start), w.want)
		}
	}
}

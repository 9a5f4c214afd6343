package pseudotime

import (
	"fmt"
	"math"
	"time"
)

// Unit is what a Stamp counts.
const Unit = 10 * time.Millisecond

// perSecond is how many units a second has.
const perSecond = Stamp(time.Second / Unit)

// Stamp is a pseudotime: hundredths of a second since the key server began to count.
type Stamp uint64

// Span is a duration in units, rounded down; one below 0 is 0.
func Span(d time.Duration) Stamp { return Stamp(max(0, d) / Unit) }

// String returns the seconds with two decimals, as operators read them.
func (s Stamp) String() string { return fmt.Sprintf("%d.%02d", s/perSecond, s%perSecond) }

// Seconds are the whole seconds.
func (s Stamp) Seconds() uint64 { return uint64(s / perSecond) }

// Clock is a pseudotime that advances. The zero value stands still at 0.
type Clock struct {
	since   time.Time // when it had the value from
	from    Stamp
	running bool
}

// Running reports whether the clock advances.
func (c Clock) Running() bool { return c.running }

// Start has a clock that stands still advance from 0. One that runs goes on.
func (c *Clock) Start(now time.Time) {
	if !c.running {
		c.Set(now, 0)
	}
}

// Set has the clock go on from that value.
func (c *Clock) Set(now time.Time, s Stamp) { *c = Clock{since: now, from: s, running: true} }

// Turn has a clock that runs go on from another value: by so much more or, down to 0, less.
func (c *Clock) Turn(now time.Time, by time.Duration) {
	switch at := c.At(now); {
	case !c.running:
	case by < 0:
		c.Set(now, at-min(at, Span(-by)))
	default:
		c.Set(now, plus(at, Span(by)))
	}
}

// At is the pseudotime now. It never exceeds what a Stamp holds.
func (c Clock) At(now time.Time) Stamp {
	if !c.running {
		return 0
	}
	return plus(c.from, Span(now.Sub(c.since)))
}

// TickAt is the pseudotime at the beginning of the tick in which now lies: packets of one tick have the same stamp. A tick below a
// unit counts as one.
func (c Clock) TickAt(now time.Time, tick time.Duration) Stamp {
	s := c.At(now)
	return s - s%max(1, Span(tick))
}

// plus is the sum, or the largest Stamp.
func plus(a, b Stamp) Stamp {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}

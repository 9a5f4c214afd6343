package ike

import (
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
)

// maxInterval bounds the back-off, and so how long a half-open exchange is kept for one more message.
const maxInterval = 10 * time.Minute

// timer says when the last message is to be repeated.
type timer struct {
	sent   time.Time     // the first copy
	copies int           // repetitions so far
	due    time.Time     // of the next repetition, or of the end
	trip   time.Duration // last measured round trip
}

// await notes the message that was sent, which one is to follow, and for how long. The answer to the message before
// tells the round trip, unless that was repeated: then nobody knows which copy was answered.
func (x *Exchange) await(kind core.Kind, now time.Time, s sent) {
	trip := x.timer.trip
	if x.timer.copies == 0 && !x.timer.sent.IsZero() {
		trip = max(0, now.Sub(x.timer.sent))
	}
	x.expect = kind
	x.history.last = s
	x.timer = timer{sent: now, trip: trip}
	wait := x.patience
	if x.repeats() {
		wait = func() time.Duration { return x.interval(0) }
	}
	x.timer.due = now.Add(wait())
}

// repeats reports whether this side repeats its last message: an initiator does, and a responder of Aggressive Mode, since
// the initiator takes message 3 to be the last one and asks no more.
func (x *Exchange) repeats() bool { return x.initiator || x.expect == core.Aggressive3 }

// interval is the time from the n-th repetition to the next, doubled each time and longer on a slow path
// (RFC 2408 §5.1).
func (x *Exchange) interval(n int) time.Duration {
	first := max(timerRetransmit.Delay(x.cfg.Rules, x.cfg.Retransmit), time.Millisecond)
	if !dutyBackOff.Kept(x.cfg.Rules) {
		return first
	}
	first += 2 * x.timer.trip
	return min(first<<min(n, 10), maxInterval)
}

// patience is how long a responder waits for the next message: as long as an initiator of its own kind repeats.
func (x *Exchange) patience() (total time.Duration) {
	for n := range max(0, x.cfg.Retries) + 1 {
		if total += x.interval(n); total > maxInterval {
			break
		}
	}
	return total
}

// Deadline is when Timeout is due; false once the exchange is over.
func (x *Exchange) Deadline() (time.Time, bool) {
	if x.expect == core.KindUnknown {
		return time.Time{}, false
	}
	return x.timer.due, true
}

// Timeout is called at the Deadline: an initiator repeats its last message, a responder of Main Mode waits no longer. After ErrTimeout
// the exchange is over.
func (x *Exchange) Timeout(now time.Time) ([]Datagram, error) {
	if due, ok := x.Deadline(); !ok || now.Before(due) {
		return nil, nil
	}
	copies, bound := uint64(x.timer.copies+1), uint64(max(0, x.cfg.Retries))
	if !x.repeats() || !boundRetries.AtMost(x.cfg.Rules, copies, bound) {
		x.expect = core.KindUnknown
		return nil, ErrTimeout
	}
	x.timer.copies++
	x.timer.due = now.Add(x.interval(x.timer.copies))
	return x.leave(x.cfg.transmit(x.again(), x.peer)), nil
}

// again is the last message once more.
func (x *Exchange) again() sent {
	s := x.history.last
	if n := len(s.data); n > 0 && !dutySameCopy.Kept(x.cfg.Rules) {
		s.data = slices.Clone(s.data)
		s.data[n-1] ^= 1
	}
	return s
}

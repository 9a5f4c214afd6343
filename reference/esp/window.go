package esp

// Window remembers which sequence numbers of an SA have been received (RFC 4303 §3.4.3): a bitmap over the Size numbers that
// end with Top, the highest so far. Ask with Check before a packet is verified, tell with Mark afterwards. Numbers have 64
// bits; those of an SA without extended sequence numbers never reach beyond 32.
//
// The zero value is ready for use and spans 64 packets. It must not be copied once used, and is not safe for concurrent use.
type Window struct {
	top   uint64
	ring  []uint64 // bit n%Size stands for number n; empty: small
	small [1]uint64
}

const wordBits = 64

// NewWindow makes a window of at least size packets, rounded up to a multiple of 64.
func NewWindow(size int) Window {
	if size <= wordBits {
		return Window{}
	}
	return Window{ring: make([]uint64, (size+wordBits-1)/wordBits)}
}

// Size is the number of packets that the window spans.
func (w *Window) Size() int { return max(1, len(w.ring)) * wordBits }

// Top is the highest number marked; 0 before the first.
func (w *Window) Top() uint64 { return w.top }

// Check reports whether a packet of that number may be accepted: it is not 0, not older than the window and not there yet.
func (w *Window) Check(seq uint64) bool { return seq != 0 && !w.older(seq) && !w.Seen(seq) }

// older reports whether the number is below the window: seq <= Top-Size.
func (w *Window) older(seq uint64) bool { return seq <= w.top && w.top-seq >= uint64(w.Size()) }

// Seen reports whether the number is marked. Of numbers older than the window it knows nothing.
func (w *Window) Seen(seq uint64) bool {
	if !w.spans(seq) {
		return false
	}
	word, bit := w.at(seq)
	return *word&bit != 0
}

// Mark remembers the number of a verified packet, and moves the window if it is the highest so far. A number older than
// the window leaves no trace.
func (w *Window) Mark(seq uint64) {
	if seq > w.top {
		w.advance(seq)
	}
	if w.spans(seq) {
		word, bit := w.at(seq)
		*word |= bit
	}
}

// Extend finds the number of 64 bits whose lower half was received: of those with that half the one that lies in the window
// or next above it (RFC 4303 appendix A2). What would be older than the very first packet is returned as it came.
func (w *Window) Extend(low uint32) uint64 {
	topHigh, topLow := w.top>>32, uint32(w.top)
	span := uint32(w.Size()) - 1
	switch bottom := topLow - span; { // modulo 2^32
	case topLow >= span && low < bottom: // case A: the window lies in one cycle, and the number is of the next
		return (topHigh+1)<<32 | uint64(low)
	case topLow < span && low >= bottom && topHigh > 0: // case B: the window began in the cycle before
		return (topHigh-1)<<32 | uint64(low)
	}
	return topHigh<<32 | uint64(low)
}

// spans reports whether the window has a bit for the number: Top-Size < seq <= Top.
func (w *Window) spans(seq uint64) bool { return seq <= w.top && w.top-seq < uint64(w.Size()) }

// advance makes seq the highest number and forgets those that fall out below.
func (w *Window) advance(seq uint64) {
	if seq-w.top >= uint64(w.Size()) {
		clear(w.ring)
		w.small[0] = 0
	} else {
		for n := w.top + 1; n <= seq && n != 0; n++ {
			word, bit := w.at(n)
			*word &^= bit
		}
	}
	w.top = seq
}

func (w *Window) at(seq uint64) (word *uint64, bit uint64) {
	n := seq % uint64(w.Size())
	if len(w.ring) == 0 {
		return &w.small[0], 1 << n
	}
	return &w.ring[n/wordBits], 1 << (n % wordBits)
}

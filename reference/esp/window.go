package esp

// Window remembers which sequence numbers of an SA have been received (RFC 4303 §3.4.3): a bitmap over the Size numbers that
// end with Top, the highest so far. Ask with Check before a packet is verified, tell with Mark afterwards.
//
// The zero value is ready for use and spans 64 packets. It must not be copied once used, and is not safe for concurrent use.
type Window struct {
	top   uint32
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
func (w *Window) Top() uint32 { return w.top }

// Check reports whether a packet of that number may be accepted: it is not 0, not older than the window and not there yet.
func (w *Window) Check(seq uint32) bool {
	return seq != 0 && uint64(seq)+uint64(w.Size()) > uint64(w.top) && !w.Seen(seq)
}

// Seen reports whether the number is marked. Of numbers older than the window it knows nothing.
func (w *Window) Seen(seq uint32) bool {
	if !w.spans(seq) {
		return false
	}
	word, bit := w.at(seq)
	return *word&bit != 0
}

// Mark remembers the number of a verified packet, and moves the window if it is the highest so far. A number older than
// the window leaves no trace.
func (w *Window) Mark(seq uint32) {
	if seq > w.top {
		w.advance(seq)
	}
	if w.spans(seq) {
		word, bit := w.at(seq)
		*word |= bit
	}
}

// spans reports whether the window has a bit for the number: Top-Size < seq <= Top.
func (w *Window) spans(seq uint32) bool {
	return seq <= w.top && uint64(seq)+uint64(w.Size()) > uint64(w.top)
}

// advance makes seq the highest number and forgets those that fall out below.
func (w *Window) advance(seq uint32) {
	if uint64(seq)-uint64(w.top) >= uint64(w.Size()) {
		clear(w.ring)
		w.small[0] = 0
	} else {
		for n := uint64(w.top) + 1; n <= uint64(seq); n++ {
			word, bit := w.at(uint32(n))
			*word &^= bit
		}
	}
	w.top = seq
}

func (w *Window) at(seq uint32) (word *uint64, bit uint64) {
	n := seq % uint32(w.Size())
	if len(w.ring) == 0 {
		return &w.small[0], 1 << n
	}
	return &w.ring[n/wordBits], 1 << (n % wordBits)
}

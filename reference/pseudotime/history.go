package pseudotime

import (
	"net/netip"
	"time"
)

// Bounds of a history.
const (
	kept      = 50 // failures that are remembered
	perMinute = 10 // of those that come within one
)

// Failure is a packet that was refused for its stamp.
type Failure struct {
	At            time.Time
	Source        netip.Addr
	SPI, Sequence uint32
	Own, Peer     Stamp
	Window        Stamp
}

// History remembers the last failures, of many in a minute the first ones. The zero value is ready for use.
type History struct {
	list   []Failure // oldest first
	minute time.Time // when the present one began
	inside int       // failures remembered in it
}

// Add remembers a failure, and reports whether it did: a flood is sampled.
func (h *History) Add(f Failure) bool {
	if f.At.Sub(h.minute) >= time.Minute || f.At.Before(h.minute) {
		h.minute, h.inside = f.At, 0
	}
	if h.inside == perMinute {
		return false
	}
	h.inside++
	if len(h.list) == kept {
		h.list = append(h.list[:0], h.list[1:]...)
	}
	h.list = append(h.list, f)
	return true
}

// List returns the failures, oldest first. The slice is the history's own and valid until it changes.
func (h *History) List() []Failure { return h.list }

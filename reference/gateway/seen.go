package gateway

import (
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/pseudotime"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var guardSeen = rule.Duty("gateway.replay.seen", "GETVPN-DEBUG-02", rule.GM,
	"while an operator watches, the pseudotimes inside packets are kept for them")

// seenMost is how many pseudotimes are kept until they are asked for. An operator who watches a flood sees its beginning.
const seenMost = 256

// Seen is the pseudotime inside a packet of an SA with time-based anti-replay.
type Seen struct {
	At        time.Time
	Out       bool // it was sent; otherwise it came, and may have been refused
	Source    netip.Addr
	SPI       uint32
	Own, Peer pseudotime.Stamp // the member's at that time, and that of the packet
}

// watched is what an operator is to be told.
type watched struct {
	seen   []Seen
	passed uint64 // those for which there was no room
}

// Watch has the gateway keep the pseudotimes inside packets until Seen is asked, or no longer.
func (g *Gateway) Watch(on bool) {
	g.watched = nil
	if on {
		g.watched = &watched{}
	}
}

// Seen returns the pseudotimes that were kept since it was asked last, and how many more there were.
func (g *Gateway) Seen() ([]Seen, uint64) {
	if g.watched == nil {
		return nil, 0
	}
	last := *g.watched
	*g.watched = watched{}
	return last.seen, last.passed
}

// see keeps a pseudotime if somebody watches. Time and source come as plain octets: were their pointers kept, every packet would be
// allocated, whether anybody watches or not.
func (g *Gateway) see(at int64, source [16]byte, s Seen) {
	s.At, s.Source = time.Unix(0, at), netip.AddrFrom16(source).Unmap()
	switch w := g.watched; {
	case w == nil || !guardSeen.Kept(g.rules):
	case len(w.seen) == seenMost:
		w.passed++
	default:
		w.seen = append(w.seen, s)
	}
}

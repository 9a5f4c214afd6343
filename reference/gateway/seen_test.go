package gateway

import (
	"net/netip"
	"testing"
	"time"
)

func TestPseudotimesAreKeptWhileSomebodyWatchesAndUpToABound(t *testing.T) {
	g, at, source := New(Config{}), time.Unix(100, 0), netip.MustParseAddr("10.0.1.2")
	see := func(times int) {
		for i := range times {
			g.see(at.UnixNano(), source.As16(), Seen{SPI: uint32(i)})
		}
	}
	see(1)
	if seen, passed := g.Seen(); len(seen) != 0 || passed != 0 {
		t.Errorf("nobody watches: %v and %d more", seen, passed)
	}
	g.Watch(true)
	see(seenMost + 44)
	seen, passed := g.Seen()
	if len(seen) != seenMost || passed != 44 {
		t.Fatalf("%d and %d more, want %d and 44", len(seen), passed, seenMost)
	}
	if last := seen[seenMost-1]; !last.At.Equal(at) || last.Source != source || last.SPI != seenMost-1 {
		t.Errorf("the last one kept: %+v", last)
	}
	if seen, passed := g.Seen(); len(seen) != 0 || passed != 0 {
		t.Errorf("asked again: %v and %d more", seen, passed)
	}
	see(1)
	g.Watch(false)
	if seen, passed := g.Seen(); len(seen) != 0 || passed != 0 {
		t.Errorf("nobody watches any more: %v and %d more", seen, passed)
	}
}

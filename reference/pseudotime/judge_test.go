package pseudotime_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/pseudotime"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// The edges of the window belong to it, on both sides.
func TestPacket(t *testing.T) {
	const own, window = 60000678, 10000
	for stamp, taken := range map[pseudotime.Stamp]bool{
		own - window - 1: false, own - window: true, own - 1: true, own: true, own + 1: true, own + window: true, own + window + 1: false, 0: false,
	} {
		v := pseudotime.Packet(nil, own, stamp, window)
		if (v == nil) != taken || v != nil && !pseudotime.Refused(v) {
			t.Errorf("stamp %v: %v", stamp, v)
		}
	}
	if v := pseudotime.Packet(nil, 50, 0, window); v != nil {
		t.Errorf("a window that reaches below 0: %v", v)
	}
}

// The values are those of the guide's messages, and the edges of the skew.
func TestRekey(t *testing.T) {
	seconds := func(s pseudotime.Stamp) pseudotime.Stamp { return 100 * s }
	for _, c := range []struct {
		own, peer, window      pseudotime.Stamp
		skew                   uint64
		refused, large, follow bool
	}{
		{own: seconds(10057), peer: seconds(20008), window: seconds(100), skew: 30, large: true, follow: true},
		{own: seconds(22490), peer: seconds(10026), window: seconds(100), skew: 30, refused: true},
		{own: seconds(50), peer: seconds(55), window: seconds(100), skew: 30, follow: true},
		{own: seconds(50), peer: seconds(80), window: seconds(100), skew: 30, follow: true},
		{own: seconds(50), peer: seconds(80) + 1, window: seconds(100), skew: 30, follow: true, large: true},
		{own: seconds(50), peer: seconds(50), window: seconds(10), skew: 10, follow: true},
		{own: seconds(50), peer: seconds(40), window: seconds(10), skew: 10, follow: true},
		{own: seconds(50), peer: seconds(40) - 1, window: seconds(10), skew: 10, refused: true},
		{own: seconds(50), peer: seconds(20), window: seconds(30), skew: 30, follow: true},
		{own: seconds(50), peer: seconds(20) - 1, window: seconds(100), skew: 30, refused: true},
	} {
		j := pseudotime.Rekey(nil, c.own, c.peer, c.window)
		if (j.Refused != nil) != c.refused || j.Large != c.large || j.Follow != c.follow || j.Skew.Seconds() != c.skew {
			t.Errorf("%v after %v with %v: %+v", c.peer, c.own, c.window, j)
		}
	}
}

// Each guard that is off lets its own rule be broken.
func TestMutants(t *testing.T) {
	with := func(name, mutation string) *rule.Switches {
		var s rule.Switches
		if err := s.Set(name, mutation); err != nil {
			t.Fatal(err)
		}
		return &s
	}
	if v := pseudotime.Packet(with("pseudotime.packet.old", "up"), 200, 99, 100); v != nil {
		t.Error(v)
	}
	if v := pseudotime.Packet(with("pseudotime.packet.ahead", "off"), 200, 99999, 100); v != nil {
		t.Error(v)
	}
	if j := pseudotime.Rekey(with("pseudotime.rekey.skew", "broken"), 5000, 1900, 100); j.Refused != nil {
		t.Errorf("%+v", j)
	}
	if j := pseudotime.Rekey(with("pseudotime.rekey.forward", "broken"), 1, 2, 100); j.Follow {
		t.Errorf("%+v", j)
	}
	if j := pseudotime.Rekey(with("pseudotime.rekey.back", "broken"), 2, 1, 100); j.Follow || j.Refused != nil {
		t.Errorf("%+v", j)
	}
}

// Of a flood ten failures in a minute are remembered, and fifty altogether.
func TestHistory(t *testing.T) {
	var h pseudotime.History
	n := 0
	for i := range 1000 {
		if h.Add(pseudotime.Failure{At: start.Add(time.Duration(i) * time.Second), Source: netip.IPv4Unspecified(), Sequence: uint32(i)}) {
			n++
		}
	}
	list := h.List()
	if n != 170 || len(list) != 50 || list[49].Sequence != 969 || list[0].Sequence != 720 {
		t.Errorf("%d were taken, %d are there: %+v to %+v", n, len(list), list[0], list[len(list)-1])
	}
}

package gateway

import (
	"bytes"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/pseudotime"
	"github.com/gdoilab/gdoilab/reference/wire/metadata"
)

// stampedSA is gcmSA with a pseudotime in its packets, which may be 20 s old or early.
func stampedSA(spi uint32) policy.TrafficSA {
	sa := gcmSA(spi)
	sa.Replay = &policy.ReplaySA{AntiReplay: policy.AntiReplay{Method: policy.ReplayTime, Window: 20 * time.Second, Tick: time.Second}}
	return sa
}

// synchronised is a gateway whose group has a pseudotime.
func synchronised(t testing.TB, address string, s pseudotime.Stamp, alter func(*Config), sa policy.TrafficSA) *Gateway {
	t.Helper()
	g := newGateway(t, address, alter, sa)
	g.groups[0].Synchronise(t0, s)
	return g
}

// What leaves one gateway with a pseudotime comes out of the other without it, in either mode, whatever either sends.
func TestStamped(t *testing.T) {
	transport := stampedSA(1)
	transport.Transform.Mode = policy.ModeTransport
	for name, sa := range map[string]policy.TrafficSA{"tunnel": stampedSA(1), "transport": transport} {
		for _, octets := range []int{0, 12, 16} {
			length := func(c *Config) { c.Transport, c.Metadata.Length = true, octets }
			a := synchronised(t, gatewayA, 50000, length, sa)
			b := synchronised(t, gatewayB, 50000, func(c *Config) { c.Transport = true }, sa)
			plain := newGateway(t, gatewayA, func(c *Config) { c.Transport = true }, func() policy.TrafficSA { p := sa; p.Replay = nil; return p }())
			packet := udp(t, hostA, hostB, 100)
			outer, inner := through(t, a, b, packet)
			if !bytes.Equal(inner, packet) {
				t.Errorf("%s with %d octets: out came %x", name, octets, inner)
			}
			bare := one(t, plain, t0, core.Inside, packet, core.Outside)
			if want := max(octets, 12); len(outer) != len(bare)+want {
				t.Errorf("%s: %d octets, %d without a header, which has %d", name, len(outer), len(bare), want)
			}
		}
	}
}

// A packet is taken as far from the receiver's pseudotime as the window says, and counted either way.
func TestStampsOutsideTheWindow(t *testing.T) {
	packet := udp(t, hostA, hostB, 100)
	for _, c := range []struct {
		own, peer pseudotime.Stamp
		taken     bool
	}{{50000, 50000, true}, {50000, 48000, true}, {50000, 47999, false}, {50000, 52000, true}, {50000, 52100, false}} {
		a, b := synchronised(t, gatewayA, c.peer, nil, stampedSA(1)), synchronised(t, gatewayB, c.own, nil, stampedSA(1))
		outer := one(t, a, t0, core.Inside, packet, core.Outside)
		_, err := handle(b, t0, core.Outside, outer)
		tally, m := *b.db.Entries()[0].Tally, b.groups[0]
		if (err == nil) != c.taken || tally.In+tally.InErrors != 1 || (tally.In == 1) != c.taken {
			t.Errorf("%v by %v: %v, %+v", c.peer, c.own, err, tally)
		}
		f, failed := m.Repeated()
		if failed == c.taken || failed && (f.Own != c.own || f.Peer != c.peer-c.peer%100 || f.Source.String() != hostA || f.Window != 2000) {
			t.Errorf("%v by %v: %+v, %t", c.peer, c.own, f, failed)
		}
		if _, again := m.Repeated(); again {
			t.Error("a failure is told twice")
		}
		if s := m.Replay(t0); len(s.Errors) == 1 == c.taken || s.Value != c.own.String() {
			t.Errorf("%+v", s)
		}
		m.ClearReplay()
		if s := m.Replay(t0); len(s.Errors) > 0 || b.db.Entries()[0].Tally.In+b.db.Entries()[0].Tally.InErrors > 0 {
			t.Errorf("once it is cleared: %+v", s)
		}
	}
}

// A packet needs its pseudotime, whole and under the number that is configured; one that it was taken off needs none.
func TestWithoutAStamp(t *testing.T) {
	b := synchronised(t, gatewayB, 50000, nil, stampedSA(1))
	packet := udp(t, hostA, hostB, 100)
	refuses(t, b, t0, core.Outside, one(t, newGateway(t, gatewayA, nil, gcmSA(1)), t0, core.Inside, packet, core.Outside), guardBare)
	other := synchronised(t, gatewayA, 50000, func(c *Config) { c.Metadata.Protocol = 253 }, stampedSA(1))
	refuses(t, b, t0, core.Outside, one(t, other, t0, core.Inside, packet, core.Outside), guardBare)

	sa, err := esp.New(gcmSA(1), esp.Options{SID: 9, SIDBits: 8, HasSID: true})
	if err != nil {
		t.Fatal(err)
	}
	whole := metadata.Header{Next: 4, Length: 12, Kind: metadata.KindStamp, Stamp: 50000}.Append(nil)
	for n := range whole {
		sealed, err := sa.Seal(nil, whole[:n], metadata.Protocol)
		if err != nil {
			t.Fatal(err)
		}
		refuses(t, b, t0, core.Outside, wrap(t, hostA, hostB, 50, sealed), guardBare)
	}
	tagged, err := sa.Seal(nil, append(metadata.Header{Next: 4, Length: 8, Kind: metadata.KindTag}.Append(nil), packet...), metadata.Protocol)
	if err != nil {
		t.Fatal(err)
	}
	refuses(t, b, t0, core.Outside, wrap(t, hostA, hostB, 50, tagged), guardBare)
}

// Packets with a pseudotime are as long as the path allows, and no longer; what does not fit is fragmented or refused as ever.
func TestSizeWithAStamp(t *testing.T) {
	for _, octets := range []int{12, 16} {
		a := synchronised(t, gatewayA, 0, func(c *Config) { c.Metadata.Length = octets }, stampedSA(1))
		for n := 1300; n < 1480; n++ {
			out, err := handle(a, t0, core.Inside, udp(t, hostA, hostB, n-28))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range out {
				if len(p.bytes) > defaultMTU {
					t.Fatalf("a packet of %d octets leaves with %d", n, len(p.bytes))
				}
			}
			if whole := len(out) == 1; whole != (n <= 1446-octets) {
				t.Fatalf("a packet of %d octets leaves in %d, with %d octets of header", n, len(out), octets)
			}
		}
	}
}

// The SA decides whether packets are counted, and by how many; without anything said it is the member, and 64 if that has none.
func TestWindowOfAnSA(t *testing.T) {
	unsaid, counted, none := gcmSA(1), gcmSA(1), gcmSA(1)
	unsaid.Replay = &policy.ReplaySA{}
	counted.Replay = &policy.ReplaySA{AntiReplay: policy.AntiReplay{Method: policy.ReplayCounter, Counter: 512}}
	none.Replay = &policy.ReplaySA{AntiReplay: policy.AntiReplay{Method: policy.ReplayNone}}
	for i, c := range []struct {
		sa        policy.TrafficSA
		own, want int
	}{{gcmSA(1), 0, 0}, {gcmSA(1), 128, 128}, {unsaid, 0, 64}, {unsaid, 128, 128}, {counted, 128, 512}, {none, 128, 0}, {stampedSA(1), 128, 0}} {
		g := New(Config{ReplayWindow: c.own})
		if got := g.window(c.sa); got != c.want {
			t.Errorf("%d: %d, want %d", i, got, c.want)
		}
	}
}

// Whatever stands behind ESP where a pseudotime should, the packet is refused or delivered, and never more than was sent.
func FuzzStamped(f *testing.F) {
	f.Add([]byte{4, 12, 0, 1, 0, 0, 0, 0, 0, 0, 0xc3, 0x50, 0x45}, uint8(99))
	f.Add([]byte{99, 8, 0, 2, 0, 100, 0, 0}, uint8(99))
	f.Add([]byte{}, uint8(4))
	sa, err := esp.New(gcmSA(1), esp.Options{SID: 9, SIDBits: 8, HasSID: true})
	if err != nil {
		f.Fatal(err)
	}
	b := synchronised(f, gatewayB, 50000, nil, stampedSA(1))
	f.Fuzz(func(t *testing.T, payload []byte, next uint8) {
		if len(payload) > 1400 {
			return
		}
		sealed, err := sa.Seal(nil, payload, next)
		if err != nil {
			t.Fatal(err)
		}
		out, err := handle(b, t0, core.Outside, wrap(t, hostA, hostB, 50, sealed))
		if len(out) > 1 || err != nil && len(out) > 0 || len(out) == 1 && len(out[0].bytes) > len(payload) {
			t.Errorf("%d packets, %v", len(out), err)
		}
	})
}

package gateway

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

// TestFlood: packets of unknown SAs, parts of packets that never come whole, and news of paths that nobody uses leave a bounded
// number of things kept, and the group's own packets are delivered.
func TestFlood(t *testing.T) {
	a, b := newGateway(t, gatewayA, nil, gcmSA(1)), newGateway(t, gatewayB, nil, gcmSA(1))
	esp := one(t, a, at(1), core.Inside, udp(t, hostA, hostB, 100), core.Outside)
	entries := len(b.db.Entries())
	for n := range 20_000 {
		unknown := wiretest.Step{}.Alter(esp)
		binary.BigEndian.PutUint32(unknown[headerLen:], uint32(0x0c0ffee0+n))
		if out, err := handle(b, at(1), core.Outside, unknown); len(out) != 0 || err == nil {
			t.Fatalf("a packet of an unknown SA: %d packets, %v", len(out), err)
		}
		part := wiretest.Step{}.Alter(esp)
		binary.BigEndian.PutUint16(part[4:], uint16(n))
		part[6] |= 0x20 // more fragments
		source := netip.AddrFrom4([4]byte{10, 1, byte(n >> 8), byte(n)}).As4()
		copy(part[offSource:], source[:])
		resum(part, headerLen)
		_, _ = handle(b, at(1), core.Outside, part)
		_, _ = handle(b, at(1), core.Outside, needed(t, unknown, uint16(600+n%800)))
	}
	if len(b.db.Entries()) != entries || len(b.fragments.waiting) > maxDatagrams || len(b.paths) > maxPaths {
		t.Errorf("%d entries, %d datagrams in parts, %d paths", len(b.db.Entries()), len(b.fragments.waiting), len(b.paths))
	}
	one(t, b, at(1), core.Outside, esp, core.Inside)
	b.Expire(at(100))
	if len(b.fragments.waiting) != 0 {
		t.Errorf("%d datagrams in parts are kept for ever", len(b.fragments.waiting))
	}
}

// TestSAsGiveWay: of SAs that a key server hands out without end, those whose time is over are forgotten.
func TestSAsGiveWay(t *testing.T) {
	g := newGateway(t, gatewayA, nil, gcmSA(1))
	for n := range uint32(500) {
		if err := g.groups[0].Install(at(float64(n*60)), []policy.TrafficSA{gcmSA(2 + n)}, policy.Activation{}, nil, false); err != nil {
			t.Fatal(err)
		}
		g.Expire(at(float64(n * 60)))
		if len(g.db.Entries()) > 100 {
			t.Fatalf("%d SAs after %d rekeys", len(g.db.Entries()), n)
		}
	}
}

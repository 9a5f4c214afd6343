package group_test

import (
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// TestMove: a member that has moved gets its PUSH where it is, and acknowledges it under the address that it has proven.
func TestMove(t *testing.T) {
	g := newGroup(t, unicast(acknowledged))
	register(t, g, epoch, 1, 0)
	at := netip.MustParseAddrPort("203.0.113.7:40001")
	g.Move(memberID(1), at)
	g.Move(memberID(9), at) // no member
	p := rekey(t, g, epoch, control.RekeyArgs{})
	if len(p.To) != 1 || p.To[0] != at {
		t.Errorf("PUSH to %v", p.To)
	}
	for _, by := range []netip.Addr{memberAddr(9), memberAddr(1)} {
		err := g.Ack(epoch, group.Ack{Under: p.Under.SPI, Sequence: 1, Member: by}, func(*policy.RekeySA) bool { return true })
		if (err == nil) != (by == memberAddr(1)) {
			t.Errorf("acknowledgement by %s: %v", by, err)
		}
	}
}

package group_test

import (
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// Members with names behind one address are two: each has its PUSH, its acknowledgements and its exclusion.
func TestNamesAtOneAddress(t *testing.T) {
	g := newGroup(t, unicast(acknowledged))
	name := func(value string) policy.Identity { return policy.Identity{Kind: policy.IdentityFQDN, Value: value} }
	at := map[policy.Identity]netip.AddrPort{
		name("gm1.example"): netip.MustParseAddrPort("203.0.113.7:40001"), name("gm2.example"): netip.MustParseAddrPort("203.0.113.7:40002"),
	}
	for id, from := range at {
		if _, err := g.Admit(epoch, id, from, offer(t, g, epoch), 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := g.Admit(epoch, name("GM1.example"), at[name("gm1.example")], offer(t, g, epoch), 0); err != nil {
		t.Fatal(err)
	}
	p := rekey(t, g, epoch, control.RekeyArgs{})
	if len(p.To) != 2 || p.To[0] == p.To[1] {
		t.Fatalf("PUSH to %v", p.To)
	}
	inside := netip.MustParseAddr("10.0.0.9") // as both know themselves
	for _, from := range p.To {
		if err := g.Ack(epoch, group.Ack{Under: p.Under.SPI, Sequence: 1, Member: inside, From: from}, func(*policy.RekeySA) bool { return true }); err != nil {
			t.Errorf("acknowledgement from %v: %v", from, err)
		}
	}
	g.Move(name("gm1.EXAMPLE"), netip.MustParseAddrPort("203.0.113.7:40003"))
	for _, m := range g.Status(epoch).Members {
		if m.Acked != 1 || m.Identity == "fqdn:gm1.example" != (m.Address == "203.0.113.7:40003") {
			t.Errorf("member %+v", m)
		}
	}
}

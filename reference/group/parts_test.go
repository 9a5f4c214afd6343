package group_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// hierarchical has the KEK be the root of a hierarchy of which a message brings one update, and members acknowledge rekeys.
func hierarchical(cfg *policy.Group) {
	cfg.Rekey.Management, cfg.Rekey.Updates, cfg.Rekey.Ack = policy.ManagementLKH, 1, policy.AckLKHSHA256
}

// Each part is for the members that find a key of theirs in it. Nobody else is told of it, nor missed.
func TestParts(t *testing.T) {
	g := newGroup(t, unicast(hierarchical))
	for n := range byte(4) {
		register(t, g, epoch, n+1, 0)
	}
	first := rekey(t, g, epoch, control.RekeyArgs{})
	for n := range byte(4) {
		if err := ack(g, epoch, n+1, first); err != nil {
			t.Fatal(err)
		}
	}
	plans, err := g.Exclude(epoch, memberID(2))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]byte{{1}, {3, 4}, {1, 3, 4}}
	if len(plans) != len(want) {
		t.Fatalf("%d messages", len(plans))
	}
	for i, p := range plans {
		if !slices.EqualFunc(p.To, want[i], func(at netip.AddrPort, n byte) bool { return at == memberAddrPort(n) }) {
			t.Errorf("message %d goes to %v", i, p.To)
		}
		if i < 2 && (p.Rekey.Under != first.Rekey.Under || p.Rekey.Sequence != first.Rekey.Sequence+uint32(i)+1 || len(p.Rekey.NewRekey.LKH.Updates) != 1) {
			t.Errorf("message %d: %+v", i, p.Rekey)
		}
		for _, n := range want[i] {
			if err := ack(g, epoch, n, p); err != nil {
				t.Errorf("message %d to member %d: %v", i, n, err)
			}
		}
	}
	if missed, _ := run(t, g, at(time.Minute)); len(missed) > 0 {
		t.Errorf("%d messages are repeated or missed", len(missed))
	}
	if plans[0].Rekey.NewRekey.SPI != plans[1].Rekey.NewRekey.SPI || plans[2].Rekey.Under != plans[1].Rekey.NewRekey.SPI {
		t.Error("the parts are of different Rekey SAs")
	}
}

// Who was excluded may be readmitted, once.
func TestReadmit(t *testing.T) {
	g := newGroup(t, unicast(hierarchical))
	register(t, g, epoch, 1, 0)
	register(t, g, epoch, 2, 0)
	if err := g.Readmit(memberID(2)); err == nil {
		t.Error("a member is readmitted that was not excluded")
	}
	if _, err := g.Exclude(epoch, memberID(2)); err != nil {
		t.Fatal(err)
	}
	allowed := func() bool { return g.Authorised(memberAddr(2), memberID(2), policy.Peer{}) }
	if allowed() {
		t.Error("it may register though it is excluded")
	}
	if err := g.Readmit(memberID(2)); err != nil || !allowed() {
		t.Errorf("%v, may register: %t", err, allowed())
	}
	register(t, g, epoch, 2, 0)
}

// Keys that were foreseen for who joins are no longer when something else has happened.
func TestForeseen(t *testing.T) {
	g := newGroup(t, unicast(func(cfg *policy.Group) { cfg.Rekey.Backward = true }))
	old := offerTo(t, g, epoch, memberID(1))
	rekey(t, g, epoch, control.RekeyArgs{})
	if _, err := g.Admit(epoch, memberID(1), memberAddrPort(1), old, 0); err != group.ErrMoved {
		t.Errorf("%v", err)
	}
	again := register(t, g, epoch, 1, 0)
	if again.Download.SAs[0].SPI == old.Download.SAs[0].SPI {
		t.Error("it gets what it was offered before")
	}
}

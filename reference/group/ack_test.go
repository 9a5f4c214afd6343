package group_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// acking is a group of three members that asks for acknowledgements, with a PUSH on its way.
func acking(t testing.TB, cfg policy.Group, altered ...string) (*group.Group, group.Plan) {
	t.Helper()
	g := newGroup(t, cfg, altered...)
	for n := byte(1); n <= 3; n++ {
		register(t, g, epoch, n, 0)
	}
	return g, rekey(t, g, epoch, control.RekeyArgs{})
}

func TestAckRecorded(t *testing.T) {
	g, p := acking(t, unicast(acknowledged))
	asked := false
	err := g.Ack(epoch, group.Ack{Under: p.Under.SPI, Sequence: 1, Member: memberAddr(2)}, func(under *policy.RekeySA) bool {
		asked = bytes.Equal(under.Key, p.Under.Key)
		return true
	})
	if err != nil || !asked {
		t.Fatalf("got %v, proof with the right key: %t", err, asked)
	}
	for _, m := range g.Status(epoch).Members {
		if acked := m.Identity == "192.0.2.2"; m.EverAcked != acked || (m.Acked == 1) != acked {
			t.Errorf("member %+v", m)
		}
	}
}

func TestAckRefused(t *testing.T) {
	_, p := acking(t, unicast(acknowledged))
	good := group.Ack{Under: p.Under.SPI, Sequence: 1, Member: memberAddr(1)}
	tests := []struct {
		guard  string
		cfg    policy.Group
		change func(*group.Ack)
		proof  bool // whether the proof is asked for, and would fail
	}{
		{"group.ack.asked", unicast(), func(*group.Ack) {}, false},
		{"group.ack.member", unicast(acknowledged), func(a *group.Ack) { a.Member = memberAddr(99) }, false},
		{"group.ack.member", unicast(acknowledged), func(a *group.Ack) { a.Sequence = 0 }, false},
		{"group.ack.member", unicast(acknowledged), func(a *group.Ack) { a.Under[0]++ }, false},
		{"group.ack.sent", unicast(acknowledged), func(a *group.Ack) { a.Sequence = 2 }, false},
		{"group.ack.proven", unicast(acknowledged), func(*group.Ack) {}, true},
	}
	for _, test := range tests {
		t.Run(test.guard, func(t *testing.T) {
			g, p := acking(t, test.cfg)
			a := good
			a.Under = p.Under.SPI
			test.change(&a)
			proofs := 0
			proof := func(*policy.RekeySA) bool { proofs++; return !test.proof }
			if err := g.Ack(epoch, a, proof); !violated(err, test.guard) {
				t.Fatalf("got %v", err)
			}
			if (proofs == 1) != test.proof {
				t.Errorf("%d proofs", proofs)
			}
			if m := g.Status(epoch).Members[0]; m.EverAcked {
				t.Error("it was recorded all the same")
			}
			if a.Under != p.Under.SPI {
				return
			}
			off, p := acking(t, test.cfg, test.guard, "off")
			a.Under = p.Under.SPI
			if err := off.Ack(epoch, a, proof); violated(err, test.guard) {
				t.Errorf("with the guard off: %v", err)
			}
		})
	}
}

// TestAckDuplicate: the second time costs no proof (RFC 8263 §5).
func TestAckDuplicate(t *testing.T) {
	g, p := acking(t, unicast(acknowledged))
	proofs := 0
	for i := range 100 {
		err := g.Ack(epoch, group.Ack{Under: p.Under.SPI, Sequence: 1, Member: memberAddr(1)}, func(*policy.RekeySA) bool { proofs++; return true })
		if (i == 0) != (err == nil) || (i > 0 && !violated(err, "group.ack.duplicate")) {
			t.Fatalf("acknowledgement %d: %v", i, err)
		}
	}
	if proofs != 1 {
		t.Errorf("%d proofs", proofs)
	}
}

// TestAckOutOfOrder: numbers may come in any order, each once.
func TestAckOutOfOrder(t *testing.T) {
	g := newGroup(t, unicast(acknowledged))
	register(t, g, epoch, 1, 0)
	var plans []group.Plan
	for range 100 {
		plans = append(plans, rekey(t, g, epoch, control.RekeyArgs{}))
	}
	for _, i := range []int{50, 20, 99, 98, 40} {
		if err := ack(g, epoch, 1, plans[i]); err != nil {
			t.Errorf("%d: %v", i, err)
		}
		if err := ack(g, epoch, 1, plans[i]); !violated(err, "group.ack.duplicate") {
			t.Errorf("%d again: %v", i, err)
		}
	}
	if err := ack(g, epoch, 1, plans[10]); !violated(err, "group.ack.duplicate") {
		t.Errorf("one that is too old to tell: %v", err)
	}
	if m := g.Status(epoch).Members[0]; m.Acked != 100 {
		t.Errorf("acknowledged up to %d", m.Acked)
	}
}

// TestAckAfterKEK: the old KEK is kept for acknowledgements of the PUSH that replaced it (RFC 8263 §6).
func TestAckAfterKEK(t *testing.T) {
	for _, what := range []control.RekeyArgs{kekToo, {DeleteAll: true}} {
		g := newGroup(t, unicast(acknowledged))
		register(t, g, epoch, 1, 0)
		register(t, g, epoch, 2, 0)
		p := rekey(t, g, epoch, what)
		if err := ack(g, at(4*time.Second), 1, p); err != nil {
			t.Errorf("%+v: %v", what, err)
		}
		run(t, g, at(time.Minute))
		if err := ack(g, at(time.Minute), 2, p); err == nil {
			t.Errorf("%+v: an acknowledgement a minute late is taken", what)
		}
	}
	g := newGroup(t, unicast(acknowledged), "group.ack.kek-kept", "broken")
	register(t, g, epoch, 1, 0)
	p := rekey(t, g, epoch, kekToo)
	run(t, g, at(time.Second))
	if err := ack(g, at(4*time.Second), 1, p); err == nil {
		t.Error("kek-kept: broken, and yet kept")
	}
}

// TestAckLateUnderOldKEK: a late one does not hide a newer one.
func TestAckLateUnderOldKEK(t *testing.T) {
	g := newGroup(t, unicast(acknowledged))
	register(t, g, epoch, 1, 0)
	old := rekey(t, g, epoch, kekToo)
	young := rekey(t, g, epoch, control.RekeyArgs{})
	next := rekey(t, g, epoch, control.RekeyArgs{})
	for _, p := range []group.Plan{young, next, old} {
		if err := ack(g, epoch, 1, p); err != nil {
			t.Fatal(err)
		}
	}
	if m := g.Status(epoch).Members[0]; m.Acked != 2 {
		t.Errorf("acknowledged up to %d", m.Acked)
	}
}

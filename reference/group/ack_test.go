package group_test

import (
	"bytes"
	"slices"
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
	err := g.Ack(epoch, group.Ack{Under: p.Under.SPI, Sequence: 1, Member: memberAddr(2)}, func(key []byte) bool {
		asked = bytes.Equal(key, p.Under.Key)
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
			proof := func([]byte) bool { proofs++; return !test.proof }
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
		err := g.Ack(epoch, group.Ack{Under: p.Under.SPI, Sequence: 1, Member: memberAddr(1)}, func([]byte) bool { proofs++; return true })
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

// TestMissing tells the story of three members: one acknowledges, one has done so before and is missed, one never has.
//
//	0 s   PUSH 1 to 1, 2, 3         1 and 2 acknowledge
//	10 s  again to 3                not missed: it may not know how
//	20 s  again to 3
//	100 s PUSH 2 to 1, 2, 3         1 acknowledges
//	110 s again to 2, 3             2 is missed
//	120 s again to 2, 3
//	130 s                           2 is missed, and that was the last attempt
func TestMissing(t *testing.T) {
	g, p := acking(t, unicast(acknowledged, retransmitted(2)))
	for n := byte(1); n <= 2; n++ {
		if err := ack(g, at(time.Second), n, p); err != nil {
			t.Fatal(err)
		}
	}
	plans, when := run(t, g, at(90*time.Second))
	if len(plans) != 2 || when[0] != at(10*time.Second) || when[1] != at(20*time.Second) {
		t.Fatalf("repeated at %v", when)
	}
	if len(plans[0].Missing) != 0 || len(plans[0].To) != 1 || plans[0].To[0] != memberAddrPort(3) || plans[1].Attempt != 2 {
		t.Errorf("plans %+v", plans)
	}

	p = rekey(t, g, at(100*time.Second), control.RekeyArgs{})
	if err := ack(g, at(101*time.Second), 1, p); err != nil {
		t.Fatal(err)
	}
	plans, when = run(t, g, at(200*time.Second))
	if len(plans) != 3 || when[2] != at(130*time.Second) {
		t.Fatalf("repeated at %v", when)
	}
	for i, p := range plans {
		if len(p.Missing) != 1 || p.Missing[0].Identity != memberAddr(2) || p.Missing[0].Gone {
			t.Errorf("plan %d: missing %+v", i, p.Missing)
		}
		if want := 2; i < 2 && len(p.To) != want || i == 2 && len(p.To) != 0 {
			t.Errorf("plan %d goes to %v", i, p.To)
		}
	}
}

// TestMulticastRepeated: the group is told again while anybody is missing, and not after.
func TestMulticastRepeated(t *testing.T) {
	g, p := acking(t, unicast(multicast, acknowledged, retransmitted(3)))
	for n := byte(1); n <= 2; n++ {
		if err := ack(g, epoch, n, p); err != nil {
			t.Fatal(err)
		}
	}
	plans := due(t, g, at(10*time.Second))
	if len(plans) != 1 || len(plans[0].To) != 1 || plans[0].To[0] != multicastAddress {
		t.Fatalf("plans %+v", plans)
	}
	if err := ack(g, at(11*time.Second), 3, p); err != nil {
		t.Fatal(err)
	}
	if plans, _ := run(t, g, at(10*time.Minute)); len(plans) != 0 {
		t.Errorf("all have acknowledged, and yet %+v", plans)
	}
}

// TestGone: a member that has acknowledged before and leaves three PUSH messages in a row unanswered is gone; one that
// never acknowledged stays (RFC 8263 §6).
func TestGone(t *testing.T) {
	g, p := acking(t, unicast(acknowledged))
	if err := ack(g, epoch, 1, p); err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 3; i++ {
		now := at(time.Duration(i) * time.Minute)
		rekey(t, g, now, control.RekeyArgs{})
		plans, _ := run(t, g, now.Add(50*time.Second))
		if len(plans) != 1 || len(plans[0].Missing) != 1 || plans[0].Missing[0].Gone != (i == 3) {
			t.Errorf("PUSH %d: %+v", i, plans)
		}
	}
	var left []string
	for _, m := range g.Status(epoch).Members {
		left = append(left, m.Identity)
	}
	if !slices.Equal(left, []string{"192.0.2.2", "192.0.2.3"}) {
		t.Errorf("left are %v", left)
	}
	if a := register(t, g, at(time.Hour), 1, 0); a.Download.Rekey == nil {
		t.Error("it cannot come back")
	}
}

// TestRegistrationInstead: who registers after a PUSH has what it brought, and is not waited for.
func TestRegistrationInstead(t *testing.T) {
	g, p := acking(t, unicast(acknowledged, retransmitted(1)))
	for n := byte(1); n <= 2; n++ {
		if err := ack(g, epoch, n, p); err != nil {
			t.Fatal(err)
		}
	}
	register(t, g, at(time.Second), 3, 0)
	if plans, _ := run(t, g, at(time.Minute)); len(plans) != 0 {
		t.Errorf("plans %+v", plans)
	}
	if err := ack(g, at(time.Minute), 3, p); !violated(err, "group.ack.member") {
		t.Errorf("acknowledgement of what came before its registration: %v", err)
	}
}

func TestAckMutants(t *testing.T) {
	wait := func(mutation string) time.Time {
		g, _ := acking(t, unicast(acknowledged, retransmitted(1)), "group.ack.wait", mutation)
		_, when := run(t, g, at(time.Minute))
		return when[0]
	}
	if wait("up") != at(11*time.Second) || wait("down") != at(9*time.Second) {
		t.Error("wait: altered, and yet the same")
	}
	missing := func(altered ...string) int {
		g, p := acking(t, unicast(acknowledged), altered...)
		if err := ack(g, epoch, 1, p); err != nil {
			t.Fatal(err)
		}
		rekey(t, g, at(time.Minute), control.RekeyArgs{})
		plans, _ := run(t, g, at(90*time.Second))
		n := 0
		for _, p := range plans {
			n += len(p.Missing)
		}
		return n
	}
	if n := missing(); n != 1 {
		t.Errorf("%d missing", n)
	}
	if n := missing("group.ack.missing", "broken"); n != 0 {
		t.Error("missing: broken, and yet reported")
	}
	if n := missing("group.ack.expected", "off"); n <= 1 {
		t.Error("expected: off, and yet nobody else is missed")
	}
	g, p := acking(t, unicast(acknowledged), "group.ack.recorded", "broken")
	if err := ack(g, epoch, 1, p); err != nil || g.Status(epoch).Members[0].EverAcked {
		t.Errorf("recorded: broken, and yet recorded (%v)", err)
	}
	g, p = acking(t, unicast(acknowledged), "group.ack.duplicate", "off")
	if ack(g, epoch, 1, p) != nil || ack(g, epoch, 1, p) != nil {
		t.Error("duplicate: off, and yet refused")
	}
	for mutation, last := range map[string]uint32{"up": 2, "down": 0} {
		g, p := acking(t, unicast(acknowledged), "group.ack.sent", mutation)
		p.Rekey.Sequence = last
		if last == 0 {
			p.Rekey.Sequence = 1
		}
		if err := ack(g, epoch, 1, p); (err == nil) != (mutation == "up") {
			t.Errorf("sent %s: %v", mutation, err)
		}
	}
}

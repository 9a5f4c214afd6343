package group_test

import (
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
)

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
		if len(p.Missing) != 1 || p.Missing[0].Identity != memberID(2) || p.Missing[0].Gone {
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
	for range 2 {
		if err := ack(g, epoch, 1, p); err != nil {
			t.Errorf("duplicate: off, and yet refused: %v", err)
		}
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

package group_test

import (
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// TestThreeDays lets three days pass. TEKs of an hour are replaced a tenth before their end, a KEK of a day likewise, in
// one PUSH with the TEKs; no member is ever without a key.
func TestThreeDays(t *testing.T) {
	g := newGroup(t, unicast(multicast))
	expires, kekExpires := at(time.Hour), at(24*time.Hour)
	last := uint32(0)
	plans, when := run(t, g, at(72*time.Hour))
	keks := 0
	for i, p := range plans {
		if left := expires.Sub(when[i]); left != 6*time.Minute {
			t.Fatalf("PUSH %d: the TEK has %v left", i, left)
		}
		expires = when[i].Add(time.Hour)
		if p.Rekey.Sequence != last+1 {
			t.Fatalf("PUSH %d has number %d", i, p.Rekey.Sequence)
		}
		last = p.Rekey.Sequence
		if p.Rekey.NewRekey != nil {
			keks++
			if left := kekExpires.Sub(when[i]); left != 144*time.Minute {
				t.Errorf("PUSH %d: the KEK has %v left", i, left)
			}
			kekExpires, last = when[i].Add(24*time.Hour), 0
		}
	}
	if len(plans) != 80 || keks != 3 {
		t.Errorf("%d PUSHes, %d with a KEK", len(plans), keks)
	}
}

func TestMargin(t *testing.T) {
	tests := []struct {
		name      string
		change    func(*policy.Group)
		altered   []string
		first     time.Duration
		kek, teks bool
	}{
		{"a tenth of the TEK's life", func(*policy.Group) {}, nil, 54 * time.Minute, false, true},
		{"as configured", func(c *policy.Group) { c.Rekey.Margin = time.Minute }, nil, 59 * time.Minute, false, true},
		{"of the KEK", func(c *policy.Group) {
			c.Rekey.KEKLifetime, c.Rekey.Margin = 10*time.Minute, time.Minute
		}, nil, 9 * time.Minute, true, true},
		{"KEK a second late", func(c *policy.Group) { c.Rekey.KEKLifetime, c.Rekey.Margin = 10*time.Minute, time.Minute },
			[]string{"group.kek.lifetime", "up"}, 9*time.Minute + time.Second, true, true},
		{"KEK a second early", func(c *policy.Group) { c.Rekey.KEKLifetime, c.Rekey.Margin = 10*time.Minute, time.Minute },
			[]string{"group.kek.lifetime", "down"}, 9*time.Minute - time.Second, true, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := newGroup(t, unicast(multicast, test.change), test.altered...)
			now, ok := g.Deadline()
			if !ok || now != at(test.first) {
				t.Fatalf("deadline %v", now.Sub(epoch))
			}
			if plans := due(t, g, now.Add(-1)); len(plans) != 0 {
				t.Error("a plan before its time")
			}
			plans := due(t, g, now)
			if len(plans) != 1 || (plans[0].Rekey.NewRekey != nil) != test.kek || (len(plans[0].Rekey.SAs) > 0) != test.teks {
				t.Errorf("plans %+v", plans)
			}
		})
	}
}

// TestLifetimesOfTheirOwn: each SA is replaced in its own time.
func TestLifetimesOfTheirOwn(t *testing.T) {
	short := cbc
	short.Lifetime = 10 * time.Minute
	g := newGroup(t, unicast(multicast, func(c *policy.Group) { c.SAs = []policy.SAPolicy{gcm, short} }))
	plans, _ := run(t, g, at(54*time.Minute))
	if len(plans) != 6 {
		t.Fatalf("%d plans", len(plans))
	}
	for i, p := range plans[:5] {
		if len(p.Rekey.SAs) != 1 || p.Rekey.SAs[0].Selector != short.Selector {
			t.Errorf("plan %d replaces %+v", i, p.Rekey.SAs)
		}
	}
	if len(plans[5].Rekey.SAs) != 2 {
		t.Errorf("both are due, and %d are replaced", len(plans[5].Rekey.SAs))
	}
}

// TestCopies: without acknowledgements a PUSH is repeated as often as configured.
func TestCopies(t *testing.T) {
	for _, transport := range []func(*policy.Group){multicast, func(*policy.Group) {}} {
		for _, what := range []control.RekeyArgs{{}, kekToo, {DeleteAll: true}} {
			g := newGroup(t, unicast(transport, retransmitted(2), func(c *policy.Group) { c.Rekey.Interval = 5 * time.Second }))
			register(t, g, epoch, 1, 0)
			register(t, g, epoch, 2, 0)
			first := rekey(t, g, epoch, what)
			plans, when := run(t, g, at(time.Minute))
			if len(plans) != 2 || when[0] != at(5*time.Second) || when[1] != at(10*time.Second) {
				t.Fatalf("%+v repeated at %v", what, when)
			}
			for i, p := range plans {
				if p.Attempt != i+1 || p.Rekey.Sequence != first.Rekey.Sequence || p.Under.SPI != first.Under.SPI || len(p.To) != len(first.To) {
					t.Errorf("copy %d: %+v", i, p)
				}
			}
			if g.Outstanding(first.Under.SPI, first.Rekey.Sequence) {
				t.Error("there is more to come")
			}
		}
	}
}

func TestOutstanding(t *testing.T) {
	g := newGroup(t, unicast(multicast, retransmitted(1)))
	p := rekey(t, g, epoch, control.RekeyArgs{})
	if !g.Outstanding(p.Under.SPI, p.Rekey.Sequence) || g.Outstanding(p.Under.SPI, 9) {
		t.Error("one PUSH is outstanding, and no other")
	}
}

// TestWithoutRekey: keys are replaced in silence, and members that do not register again are forgotten.
func TestWithoutRekey(t *testing.T) {
	g := newGroup(t, unicast(func(c *policy.Group) { c.Rekey.Transport = policy.TransportNone }))
	register(t, g, epoch, 1, 0)
	plans, _ := run(t, g, at(54*time.Minute))
	if len(plans) != 1 || len(plans[0].To) != 0 || len(plans[0].Rekey.SAs) != 1 {
		t.Fatalf("plans %+v", plans)
	}
	register(t, g, at(55*time.Minute), 2, 0)
	run(t, g, at(114*time.Minute))
	if s := g.Status(at(114 * time.Minute)); len(s.Members) != 1 || s.Members[0].Identity != "192.0.2.2" {
		t.Errorf("members %+v", s.Members)
	}
}

// TestLeftBehind: after everything was deleted, who does not register again is forgotten with the old Rekey SA.
func TestLeftBehind(t *testing.T) {
	g := newGroup(t, unicast(acknowledged))
	register(t, g, epoch, 1, 0)
	register(t, g, epoch, 2, 0)
	old := rekey(t, g, epoch, control.RekeyArgs{DeleteAll: true}).Under.SPI
	g.Changes()
	register(t, g, at(time.Second), 2, 0)
	run(t, g, at(time.Minute))
	if s := g.Status(at(time.Minute)); len(s.Members) != 1 || s.Members[0].Identity != "192.0.2.2" {
		t.Errorf("members %+v", s.Members)
	}
	if c := g.Changes(); len(c.Ended) != 1 || c.Ended[0] != old {
		t.Errorf("ended %v, want %v", c.Ended, old)
	}
}

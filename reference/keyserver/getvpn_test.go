package keyserver_test

import (
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/keyserver"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// ofVendor is profile getvpn with a TEK of 10 minutes and a KEK of 20, rekeys of which are repeated three times.
func ofVendor(cfg *policy.KeyServer) {
	cfg.Profile = policy.ProfileGETVPN
	g := &cfg.Groups[0]
	g.Rekey.KEKLifetime, g.Rekey.Retransmit = 20*time.Minute, 3
	g.SAs[0].Lifetime = 10 * time.Minute
}

// reminding has who does not acknowledge be told again every minute.
func reminding(cfg *policy.KeyServer) {
	r := &cfg.Groups[0].Rekey
	r.Retransmit, r.Interval, r.Reminders = 0, time.Minute, true
}

// rekeysSent tells of each PUSH since the line when it left, its number, its attempt and to how many.
func (w *witness) rekeysSent(l *lab, since int) {
	for i, line := range l.logs[since:] {
		if line.Tag == "REKEY_SENT" {
			w.see("%v: number %s, attempt %s to %s, new KEK %s", l.logged[since+i].Sub(epoch), value(line, "sequence"), value(line, "attempt"),
				value(line, "addresses"), value(line, "kek"))
		}
	}
}

// vendor has a silent member, and an operator's rekey some minutes before that of the KEK.
func (w *witness) vendor(l *lab) {
	l.joined(1)
	l.pass(829 * time.Second)
	l.rekey(control.RekeyArgs{})
	l.pass(25 * time.Minute)
	w.rekeysSent(l, 0)
}

func (w *witness) reminders(l *lab) {
	m := l.joined(1)
	l.rekey(control.RekeyArgs{})
	for range 3 {
		for _, s := range l.pass(time.Minute) {
			p := m.receive(s.Data)
			w.see("%d again, for %v", p.seq, p.policy.SAs[0].Lifetime)
		}
	}
}

// loops have 51 members.
func (w *witness) loops(l *lab) {
	for n := 1; n <= 51; n++ {
		l.joined(n)
	}
	l.pass(10 * time.Minute)
	w.rekeysSent(l, 0)
}

// syncing has the pseudotime be told so often, where a TEK is replaced after 3235 s.
func syncing(each time.Duration) func(*policy.KeyServer) {
	return func(cfg *policy.KeyServer) {
		g := &cfg.Groups[0]
		g.Rekey.Sync, g.Rekey.Retransmit, g.Rekey.KEKLifetime, g.SAs[0].Lifetime = each, 0, 24*time.Hour, time.Hour
	}
}

func (w *witness) hour(l *lab) {
	m := l.joined(1)
	before := m.register().SAs[0].SPI
	for l.now.Sub(epoch) < time.Hour {
		for _, s := range l.pass(time.Second) {
			if s.Kind == core.Push {
				p := m.receive(s.Data)
				w.see("%v: SEQ %d, new TEK %t", l.now.Sub(epoch), p.seq, p.policy.SAs[0].SPI != before)
			}
		}
	}
}

// plainly is a witness that fails the test, with the lab of a scene of that name.
func plainly(t *testing.T, name string) (*witness, *lab) {
	t.Helper()
	w := &witness{TB: t}
	for _, s := range scenes() {
		if s.name == name {
			l := newLab(t, s.cfg, nil)
			s.do(w, l)
			return w, l
		}
	}
	t.Fatalf("no scene %q", name)
	return nil, nil
}

// The TEK is replaced 90 + 5 + 30 s before its end, the KEK 200 + 5 + 30 s; each copy has its own number, and none is sent in the two
// minutes before another rekey. The first rekey under the new KEK has the number 1.
func TestVendorSchedule(t *testing.T) {
	w, _ := plainly(t, "profile getvpn")
	want := []string{
		"7m55s: number 1, attempt 0 to 1, new KEK false",
		"8m5s: number 2, attempt 1 to 1, new KEK false",
		"8m15s: number 3, attempt 2 to 1, new KEK false",
		"8m25s: number 4, attempt 3 to 1, new KEK false",
		"13m49s: number 5, attempt 0 to 1, new KEK false",
		"13m59s: number 6, attempt 1 to 1, new KEK false", // 126 s before the next
		"16m5s: number 7, attempt 0 to 1, new KEK true",
		"16m15s: number 8, attempt 1 to 1, new KEK true",
		"16m25s: number 9, attempt 2 to 1, new KEK true",
		"16m35s: number 10, attempt 3 to 1, new KEK true",
		"24m0s: number 1, attempt 0 to 1, new KEK false",
	}
	for i, line := range want {
		if i >= len(w.lines) || w.lines[i] != line {
			t.Fatalf("line %d: %q, want %q", i, w.lines, line)
		}
	}
}

func TestReminders(t *testing.T) {
	w, _ := plainly(t, "reminders")
	want := []string{"2 again, for 9m0s", "3 again, for 8m0s", "4 again, for 7m0s"}
	if len(w.lines) != 3 || w.lines[0] != want[0] || w.lines[1] != want[1] || w.lines[2] != want[2] {
		t.Errorf("%q, want %q", w.lines, want)
	}
}

// Fifty members are told at a time, and the rest 5 s later with what is left of the lifetime; repetitions follow each loop.
func TestLoops(t *testing.T) {
	w, l := plainly(t, "loops")
	want := []string{
		"7m50s: number 1, attempt 0 to 50, new KEK false",
		"7m55s: number 1, attempt 0 to 1, new KEK false",
		"8m0s: number 2, attempt 1 to 50, new KEK false",
		"8m5s: number 3, attempt 1 to 1, new KEK false",
	}
	for i, line := range want {
		if i >= len(w.lines) || w.lines[i] != line {
			t.Fatalf("line %d: %q, want %q", i, w.lines, line)
		}
	}
	if l.status().Groups[0].Sequence != 7 {
		t.Errorf("number %d", l.status().Groups[0].Sequence)
	}
}

// A rekey that is asked for while another is under way has nobody left out, and nothing of the first is repeated.
func TestOvertaking(t *testing.T) {
	l := newLab(t, configuration(ofVendor), nil)
	for n := 1; n <= 51; n++ {
		l.joined(n)
	}
	first := l.rekey(control.RekeyArgs{})
	l.pass(time.Second)
	since := len(l.logs)
	second := l.rekey(control.RekeyArgs{})
	if len(first) != 50 || len(second) != 51 || string(second[0].Data) == string(second[1].Data) {
		t.Fatalf("%d and %d messages", len(first), len(second))
	}
	for _, s := range l.pass(time.Minute) {
		if s.Kind != core.Push {
			t.Errorf("%v", s.Kind)
		}
	}
	w := &witness{TB: t}
	w.rekeysSent(l, since)
	if len(w.lines) != 2+1+2*3 { // the rest of the first, two loops of the second, and their copies
		t.Errorf("%q", w.lines)
	}
}

// busy is a group whose members send 100,000 packets a second under SAs that live for 12 hours.
func busy(c *policy.KeyServer) {
	c.Groups[0].PacketRate, c.Groups[0].SAs[0].Lifetime, c.Groups[0].Rekey.KEKLifetime = 100000, 12*time.Hour, 24*time.Hour
}

// advised sees what the operator is advised, at the start and of another policy.
func (w *witness) advised(l *lab) {
	for _, tag := range []string{"LIFETIME_ADVICE", "SIGNING_KEY_WEAK"} {
		w.see("%s: %d", tag, len(l.tagged(tag)))
	}
}

// Another policy brings advice where it is another, and another key too.
func TestAdviceOfChanges(t *testing.T) {
	l := newLab(t, configuration(ofVendor, func(c *policy.KeyServer) {
		c.Groups[0].SAs[0].Lifetime, c.Groups[0].Rekey.KEKLifetime = time.Hour, 24*time.Hour
	}), nil)
	counts := func() [2]int { return [2]int{len(l.tagged("LIFETIME_ADVICE")), len(l.tagged("SIGNING_KEY_WEAK"))} }
	if counts() != [2]int{} {
		t.Fatal(counts())
	}
	for i, want := range [][2]int{{2, 1}, {2, 1}} { // the rate, and the KEK that should live thrice as long
		next := configuration(ofVendor, signedBy("ks-rsa1024"), busy)
		if _, err := l.configure(next); err != nil {
			t.Fatal(err)
		}
		if counts() != want {
			t.Errorf("%d: %v, want %v", i, counts(), want)
		}
	}
}

// What the vendor advises against is told, and what it has not is refused.
func TestLifetimes(t *testing.T) {
	if l := newLab(t, configuration(ofVendor), nil); len(l.tagged("LIFETIME_ADVICE")) != 2 {
		t.Errorf("%d lines", len(l.tagged("LIFETIME_ADVICE")))
	}
	if l := newLab(t, configuration(func(c *policy.KeyServer) { c.Groups[0].Rekey.KEKLifetime = time.Minute }), nil); len(l.tagged("LIFETIME_ADVICE")) != 0 {
		t.Error("advice without the profile")
	}
	longer := configuration(ofVendor, func(c *policy.KeyServer) { c.Groups[0].SAs[0].Lifetime = policy.LongestLifetime + time.Second })
	if _, err := keyserver.New(longer, keyserver.Options{Rand: keymat.Seeded("ks")}); err == nil {
		t.Error("a TEK of more than 30 days")
	}
}

// A pseudotime that is due less than 60 s before a rekey goes with it, and else before it.
func TestMergedPseudotime(t *testing.T) {
	for name, want := range map[string][]string{
		"pseudotime with a rekey":   {"53m0s: SEQ 1, new TEK true"},
		"pseudotime before a rekey": {"52m45s: SEQ 1, new TEK false", "53m55s: SEQ 2, new TEK true"},
	} {
		if w, _ := plainly(t, name); !slices.Equal(w.lines, want) {
			t.Errorf("%s: %q, want %q", name, w.lines, want)
		}
	}
}

package keyserver_test

import (
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/pseudotime"
)

// stamped has packets of the group carry a pseudotime, which is told every half hour while the keys last longer.
func stamped(cfg *policy.KeyServer) {
	cfg.Profile = policy.ProfileGETVPN
	cfg.Groups[0].SAs[0].AntiReplay = policy.AntiReplay{Method: policy.ReplayTime, Tick: time.Second}
	cfg.Groups[0].SAs[0].Lifetime, cfg.Groups[0].Rekey.Sync = 8*time.Hour, 30*time.Minute
}

func (w *witness) pseudotime(l *lab) {
	l.pass(time.Minute)
	m := l.joined(1)
	l.pass(90 * time.Second)
	w.see("told %+v", *m.register().SAs[0].Replay)
	p := m.receive(m.only(l.rekey(control.RekeyArgs{KEK: true, KEKOnly: true})))
	for _, sa := range p.policy.SAs {
		w.see("by a rekey of the KEK: %+v", *sa.Replay)
	}
	if _, err := l.command(control.Clock, control.ClockArgs{Time: l.now.Add(time.Hour)}, nil); err != nil {
		w.see("clock: %v", err)
	}
	w.see("with another time of day %+v", *m.register().SAs[0].Replay)
	for range 2 {
		sent := l.untilSent(w)
		p := m.receive(sent[0].Data)
		w.see("by %v SEQ %d: %+v", l.now.Sub(epoch), p.seq, *p.policy.SAs[0].Replay)
	}
}

// ending has the keys be replaced half a minute after the pseudotime is told.
func ending(cfg *policy.KeyServer) {
	cfg.Groups[0].SAs[0].Lifetime, cfg.Groups[0].Rekey.Margin = 1840*time.Second, 10*time.Second
}

func (w *witness) merged(l *lab) {
	m := l.joined(1)
	for _, s := range l.pass(1900 * time.Second) {
		p := m.receive(s.Data)
		w.see("SEQ %d with %d SAs of %v", p.seq, len(p.policy.SAs), p.policy.SAs[0].Lifetime)
	}
}

// untilSent lets time pass until something is sent.
func (l *lab) untilSent(t testing.TB) (sent []*core.Send) {
	t.Helper()
	for len(sent) == 0 {
		if sent = l.pass(500 * time.Millisecond); l.now.Sub(epoch) > 8*time.Hour {
			t.Fatal("no rekey")
		}
	}
	return sent
}

// The pseudotime stands still until somebody registers, and is told at registration, by every rekey, and at the interval of the
// configuration, with the SAs that are in force.
func TestPseudotime(t *testing.T) {
	l := newLab(t, configuration(stamped), nil)
	l.pass(time.Hour)
	first := l.member(1).phase1().register()
	if got := first.SAs[0].Replay; got.Pseudotime != 0 || got.Time() != 100*time.Second || got.Tick != time.Second {
		t.Errorf("the first member is told %+v", got)
	}
	start := l.now
	l.pass(10 * time.Minute)
	m := l.joined(2)
	if got := m.register().SAs[0].Replay.Pseudotime; got != 60000 {
		t.Errorf("after ten minutes it is %v", got)
	}
	kek := m.receive(l.rekey(control.RekeyArgs{KEK: true, KEKOnly: true})[0].Data)
	if len(kek.policy.SAs) != 1 || kek.policy.SAs[0].SPI != first.SAs[0].SPI || kek.policy.SAs[0].Replay.Pseudotime != 60000 {
		t.Errorf("a rekey of the KEK brings %+v", kek.policy.SAs)
	}
	sync := m.receive(l.untilSent(t)[0].Data)
	if got := l.now.Sub(start); got != 40*time.Minute {
		t.Errorf("the pseudotime is told after %v", got)
	}
	if len(sync.policy.SAs) != 1 || sync.policy.SAs[0].SPI != first.SAs[0].SPI || sync.policy.SAs[0].Replay.Pseudotime != pseudotime.Span(40*time.Minute) {
		t.Errorf("it is told by %+v", sync.policy.SAs)
	}
}

// Without time-based anti-replay, or the profile, nothing is told.
func TestNoPseudotime(t *testing.T) {
	for name, change := range map[string]func(*policy.KeyServer){
		"of RFC 6407": func(c *policy.KeyServer) { c.Profile = policy.ProfileRFC6407 },
		"that counts": func(c *policy.KeyServer) { c.Groups[0].SAs[0].AntiReplay = policy.AntiReplay{} },
	} {
		l := newLab(t, configuration(stamped, change), nil)
		m := l.joined(1)
		if r := m.register().SAs[0].Replay; r.Pseudotime != 0 || r.Method != policy.ReplayUnsaid {
			t.Errorf("a key server %s tells %+v", name, r)
		}
		if sent := l.pass(2 * time.Hour); len(sent) > 0 {
			t.Errorf("a key server %s sends %d messages by itself", name, len(sent))
		}
	}
}

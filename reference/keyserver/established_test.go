package keyserver_test

import (
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// fewSAs has a key server keep three SAs of a peer.
func fewSAs(cfg *policy.KeyServer) { cfg.Phase1.Established = 3 }

// TestEstablished: beyond the limit the oldest SA of a peer gives way, which is told, and no other peer's does.
func TestEstablished(t *testing.T) {
	l := newLab(t, configuration(fewSAs), nil)
	other := l.member(2).phase1()
	var members []*gm
	for n := range 5 {
		l.pass(time.Second)
		members = append(members, l.member(1).phase1())
		if got, want := l.status().Phase1, 1+min(n+1, 3); got != want {
			t.Errorf("after %d: %d SAs, want %d", n+1, got, want)
		}
	}
	for i, m := range append(members, other) {
		served := len(m.deliver(m.addr, m.begin().message1())) == 1
		if served != (i > 1) {
			t.Errorf("SA %d is served: %t", i, served)
		}
	}
	if lines := l.tagged("PHASE1_EXPIRED"); len(lines) != 2 {
		t.Errorf("%d lines", len(lines))
	}
	if kept := l.ks.Kept(); kept.Peers != 2 {
		t.Errorf("kept: %+v", kept)
	}
}

func (w *witness) manySAs(l *lab) {
	for range 5 {
		l.pass(time.Second)
		l.member(1).phase1()
		w.see("SAs %d", l.status().Phase1)
	}
}

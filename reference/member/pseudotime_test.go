package member_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/pseudotime"
)

func vendor(cfg *policy.Member) { cfg.Profile = policy.ProfileGETVPN }

// stampedSAs are an SA with a window of 20 s and ticks of a second, as a key server hands it over at that pseudotime.
func stampedSAs(at pseudotime.Stamp) []policy.TrafficSA {
	sa := gcm(0x1001)
	sa.Replay = &policy.ReplaySA{AntiReplay: policy.AntiReplay{Method: policy.ReplayTime, Window: 20 * time.Second, Tick: time.Second},
		Pseudotime: at}
	return []policy.TrafficSA{sa}
}

func stampedLab(t *testing.T, at pseudotime.Stamp) *lab {
	cfg := config()
	vendor(&cfg)
	l := newLabWith(t, cfg, nil)
	l.ks.sas = stampedSAs(at)
	return l.start()
}

// lines are those of the log with that tag.
func (l *lab) lines(tag string) (texts []string) {
	for _, line := range l.logs {
		if line.Tag == tag {
			texts = append(texts, line.Text)
		}
	}
	return texts
}

// A rekey is followed if it is ahead, however far, or behind by no more than the skew, which is that of the window here.
func TestPseudotimeOfRekeys(t *testing.T) {
	l := stampedLab(t, 1005700)
	l.want("after registration", l.status().Pseudotime.Value, "10057.00")
	for i, c := range []struct {
		told pseudotime.Stamp
		own  string
		line string
	}{
		{1005200, "10052.00", ""},
		{1005200 - 2000, "10032.00", ""},
		{1003200 - 2001, "10032.00", "PSEUDO_TIME_TOO_OLD"},
		{1003200 + 2000, "10052.00", ""},
		{2000800, "20008.00", "PSEUDO_TIME_LARGE"},
	} {
		l.forget()
		l.push(l.ks.makePush(pushSpec{seq: uint32(i + 1), sas: stampedSAs(c.told)}))
		l.want("pseudotime of the member", l.status().Pseudotime.Value, c.own)
		for _, tag := range []string{"PSEUDO_TIME_TOO_OLD", "PSEUDO_TIME_LARGE"} {
			if got := len(l.lines(tag)); (got == 1) != (tag == c.line) {
				t.Errorf("rekey %d: %d lines %s", i+1, got, tag)
			}
		}
		if accepted := len(l.lines("REKEY_ACCEPTED")) == 1; accepted == (c.line == "PSEUDO_TIME_TOO_OLD") {
			t.Errorf("rekey %d: accepted %t", i+1, accepted)
		}
	}
	want := "Pseudotime difference between key server (20008 sec) and GM (10052 sec) is larger than expected in group"
	if got := l.lines("PSEUDO_TIME_LARGE"); len(got) != 1 || !strings.HasPrefix(got[0], want) {
		t.Errorf("%q", got)
	}
	if s := l.status().Pseudotime; s.SyncErrors != 2 || s.MaxDelta != "9956.00" {
		t.Errorf("%+v", s)
	}
	l.command(control.ClearReplay)
	if s := l.status().Pseudotime; s.SyncErrors != 0 || s.Value != "20008.00" {
		t.Errorf("once it is cleared: %+v", s)
	}
}

// The pseudotime advances with the member's own time, and is that of when the key server told it.
func TestPseudotimeAdvances(t *testing.T) {
	l := stampedLab(t, 100)
	l.run(90 * time.Second)
	l.want("after 90 s", l.status().Pseudotime.Value, "91.00")
	if sas := l.status().SAs; len(sas) != 1 || sas[0].Replay.Method != "time" || sas[0].Replay.Window != "20s" {
		t.Errorf("%+v", sas)
	}
}

// A member that follows RFC 6407 alone takes no SA with attributes that it does not know.
func TestPseudotimeIsOfTheProfile(t *testing.T) {
	l := newLab(t)
	l.ks.sas = stampedSAs(100)
	l.start()
	if s := l.status(); s.State == "registered" || s.Pseudotime != nil {
		t.Errorf("%+v", s)
	}
	cfg := config()
	vendor(&cfg)
	plain := newLabWith(t, cfg, nil).start()
	if s := plain.status(); s.Pseudotime != nil || !slices.ContainsFunc(s.SAs, func(sa control.SA) bool { return sa.Replay.Window == "64" }) {
		t.Errorf("an SA of which nothing was said: %+v", s)
	}
}

package member_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// tracking is a lab whose member tracks object 99. Until it is said otherwise, the key server does not hear it.
func tracking(t *testing.T, track policy.Track) *lab {
	t.Helper()
	cfg := config()
	track.Number = 99
	cfg.Profile, cfg.Track = policy.ProfileGETVPN, &track
	l := newLabWith(t, cfg, nil)
	l.drop = func(core.Kind) bool { return true }
	return l.start()
}

// tracked lists the states that the member's object has had, with when.
func (l *lab) tracked() string { return strings.Join(l.tracks, " ") }

// The object begins DOWN, is UP while there is a key, and DOWN again when the last one has expired.
func TestTrack(t *testing.T) {
	l := tracking(t, policy.Track{})
	l.want("state", l.status().Track, "down")
	l.run(20 * time.Second)
	l.drop = nil
	l.run(time.Minute)
	l.want("state", l.status().Track, "up")
	at := l.now
	l.drop = func(core.Kind) bool { return true }
	l.run(2 * time.Hour)
	l.want("state", l.status().Track, "down")
	if s := l.status(); len(s.SAs) != 0 || l.now.Sub(at) < time.Hour {
		t.Errorf("%+v", s)
	}
	if len(l.tracks) != 3 || l.tracks[0] != "99 down 0s" || !strings.HasPrefix(l.tracks[1], "99 up ") || !strings.HasPrefix(l.tracks[2], "99 down 1h") {
		t.Errorf("%v", l.tracks)
	}
	if got := strings.Count(l.tags(), "TRACK_STATE"); got != 3 {
		t.Errorf("%d lines", got)
	}
}

// The object changes as long after the key as its delays say; a key that does not last so long is none.
func TestTrackDelays(t *testing.T) {
	l := tracking(t, policy.Track{DelayUp: time.Minute, DelayDown: 10 * time.Second})
	l.drop = nil
	l.command(control.Clear)
	l.run(59 * time.Second)
	l.want("tracked", l.tracked(), "99 down 0s")
	l.run(2 * time.Second)
	l.want("tracked", l.tracked(), "99 down 0s 99 up 1m0s")
	l.drop = func(core.Kind) bool { return true }
	l.command(control.Clear)
	l.run(5 * time.Second)
	l.drop = nil
	l.command(control.Clear)
	l.run(time.Minute)
	l.want("tracked", l.tracked(), "99 down 0s 99 up 1m0s")
	l.drop = func(core.Kind) bool { return true }
	gone := l.now.Sub(epoch)
	l.command(control.Clear)
	l.run(time.Minute)
	l.want("tracked", l.tracked(), fmt.Sprintf("99 down 0s 99 up 1m0s 99 down %s", gone+10*time.Second))
}

// A member that tracks nothing says nothing.
func TestNoTrack(t *testing.T) {
	l := registered(t)
	l.command(control.Clear)
	if got := l.status().Track; got != "" || len(l.tracks) != 0 || strings.Contains(l.tags(), "TRACK_STATE") {
		t.Errorf("%q, %v", got, l.tracks)
	}
}

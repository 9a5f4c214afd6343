package member_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

func ofVendor(cfg *policy.Member) { cfg.Profile = policy.ProfileGETVPN }

// living has the keys of the group live so long.
func living(kekLives, tekLives time.Duration) func(*lab) {
	return func(l *lab) { l.ks.rekey.Lifetime, l.ks.sas[0].Lifetime = kekLives, tekLives }
}

// oldKeyServer replaces the KEK of ten minutes as it ends, and tells nobody.
func oldKeyServer(l *lab) {
	end := l.now.Add(10 * time.Minute)
	l.drop = func(core.Kind) bool {
		if l.ks.rekey.Lifetime = end.Sub(l.now); !l.now.Before(end) {
			l.ks.rekey = kek(2)
		}
		return false
	}
	l.run(12 * time.Minute)
}

// vendorLab is a member of the profile that has registered with keys that live so long.
func vendorLab(t *testing.T, kekLives, tekLives time.Duration, alter ...func(*policy.Member)) *lab {
	cfg := config()
	for _, change := range append(alter, ofVendor) {
		change(&cfg)
	}
	l := newLabWith(t, cfg, new(rule.Switches))
	living(kekLives, tekLives)(l)
	l.start().forget()
	return l
}

// began is when registrations began since the log was forgotten.
func (l *lab) began() (at []time.Duration) {
	for _, line := range l.talk {
		if when, what, _ := strings.Cut(line, " "); strings.HasSuffix(what, "PULL1") {
			d, err := time.ParseDuration(when)
			if err != nil {
				l.Fatal(err)
			}
			at = append(at, d)
		}
	}
	return at
}

// The timeline of one TEK (GETVPN-TIMER-16): the next one takes over 30 s before its end, and without a next one the member registers
// again 60 s before.
func TestVendorTEK(t *testing.T) {
	l := vendorLab(t, time.Hour, 10*time.Minute)
	l.run(8 * time.Minute)
	next := gcm(0x2001)
	next.Lifetime = 10 * time.Minute
	l.push(l.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{next}}))
	l.run(90*time.Second - 1)
	l.want("SPIs before", l.spis(), "00002001 00001001*")
	l.run(1)
	l.want("SPIs after", l.spis(), "00002001* 00001001")
	l.run(30 * time.Second)
	l.want("SPIs at the end", l.spis(), "00002001*")
	l.run(7*time.Minute - 1)
	if at := l.began(); len(at) != 0 {
		t.Fatalf("it has registered at %v", at)
	}
	l.run(1)
	if at := l.began(); len(at) != 1 || at[0] != 17*time.Minute {
		t.Errorf("it has registered at %v", at)
	}
}

// A key server of the old behaviour costs a registration between 190 and 40 s before the end of the KEK, one within 80 s after it, and
// none between (GETVPN-KEK-12 to -15).
func TestOldKeyServer(t *testing.T) {
	l := vendorLab(t, 10*time.Minute, time.Hour)
	oldKeyServer(l)
	at := l.began()
	if len(at) != 2 || at[0] < 410*time.Second || at[0] > 560*time.Second || at[1] <= 600*time.Second || at[1] > 680*time.Second {
		t.Errorf("it has registered at %v", at)
	}
	if tags := l.tags(); strings.Count(tags, "GM_DELETE_EXPIRED_KEK") != 1 || strings.Count(tags, "GM_RE_REGISTER") != 2 {
		t.Errorf("it says %s", tags)
	}
	l.want("Rekey SA", l.status().Rekey[30:], "02")
}

// A key server that does not answer: the KEK is gone when its lifetime ends (GETVPN-KEK-08).
func TestKEKEnds(t *testing.T) {
	l := vendorLab(t, 10*time.Minute, time.Hour)
	l.drop = func(core.Kind) bool { return true }
	l.run(10*time.Minute - 1)
	if l.status().Rekey == "" {
		t.Error("the KEK is gone before its end")
	}
	l.run(1)
	l.want("Rekey SA", l.status().Rekey, "")
	l.drop = nil
	l.ks.rekey = kek(2)
	l.run(80 * time.Second)
	l.want("Rekey SA", l.status().Rekey[30:], "02")
}

// A new KEK in time makes registering again needless.
func TestNewKEKInTime(t *testing.T) {
	l := vendorLab(t, 10*time.Minute, time.Hour)
	l.run(400 * time.Second)
	l.push(l.ks.makePush(pushSpec{seq: 1, rekey: kek(2)}))
	l.run(40 * time.Minute)
	if at := l.began(); len(at) != 0 {
		t.Errorf("it has registered at %v", at)
	}
}

// A member of the old behaviour keeps its KEK, and takes what comes under it after its lifetime (GETVPN-KEK-02, -03).
func TestOldMember(t *testing.T) {
	l := vendorLab(t, 10*time.Minute, time.Hour, func(cfg *policy.Member) { cfg.Rekey.KEKBehaviour = policy.KEKOld })
	l.run(20 * time.Minute)
	if at := l.began(); len(at) != 0 {
		t.Fatalf("it has registered at %v", at)
	}
	l.push(l.ks.makePush(pushSpec{seq: 1, rekey: kek(2)}))
	l.want("Rekey SA", l.status().Rekey[30:], "02")
}

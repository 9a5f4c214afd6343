package ike

import (
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// The smaller number of kilobytes counts on both sides.
func TestKilobytes(t *testing.T) {
	for _, tc := range []struct{ gm, ks, want uint64 }{{0, 0, 0}, {4, 0, 4}, {0, 4, 4}, {4, 9, 4}, {9, 4, 4}} {
		p := newPair("kilobytes")
		p.gm.Kilobytes, p.ks.Kilobytes = tc.gm, tc.ks
		p.run()
		p.wantSA(t)
		if p.iSA.kilobytes != tc.want || p.rSA.kilobytes != tc.want {
			t.Errorf("%+v: initiator %d, responder %d", tc, p.iSA.kilobytes, p.rSA.kilobytes)
		}
	}
}

// What both have sent and taken under the SA counts.
func TestExhausted(t *testing.T) {
	p := newPair("exhausted")
	p.gm.Kilobytes = 1
	p.run()
	for n := 0; !p.iSA.Exhausted(); n++ {
		if n > 100 || p.rSA.Exhausted() {
			t.Fatalf("%d messages, initiator %d octets, responder %d", n, p.iSA.protected, p.rSA.protected)
		}
		d, err := p.iSA.SealInformational(keymat.Seeded("bulk"), p.iSA.Notify(isakmp.NotifyInvalidSPI, make([]byte, 100)))
		if err != nil {
			t.Fatal(err)
		}
		o, err := p.rSA.OpenInformational(d.Data)
		if err != nil {
			t.Fatal(err)
		}
		o.Commit()
	}
	if !p.rSA.Exhausted() || p.iSA.protected < 1024 || p.iSA.protected > 1024+200 {
		t.Errorf("initiator %d octets, responder %d", p.iSA.protected, p.rSA.protected)
	}
}

// At its end the SA is deleted.
func TestGoodbye(t *testing.T) {
	p := newPair("goodbye")
	p.ks.Lifetime = time.Hour
	p.run()
	if ds, ending := p.rSA.Timer(p.now.Add(time.Hour-1), keymat.Seeded("bye")); len(ds) != 0 || ending != Alive {
		t.Errorf("before its time: %d datagrams, %d", len(ds), ending)
	}
	ds, ending := p.rSA.Timer(p.now.Add(time.Hour), keymat.Seeded("bye"))
	if len(ds) != 1 || ending != Expired {
		t.Fatalf("%d datagrams, %d", len(ds), ending)
	}
	o, err := p.iSA.OpenInformational(ds[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	if deleted, err := p.iSA.Deleted(o); !deleted {
		t.Errorf("no Delete: %v", err)
	}
}

// Between several transforms the own order counts only if it is told to.
func TestPreference(t *testing.T) {
	for prefer, want := range map[policy.Preference]Suite{policy.PreferPeer: suite3, policy.PreferOwn: suiteAES} {
		p := newPair("preference")
		p.gm.Suites, p.ks.Suites, p.ks.Prefer = []Suite{suite3, suite256, suiteAES}, []Suite{suiteAES, suite3}, prefer
		p.run()
		p.wantSA(t)
		if p.rSA.Suite() != want {
			t.Errorf("preference %d: %+v", prefer, p.rSA.Suite())
		}
	}
}

package group_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// twoSAs is a group with an SA of GCM and one of CBC.
func twoSAs(c *policy.Group) { c.SAs = []policy.SAPolicy{gcm, cbc} }

func spisOf(sas []policy.TrafficSA) (spis []string) {
	for _, sa := range sas {
		spis = append(spis, group.FormatSPI(sa.SPI))
	}
	return spis
}

// TestOrders: what each order puts in the PUSH, and what is in force after it.
func TestOrders(t *testing.T) {
	const all, first = "00000000", "the first SPI"
	tests := []struct {
		name      string
		what      control.RekeyArgs
		deletes   int // SPIs
		made      int // new SAs in the message
		told      int // SAs in the message that were there before
		kek       bool
		noKEK     bool
		left      int  // SAs in force after it
		otherKEK  bool // in force after it
		firstSIDs bool // the SIDs start anew
	}{
		{"TEKs", control.RekeyArgs{TEK: true}, 0, 2, 0, false, false, 2, false, false},
		{"a TEK deleted", control.RekeyArgs{DeleteTEKs: []string{first}}, 1, 0, 0, false, false, 1, false, false},
		{"all TEKs deleted", control.RekeyArgs{DeleteTEKs: []string{all}}, 1, 0, 0, false, false, 0, false, false},
		{"zero however short", control.RekeyArgs{DeleteTEKs: []string{"0"}}, 1, 0, 0, false, false, 0, false, false},
		{"a TEK deleted and all replaced", control.RekeyArgs{DeleteTEKs: []string{first}, TEK: true}, 1, 2, 0, false, false, 2, false, false},
		{"all deleted and the KEK replaced", control.RekeyArgs{DeleteTEKs: []string{all}, KEK: true, KEKOnly: true}, 1, 0, 0, true, false, 0, true, false},
		{"all deleted and everything replaced", control.RekeyArgs{DeleteTEKs: []string{all}, KEK: true}, 1, 2, 0, true, false, 2, true, false},
		{"the KEK deleted", control.RekeyArgs{DeleteKEK: true}, 0, 0, 0, false, true, 2, true, false},
		{"the KEK and a TEK deleted", control.RekeyArgs{DeleteKEK: true, DeleteTEKs: []string{first}}, 1, 0, 0, false, true, 1, true, false},
		{"everything deleted", control.RekeyArgs{DeleteKEK: true, DeleteTEKs: []string{all}}, 1, 0, 0, false, true, 2, true, true},
		{"told again", control.RekeyArgs{Announce: true}, 0, 0, 2, false, false, 2, false, false},
		{"told again for less time", control.RekeyArgs{Announce: true, Lifetime: 60}, 0, 0, 2, false, false, 2, false, false},
		{"told again with a new KEK", control.RekeyArgs{Announce: true, KEKOnly: true}, 0, 0, 2, true, false, 2, true, false},
		{"one deleted, the other told again", control.RekeyArgs{DeleteTEKs: []string{first}, Announce: true}, 1, 0, 1, false, false, 1, false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := newGroup(t, unicast(twoSAs))
			had := register(t, g, epoch, 1, 0).Download
			if i := slices.Index(test.what.DeleteTEKs, first); i >= 0 {
				test.what.DeleteTEKs[i] = spisOf(had.SAs)[0]
			}
			r := rekey(t, g, epoch, test.what).Rekey
			told := 0
			for _, spi := range spisOf(r.SAs) {
				if slices.Contains(spisOf(had.SAs), spi) {
					told++
				}
			}
			if len(r.DeleteTEKs) != test.deletes || len(r.SAs)-told != test.made || told != test.told ||
				(r.NewRekey != nil) != test.kek || r.DeleteKEK != test.noKEK {
				t.Errorf("rekey %+v", r)
			}
			if r.Under != had.Rekey.SPI || r.Sequence != 1 {
				t.Errorf("number %d under %v", r.Sequence, r.Under)
			}
			next := offer(t, g, epoch).Download
			if len(next.SAs) != test.left || (next.Rekey.SPI != had.Rekey.SPI) != test.otherKEK {
				t.Errorf("then %+v", next)
			}
			if s := g.Status(epoch); len(s.SAs) != test.left || (s.NextSID == 0) != test.firstSIDs || s.Rekey != g.RekeySPI() {
				t.Errorf("status %+v", s)
			}
		})
	}
}

// TestOrdersRefused: what cannot be done changes nothing.
func TestOrdersRefused(t *testing.T) {
	none := func(c *policy.Group) { c.Rekey.Transport = policy.TransportNone }
	empty := func(c *policy.Group) { c.SAs = nil }
	same := func(*policy.Group) {}
	for _, test := range []struct {
		name   string
		change func(*policy.Group)
		what   control.RekeyArgs
		want   string
	}{
		{"no number", same, control.RekeyArgs{DeleteTEKs: []string{"xyz"}}, "xyz"},
		{"too long", same, control.RekeyArgs{DeleteTEKs: []string{"123456789"}}, "123456789"},
		{"a stranger's", same, control.RekeyArgs{DeleteTEKs: []string{"12345678"}}, "12345678"},
		{"replaced and deleted", same, control.RekeyArgs{KEK: true, DeleteKEK: true}, "not both"},
		{"replaced and told again", same, control.RekeyArgs{TEK: true, Announce: true}, "not both"},
		{"a lifetime of nothing", same, control.RekeyArgs{Lifetime: 5}, "announced"},
		{"longer than it lives", same, control.RekeyArgs{Announce: true, Lifetime: 3601}, "ends in 1h0m0s"},
		{"less than no time", same, control.RekeyArgs{Announce: true, Lifetime: -1}, "ends in 1h0m0s"},
		{"nothing to tell again", empty, control.RekeyArgs{Announce: true}, "no Data-Security SA"},
		{"nothing to replace", empty, control.RekeyArgs{TEK: true}, "no Data-Security SA"},
		{"a deletion, and nobody to tell", none, control.RekeyArgs{DeleteTEKs: []string{"0"}}, group.ErrNoRekey.Error()},
		{"a KEK that is not there", none, control.RekeyArgs{DeleteKEK: true}, group.ErrNoRekey.Error()},
		{"an announcement to nobody", none, control.RekeyArgs{Announce: true}, group.ErrNoRekey.Error()},
	} {
		g := newGroup(t, unicast(test.change))
		register(t, g, epoch, 1, 0)
		before := g.Status(epoch)
		if _, err := g.Rekey(epoch, test.what); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
		if after := g.Status(epoch); after.Sequence != before.Sequence || len(after.SAs) != len(before.SAs) || after.Rekey != before.Rekey {
			t.Errorf("%s: %+v", test.name, after)
		}
	}
}

// TestDeletedPlaceIsFilledAgain: by the next rekey of all TEKs, by that of the KEK, and not by that of another TEK.
func TestDeletedPlaceIsFilledAgain(t *testing.T) {
	short := gcm
	short.Lifetime = 10 * time.Minute
	g := newGroup(t, unicast(multicast, func(c *policy.Group) {
		c.SAs, c.Rekey.KEKLifetime = []policy.SAPolicy{short, cbc}, time.Hour
	}))
	had := offer(t, g, epoch).Download
	rekey(t, g, epoch, control.RekeyArgs{DeleteTEKs: spisOf(had.SAs)[1:]})
	plans, _ := run(t, g, at(9*time.Minute))
	if len(plans) != 1 || len(plans[0].Rekey.SAs) != 1 || plans[0].Rekey.SAs[0].Selector != gcm.Selector {
		t.Errorf("the other SA's turn: %+v", plans)
	}
	plans, _ = run(t, g, at(54*time.Minute))
	if last := plans[len(plans)-1].Rekey; last.NewRekey == nil || len(last.SAs) != 2 {
		t.Errorf("the KEK's turn: %+v", last)
	}
	rekey(t, g, at(54*time.Minute), control.RekeyArgs{DeleteTEKs: []string{"0"}})
	if p := rekey(t, g, at(54*time.Minute), control.RekeyArgs{}); len(p.Rekey.SAs) != 2 {
		t.Errorf("the operator's: %+v", p)
	}
}

// TestAnnounced: the message has the SPI, the keys and what is left of the lifetime; a shorter one brings the end forward.
func TestAnnounced(t *testing.T) {
	wait := 3 * time.Second
	g := newGroup(t, unicast(multicast, func(c *policy.Group) { c.Activation = policy.Activation{DTD: &wait} }))
	had := offer(t, g, epoch)
	told := rekey(t, g, at(time.Minute), control.RekeyArgs{Announce: true}).Rekey
	if len(told.SAs) != 1 || told.SAs[0].SPI != had.Download.SAs[0].SPI || string(told.SAs[0].CipherKey) != string(had.Download.SAs[0].CipherKey) ||
		told.SAs[0].Lifetime != 59*time.Minute || told.Activation.DTD == nil {
		t.Errorf("told %+v", told)
	}
	if _, err := g.Admit(at(time.Minute), memberAddr(1), memberAddrPort(1), had, 0); err != nil {
		t.Errorf("an offer made before: %v", err)
	}
	g.Changes()
	told = rekey(t, g, at(2*time.Minute), control.RekeyArgs{Announce: true, Lifetime: 100}).Rekey
	if len(told.SAs) != 1 || told.SAs[0].Lifetime != 100*time.Second {
		t.Errorf("told %+v", told)
	}
	if _, err := g.Admit(at(2*time.Minute), memberAddr(2), memberAddrPort(2), had, 0); !errors.Is(err, group.ErrMoved) {
		t.Errorf("an offer of the longer life: %v", err)
	}
	if at, _ := g.Deadline(); at != epoch.Add(2*time.Minute+90*time.Second) {
		t.Errorf("replaced after %v", at.Sub(epoch))
	}
	if c := g.Changes(); len(c.SAs) != 0 {
		t.Errorf("an SA that was there counts as new: %+v", c)
	}
}

// TestDeletedKEK: members have to register for the next one, and acknowledgements of the deletion are still heard.
func TestDeletedKEK(t *testing.T) {
	g, _ := acking(t, unicast(acknowledged))
	was := g.Status(epoch)
	p := rekey(t, g, epoch, control.RekeyArgs{DeleteKEK: true})
	if p.Under.SPI.String() != was.Rekey || len(p.To) != 3 {
		t.Errorf("plan %+v", p)
	}
	if err := ack(g, at(time.Second), 1, p); err != nil {
		t.Error(err)
	}
	d := register(t, g, at(2*time.Second), 1, 0).Download
	if d.Rekey.SPI.String() == was.Rekey || d.Sequence != 0 || group.FormatSPI(d.SAs[0].SPI) != was.SAs[0].SPI || d.SIDs.Values[0] != 3 {
		t.Errorf("download %+v", d)
	}
	run(t, g, at(time.Minute))
	if n := len(g.Status(epoch).Members); n != 1 {
		t.Errorf("%d members, of which one has registered again", n)
	}
}

// TestSharedSA: further flows of an SA are told with its SPI and its key, wherever it is told.
func TestSharedSA(t *testing.T) {
	other := selector("192.168.0.0/16")
	g := newGroup(t, unicast(multicast, func(c *policy.Group) {
		shared := gcm
		shared.Also = []policy.Selector{other}
		c.SAs = []policy.SAPolicy{shared, cbc}
	}))
	check := func(where string, sas []policy.TrafficSA) {
		t.Helper()
		if len(sas) != 3 || sas[0].SPI != sas[1].SPI || sas[1].SPI == sas[2].SPI || string(sas[0].CipherKey) != string(sas[1].CipherKey) ||
			sas[0].Selector != gcm.Selector || sas[1].Selector != other || sas[2].Selector != cbc.Selector {
			t.Errorf("%s: %+v", where, sas)
		}
	}
	check("registration", register(t, g, epoch, 1, 0).Download.SAs)
	check("rekey", rekey(t, g, epoch, control.RekeyArgs{}).Rekey.SAs)
	check("announcement", rekey(t, g, epoch, control.RekeyArgs{Announce: true}).Rekey.SAs)
	if s := g.Status(epoch); len(s.SAs) != 3 || s.SAs[0].SPI != s.SAs[1].SPI || s.SAs[1].Selector != other.String() {
		t.Errorf("status %+v", s.SAs)
	}
	if c := g.Changes(); len(c.SAs) != 4 {
		t.Errorf("%d SAs were made", len(c.SAs))
	}
	if err := group.Validate(unicast(func(c *policy.Group) { c.SAs[0].Also = []policy.Selector{{Source: netip.MustParsePrefix("::/0")}} })); err == nil {
		t.Error("a further flow without a destination is valid")
	}
}

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
		spis = append(spis, policy.FormatSPI(sa.SPI))
	}
	return spis
}

// TestOrders: what each order puts in the PUSH, and what is in force after it.
func TestOrders(t *testing.T) {
	const all, first = "00000000", "the first SPI"
	tests := []struct {
		name    string
		what    control.RekeyArgs
		deletes int // SPIs in the message
		fresh   int // new SAs in the message
		again   int // SAs in the message that were there before
		kek     bool
		noKEK   bool
		kept    int  // SAs that are still in force after it
		sids    bool // that start anew
	}{
		{"TEKs", control.RekeyArgs{TEK: true}, 0, 2, 0, false, false, 0, false},
		{"a TEK deleted", control.RekeyArgs{DeleteTEKs: []string{first}}, 1, 0, 0, false, false, 1, false},
		{"all TEKs deleted", control.RekeyArgs{DeleteTEKs: []string{all}}, 1, 0, 0, false, false, 0, false},
		{"zero however short", control.RekeyArgs{DeleteTEKs: []string{"0"}}, 1, 0, 0, false, false, 0, false},
		{"a TEK deleted and all replaced", control.RekeyArgs{DeleteTEKs: []string{first}, TEK: true}, 1, 2, 0, false, false, 0, false},
		{"all deleted and the KEK replaced", control.RekeyArgs{DeleteTEKs: []string{all}, KEK: true, KEKOnly: true}, 1, 0, 0, true, false, 0, false},
		{"all deleted and everything replaced", control.RekeyArgs{DeleteTEKs: []string{all}, KEK: true}, 1, 2, 0, true, false, 0, false},
		{"the KEK deleted", control.RekeyArgs{DeleteKEK: true}, 0, 0, 0, false, true, 2, false},
		{"the KEK and a TEK deleted", control.RekeyArgs{DeleteKEK: true, DeleteTEKs: []string{first}}, 1, 0, 0, false, true, 1, false},
		{"everything deleted", control.RekeyArgs{DeleteKEK: true, DeleteTEKs: []string{all}}, 1, 0, 0, false, true, 0, true},
		{"everything deleted, and new TEKs", control.RekeyArgs{DeleteKEK: true, DeleteTEKs: []string{all}, TEK: true}, 1, 2, 0, false, true, 0, false},
		{"told again", control.RekeyArgs{Announce: true}, 0, 0, 2, false, false, 2, false},
		{"told again for less time", control.RekeyArgs{Announce: true, Lifetime: 60}, 0, 0, 2, false, false, 2, false},
		{"told again with a new KEK", control.RekeyArgs{Announce: true, KEKOnly: true}, 0, 0, 2, true, false, 2, false},
		{"one deleted, and all in force told", control.RekeyArgs{DeleteTEKs: []string{first}, Announce: true}, 1, 1, 1, false, false, 1, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := newGroup(t, unicast(twoSAs))
			had := register(t, g, epoch, 1, 0).Download
			if i := slices.Index(test.what.DeleteTEKs, first); i >= 0 {
				test.what.DeleteTEKs[i] = spisOf(had.SAs)[0]
			}
			r := rekey(t, g, epoch, test.what).Rekey
			before := func(sas []policy.TrafficSA) (n int) {
				for _, spi := range spisOf(sas) {
					if slices.Contains(spisOf(had.SAs), spi) {
						n++
					}
				}
				return n
			}
			if len(r.DeleteTEKs) != test.deletes || before(r.SAs) != test.again || len(r.SAs)-test.again != test.fresh ||
				(r.NewRekey != nil) != test.kek || r.DeleteKEK != test.noKEK {
				t.Errorf("rekey %+v", r)
			}
			if r.Under != had.Rekey.SPI || r.Sequence != 1 {
				t.Errorf("number %d under %v", r.Sequence, r.Under)
			}
			next := offer(t, g, epoch).Download
			if len(next.SAs) != 2 || before(next.SAs) != test.kept || (next.Rekey.SPI != had.Rekey.SPI) != (test.kek || test.noKEK) {
				t.Errorf("then %+v", next)
			}
			if s := g.Status(epoch); (s.NextSID == 0) != test.sids || s.Rekey != g.RekeySPI() {
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

// TestDeletedHasSuccessor: whoever registers gets it at once, the others with the next PUSH that brings TEKs.
func TestDeletedHasSuccessor(t *testing.T) {
	g := newGroup(t, unicast(multicast, twoSAs))
	had := spisOf(offer(t, g, epoch).Download.SAs)
	rekey(t, g, epoch, control.RekeyArgs{DeleteTEKs: had[1:]})
	has := spisOf(offer(t, g, epoch).Download.SAs)
	if has[0] != had[0] || has[1] == had[1] {
		t.Errorf("%v after %v", has, had)
	}
	if got := spisOf(rekey(t, g, at(time.Minute), control.RekeyArgs{Announce: true}).Rekey.SAs); !slices.Equal(got, has) {
		t.Errorf("told %v, in force are %v", got, has)
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
	if _, err := g.Admit(at(time.Minute), memberID(1), memberAddrPort(1), had, 0); err != nil {
		t.Errorf("an offer made before: %v", err)
	}
	g.Changes()
	told = rekey(t, g, at(2*time.Minute), control.RekeyArgs{Announce: true, Lifetime: 100}).Rekey
	if len(told.SAs) != 1 || told.SAs[0].Lifetime != 100*time.Second {
		t.Errorf("told %+v", told)
	}
	if _, err := g.Admit(at(2*time.Minute), memberID(2), memberAddrPort(2), had, 0); !errors.Is(err, group.ErrMoved) {
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
	if d.Rekey.SPI.String() == was.Rekey || d.Sequence != 0 || policy.FormatSPI(d.SAs[0].SPI) != was.SAs[0].SPI || d.SIDs.Values[0] != 3 {
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

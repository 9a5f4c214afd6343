package group_test

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func TestRekey(t *testing.T) {
	second := time.Second
	both := unicast(func(c *policy.Group) {
		c.SAs = []policy.SAPolicy{gcm, cbc}
		c.Activation = policy.Activation{ATD: &second}
	})
	tests := []struct {
		name     string
		what     control.RekeyArgs
		sas      int
		kek, all bool
	}{
		{"TEKs", control.RekeyArgs{}, 2, false, false},
		{"KEK and TEKs", control.RekeyArgs{KEK: true}, 2, true, false},
		{"KEK only", control.RekeyArgs{KEK: true, KEKOnly: true}, 0, true, false},
		{"everything deleted", control.RekeyArgs{DeleteAll: true}, 0, false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := newGroup(t, both)
			register(t, g, epoch, 1, 0)
			before := g.Status(epoch)
			p := rekey(t, g, epoch, test.what)
			r := p.Rekey
			if len(r.SAs) != test.sas || (r.NewRekey != nil) != test.kek || r.DeleteKEK != test.all || (len(r.DeleteTEKs) == 1) != test.all {
				t.Errorf("rekey %+v", r)
			}
			if r.Sequence != 1 || r.Under.String() != before.Rekey || p.Under.SPI != r.Under || p.Attempt != 0 {
				t.Errorf("number %d under %v", r.Sequence, r.Under)
			}
			if (r.Activation.ATD != nil) != (test.sas > 0) {
				t.Errorf("activation %+v", r.Activation)
			}
			after := g.Status(epoch)
			if changed := after.Rekey != before.Rekey; changed != (test.kek || test.all) {
				t.Errorf("Rekey SA changed: %t", changed)
			}
			if changed := after.SAs[0].SPI != before.SAs[0].SPI; changed != (test.sas > 0 || test.all) {
				t.Errorf("SAs changed: %t", changed)
			}
		})
	}
}

// TestSequence: plus one with each PUSH, registrations do not count, and a new KEK starts from 1 (RFC 6407 §3.2, §4.3).
func TestSequence(t *testing.T) {
	g := newGroup(t, unicast())
	register(t, g, epoch, 1, 0)
	for want := uint32(1); want <= 3; want++ {
		if got := rekey(t, g, epoch, control.RekeyArgs{}).Rekey.Sequence; got != want {
			t.Errorf("sequence %d, want %d", got, want)
		}
		if got := register(t, g, epoch, 2, 0).Download.Sequence; got != want {
			t.Errorf("registration is given %d, want %d", got, want)
		}
	}
	if got := rekey(t, g, epoch, kekToo).Rekey.Sequence; got != 4 {
		t.Errorf("the PUSH with the new KEK has %d under the old", got)
	}
	if got := register(t, g, epoch, 3, 0).Download.Sequence; got != 0 {
		t.Errorf("under the new KEK the last was %d", got)
	}
	if got := rekey(t, g, epoch, control.RekeyArgs{}).Rekey.Sequence; got != 1 {
		t.Errorf("the first under the new KEK has %d", got)
	}
}

func TestRecipients(t *testing.T) {
	g := newGroup(t, unicast())
	if p := rekey(t, g, epoch, control.RekeyArgs{}); len(p.To) != 0 || g.Status(epoch).Sequence != 0 {
		t.Errorf("nobody to tell, and yet %v, sequence %d", p.To, g.Status(epoch).Sequence)
	}
	for n := byte(1); n <= 3; n++ {
		register(t, g, epoch, n, 0)
	}
	want := []netip.AddrPort{memberAddrPort(1), memberAddrPort(2), memberAddrPort(3)}
	for _, what := range []control.RekeyArgs{{}, kekToo, {}} {
		if p := rekey(t, g, epoch, what); !slices.Equal(p.To, want) {
			t.Errorf("%+v goes to %v", what, p.To)
		}
	}
	m := newGroup(t, unicast(multicast))
	if p := rekey(t, m, epoch, control.RekeyArgs{}); !slices.Equal(p.To, []netip.AddrPort{multicastAddress}) || p.Rekey.Sequence != 1 {
		t.Errorf("multicast goes to %v as %d", p.To, p.Rekey.Sequence)
	}
}

func TestRekeyWithoutRekeySA(t *testing.T) {
	g := newGroup(t, unicast(func(c *policy.Group) { c.Rekey.Transport = policy.TransportNone }))
	d := register(t, g, epoch, 1, 0).Download
	if d.Rekey != nil || d.Sequence != 0 {
		t.Errorf("download %+v", d)
	}
	if _, err := g.Rekey(epoch, kekToo); !errors.Is(err, group.ErrNoRekey) {
		t.Errorf("got %v", err)
	}
	p := rekey(t, g, epoch, control.RekeyArgs{})
	if len(p.To) != 0 || len(p.Rekey.SAs) != 1 {
		t.Errorf("plan %+v", p)
	}
	if p := rekey(t, g, epoch, control.RekeyArgs{DeleteAll: true}); len(p.To) != 0 {
		t.Errorf("plan %+v", p)
	}
	if got := offer(t, g, epoch).Download.SAs[0].SPI; got == d.SAs[0].SPI {
		t.Error("a registration gives the old SA")
	}
}

func TestNothingToReplace(t *testing.T) {
	g := newGroup(t, unicast(func(c *policy.Group) { c.SAs = nil }))
	if _, err := g.Rekey(epoch, control.RekeyArgs{}); err == nil {
		t.Error("replaced nothing")
	}
	if p := rekey(t, g, epoch, kekToo); p.Rekey.NewRekey == nil {
		t.Error("the KEK cannot be replaced")
	}
}

func TestSequenceMutants(t *testing.T) {
	g := newGroup(t, unicast(multicast), "group.push.sequence", "broken")
	rekey(t, g, epoch, control.RekeyArgs{})
	if p := rekey(t, g, epoch, control.RekeyArgs{}); p.Rekey.Sequence == 2 {
		t.Error("sequence: broken, and yet it rises")
	}
	g = newGroup(t, unicast(multicast), "group.kek.sequence", "broken")
	rekey(t, g, epoch, kekToo)
	if p := rekey(t, g, epoch, control.RekeyArgs{}); p.Rekey.Sequence == 1 {
		t.Error("restart: broken, and yet 1")
	}
}

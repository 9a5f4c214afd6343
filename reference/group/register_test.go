package group_test

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/group"
)

var kekToo = control.RekeyArgs{KEK: true}

// TestOfferChangesNothing: thousands of candidates that never prove themselves leave no trace (RFC 6407 §3.2).
func TestOfferChangesNothing(t *testing.T) {
	g := newGroup(t, unicast())
	g.Changes()
	before := g.Status(epoch)
	for range 5000 {
		offer(t, g, epoch)
	}
	if after := g.Status(epoch); !reflect.DeepEqual(before, after) {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	if c := g.Changes(); len(c.SAs)+len(c.Rekeys) > 0 {
		t.Error("offers made keys")
	}
	if a := register(t, g, epoch, 1, 0); a.Download.SIDs.Values[0] != 0 {
		t.Errorf("first SID is %d", a.Download.SIDs.Values[0])
	}
}

func TestAdmit(t *testing.T) {
	g := newGroup(t, unicast())
	a := register(t, g, at(time.Minute), 7, 0)
	if len(a.Plans) != 0 || a.Download.Rekey.Lifetime != 24*time.Hour-time.Minute || a.Download.SAs[0].Lifetime != 59*time.Minute {
		t.Errorf("admission %+v", a)
	}
	want := []control.KSMember{{
		Identity: "192.0.2.7", Address: "192.0.2.7:848", Registered: at(time.Minute), SIDs: []uint32{0},
	}}
	if s := g.Status(at(time.Minute)); !reflect.DeepEqual(s.Members, want) || s.NextSID != 1 || s.Sequence != 0 {
		t.Errorf("status %+v", s)
	}
}

// TestLifetimesRoundDown: nobody may use a key longer than the group does.
func TestLifetimesRoundDown(t *testing.T) {
	d := offer(t, newGroup(t, unicast()), at(1500*time.Millisecond)).Download
	if d.SAs[0].Lifetime != 3598*time.Second || d.Rekey.Lifetime != 86398*time.Second {
		t.Errorf("%v, %v", d.SAs[0].Lifetime, d.Rekey.Lifetime)
	}
	if d := offer(t, newGroup(t, unicast()), at(100*time.Hour)).Download; d.SAs[0].Lifetime != 0 {
		t.Errorf("overdue by far: %v", d.SAs[0].Lifetime)
	}
}

// TestMoved: a rekey between offer and admission makes the offer void; nothing of it is recorded.
func TestMoved(t *testing.T) {
	for _, what := range []control.RekeyArgs{{}, {KEK: true}, {KEK: true, KEKOnly: true}, {DeleteAll: true}} {
		g := newGroup(t, unicast())
		o := offer(t, g, epoch)
		rekey(t, g, epoch, what)
		before := g.Status(epoch)
		if _, err := g.Admit(epoch, memberID(1), memberAddrPort(1), o, 0); !errors.Is(err, group.ErrMoved) {
			t.Errorf("after %+v: %v", what, err)
		}
		if !reflect.DeepEqual(g.Status(epoch), before) {
			t.Errorf("after %+v: something was recorded", what)
		}
	}
}

// TestRegisterAgain: the record moves to the new address, and PUSH messages follow it.
func TestRegisterAgain(t *testing.T) {
	g := newGroup(t, unicast())
	register(t, g, epoch, 1, 0)
	moved := netip.MustParseAddrPort("198.51.100.9:4848")
	if _, err := g.Admit(at(time.Second), memberID(1), moved, offer(t, g, epoch), 0); err != nil {
		t.Fatal(err)
	}
	if p := rekey(t, g, at(time.Minute), control.RekeyArgs{}); !slices.Equal(p.To, []netip.AddrPort{moved}) {
		t.Errorf("PUSH goes to %v", p.To)
	}
}

func TestRegistrationMutants(t *testing.T) {
	sids := func(altered string) (first, again, other []uint32, next uint32) {
		g := newGroup(t, unicast(), altered, "broken")
		first = register(t, g, epoch, 1, 0).Download.SIDs.Values
		again = register(t, g, epoch, 1, 0).Download.SIDs.Values
		other = register(t, g, epoch, 2, 0).Download.SIDs.Values
		return first, again, other, g.Status(epoch).NextSID
	}
	if first, _, _, _ := sids("group.sid.first"); first[0] == 0 {
		t.Error("first: broken, and yet 0")
	}
	if first, _, _, _ := sids("group.sid.one"); len(first) == 1 {
		t.Error("one: broken, and yet one")
	}
	if first, again, _, _ := sids("group.sid.fresh"); !slices.Equal(first, again) {
		t.Error("fresh: broken, and yet new ones")
	}
	if first, _, other, _ := sids("group.sid.unique"); !slices.Equal(first, other) {
		t.Error("unique: broken, and yet different")
	}
	if _, _, _, next := sids("group.sid.after-proof"); next == 3 {
		t.Error("after-proof: broken, and yet the offers left the counter alone")
	}
	g := newGroup(t, unicast(multicast), "group.registration.sequence-given", "broken")
	if d := register(t, g, epoch, 1, 0).Download; d.Sequence == 0 {
		t.Error("sequence-given: broken, and yet right")
	}
	g = newGroup(t, unicast(multicast), "group.registration.sequence-kept", "broken")
	register(t, g, epoch, 1, 0)
	if p := rekey(t, g, epoch, control.RekeyArgs{}); p.Rekey.Sequence == 1 {
		t.Error("sequence-kept: broken, and yet kept")
	}
}

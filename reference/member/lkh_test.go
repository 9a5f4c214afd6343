package member_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// kekData is a KEK with its IV before it.
func kekData(r *policy.RekeySA) []byte { return slices.Concat(r.IV, r.Key) }

// middleKey is the key of place 2, which the member has between its leaf and the KEK.
var middleKey = bytes.Repeat([]byte{0x42}, 32)

// leafed is kek(n) for a member with the leaf 1 of a hierarchy with the root 4.
func leafed(n byte) *policy.RekeySA {
	r := kek(n)
	r.LKH = &policy.LKH{Path: []policy.LKHKey{
		{ID: 1, Handle: 1, Data: bytes.Repeat([]byte{0x41}, 32)},
		{ID: 2, Handle: 2, Data: middleKey},
		{ID: 4, Handle: uint32(n), Data: kekData(r)},
	}}
	return r
}

// updated is kek(n) as it comes by update, with the root's handle n, under the key of a place.
func updated(n byte, place uint16, handle uint32, under []byte) *policy.RekeySA {
	r := kek(n)
	data, err := keymat.AES.WrapLKH(under, kekData(r))
	if err != nil {
		panic(err)
	}
	root := policy.LKHKey{ID: 4, Handle: uint32(n), Data: data}
	r.LKH = &policy.LKH{Updates: []policy.LKHUpdate{
		{ID: 6, Handle: 3, Keys: []policy.LKHKey{{ID: 4, Handle: uint32(n), Data: make([]byte, 32)}}}, // for others
		{ID: place, Handle: handle, Keys: []policy.LKHKey{root}},
	}}
	return r
}

func inTree(l *lab) { l.ks.rekey = leafed(1) }

// followsUpdates brings the member a KEK under the key of a place that it was given, and another one under the KEK.
func followsUpdates(l *lab) {
	pushes(
		pushSpec{seq: 1, rekey: updated(2, 2, 2, middleKey)},
		pushSpec{under: kek(2), seq: 1, rekey: updated(3, 4, 2, kekData(kek(2)))},
		pushSpec{under: kek(3), seq: 1, sas: []policy.TrafficSA{gcm(0x2001)}},
	)(l)
}

// The member takes the KEK out of the update that is for it, and keeps what it brings for the next one.
func TestFollowsUpdates(t *testing.T) {
	l := newLab(t)
	inTree(l)
	l.start()
	followsUpdates(l)
	if s := l.status(); s.Rekey != kek(3).SPI.String() || s.Sequence != 1 || len(l.refusals()) > 0 {
		t.Errorf("%+v, refused %v", s, l.refusals())
	}
}

// A member that finds no update for itself stays where it is, and so does one for whom a key of another length comes.
func TestExcluded(t *testing.T) {
	for name, r := range map[string]*policy.RekeySA{
		"another place":  updated(2, 3, 2, middleKey),
		"another handle": updated(2, 2, 1, middleKey),
	} {
		l := newLab(t)
		inTree(l)
		l.start()
		pushes(pushSpec{seq: 1, rekey: r})(l)
		if s := l.status(); s.Rekey != kek(1).SPI.String() || s.Sequence != 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

package sadb

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// inGroups is a DB with an SA toward 10.2/16 of group 0 and one toward 10.3/16 of group 1, both of SPI 7.
func inGroups(t *testing.T, mutant string) (db *DB, entries [2]*Entry) {
	t.Helper()
	db = New(nil)
	if mutant != "" {
		mutation := "off"
		if mutant == guardLongest.Name {
			mutation = "broken"
		}
		db = New(switches(t, mutant, mutation))
	}
	for i, destination := range []string{"10.2.0.0/16", "10.3.0.0/16"} {
		s := sa(7, selector("10.0.0.0/8", destination), time.Hour)
		s.CipherKey[0] = byte(i)
		entries[i] = install(t, db, t0, s, Options{Group: i, Generation: uint64(i + 1)})
	}
	return db, entries
}

// What is done to one group leaves the other, unless the guard is off.
func TestGroupsApart(t *testing.T) {
	for _, c := range []struct {
		mutant string
		do     func(db *DB)
	}{
		{guardOwnReplace.Name, func(db *DB) { db.Replace(1, 3, t0, t0) }},
		{guardOwnSPI.Name, func(db *DB) { db.Remove(1, policy.ProtocolESP, 7) }},
		{guardOwnAll.Name, func(db *DB) { db.RemoveAll(1, policy.ProtocolESP) }},
	} {
		for mutant, want := range map[string]bool{"": true, c.mutant: false} {
			db, _ := inGroups(t, mutant)
			c.do(db)
			if _, ok := db.SelectOutbound(at(1), flow("10.1.0.1", "10.2.0.1")); ok != want {
				t.Errorf("mutant %q: the first group sends: %v", c.mutant, ok)
			}
			if e, ok := db.SelectOutbound(at(1), flow("10.1.0.1", "10.3.0.1")); ok {
				t.Errorf("mutant %q: the second group still sends under %+v", c.mutant, e.Policy)
			}
		}
	}
}

// A Sender-ID is that of the group's SAs.
func TestSenderIDOfAGroup(t *testing.T) {
	for mutant, want := range map[string]byte{"": 1, guardOwnSID.Name: 9} {
		db, entries := inGroups(t, mutant)
		if err := db.SetSID(1, 9, 8); err != nil {
			t.Fatal(err)
		}
		for i, sid := range []byte{want, 9} {
			packet, err := entries[i].SA.Seal(nil, []byte("a packet"), 4)
			if err != nil || packet[8] != sid {
				t.Errorf("mutant %q: the SA of group %d has Sender-ID %d, want %d: %v", mutant, i, packet[8], sid, err)
			}
		}
	}
}

// SAs of different groups that have the same SPI are told apart by addresses, and else by the order of the groups, whichever
// came first.
func TestSameSPIInGroups(t *testing.T) {
	db, entries := inGroups(t, "")
	source := netip.MustParseAddr("10.1.0.1")
	for destination, want := range map[string]*Entry{"10.2.0.1": entries[0], "10.3.0.1": entries[1], "10.4.0.1": entries[0]} {
		if e, ok := db.LookupInbound(at(1), 7, netip.MustParseAddr(destination), source); !ok || e != want {
			t.Errorf("to %s: %+v", destination, e)
		}
	}
	db, entries = inGroups(t, guardLongest.Name)
	if e, _ := db.LookupInbound(at(1), 7, netip.MustParseAddr("10.3.0.1"), source); e != entries[0] {
		t.Errorf("the mutant finds %+v", e)
	}
	db = New(nil)
	for _, group := range []int{1, 0, 2} {
		install(t, db, t0, sa(uint32(group+1), anyTen, time.Hour), Options{Group: group, Generation: uint64(9 - group)})
	}
	for i, e := range db.Entries() {
		if e.Group != i {
			t.Errorf("entry %d is of group %d", i, e.Group)
		}
	}
	sends(t, db, at(1), 1)
}

// Two entries that share SPI and keys share the SA, of whatever groups they are: else they would send under the same IVs.
func TestSameKeysInGroups(t *testing.T) {
	db := New(nil)
	a := install(t, db, t0, sa(1, anyTen, time.Hour), Options{Group: 0})
	if b := install(t, db, t0, sa(1, anyTen, time.Hour), Options{Group: 1}); b.SA != a.SA || len(db.Entries()) != 2 {
		t.Errorf("%d entries, one SA: %v", len(db.Entries()), b.SA == a.SA)
	}
}

package esp

import (
	"encoding/binary"
	"errors"
	"testing"
)

func TestIVIsSIDThenSSIV(t *testing.T) {
	for _, c := range []struct {
		sid         uint32
		bits        int
		first, next uint64
	}{
		{0, 8, 0, 1},
		{0xab, 8, 0xab00000000000000, 0xab00000000000001},
		{0xabc, 12, 0xabc0000000000000, 0xabc0000000000001},
		{0xabcd, 16, 0xabcd000000000000, 0xabcd000000000001},
		{1, 63, 2, 3},
	} {
		s := mustNew(t, gcmSA(), Options{HasSID: true, SID: c.sid, SIDBits: c.bits})
		for i, want := range []uint64{c.first, c.next} {
			if got := binary.BigEndian.Uint64(mustSeal(t, s, "")[8:]); got != want {
				t.Errorf("SID %x of %d bits, packet %d: IV %016x, want %016x", c.sid, c.bits, i, got, want)
			}
		}
	}
}

func TestEndOfTheIVs(t *testing.T) {
	s := mustNew(t, gcmSA(), Options{HasSID: true, SID: 5, SIDBits: 60})
	seen := make(map[uint64]bool)
	for range 16 {
		seen[binary.BigEndian.Uint64(mustSeal(t, s, "")[8:])] = true
	}
	if len(seen) != 16 {
		t.Errorf("%d different IVs in 16 packets", len(seen))
	}
	for range 2 {
		_, err := s.Seal(nil, nil, NextIPv4)
		if !errors.Is(err, ErrExhausted) {
			t.Errorf("packet 17: %v", err)
		}
		wantViolation(t, err, guardSpace)
	}
	if err := s.SetSID(6, 60); err != nil {
		t.Fatal(err)
	}
	if iv := binary.BigEndian.Uint64(mustSeal(t, s, "")[8:]); iv != 6<<4 {
		t.Errorf("the first IV of the new SID is %x", iv)
	}

	mutant := mustNew(t, gcmSA(), Options{HasSID: true, SID: 5, SIDBits: 60, Rules: switches(t, "esp.seal.space", "off")})
	for range 17 {
		mustSeal(t, mutant, "")
	}
}

func TestWithoutSID(t *testing.T) {
	s := mustNew(t, gcmSA(), Options{})
	_, err := s.Seal(nil, nil, NextIPv4)
	if !errors.Is(err, ErrNoSID) {
		t.Errorf("sealed without a SID: %v", err)
	}
	if err := s.SetSID(9, 8); err != nil {
		t.Fatal(err)
	}
	if packet := mustSeal(t, s, ""); packet[8] != 9 || packet[7] != 1 {
		t.Errorf("first packet %x", packet[:16])
	}
	mutant := mustNew(t, gcmSA(), Options{HasSID: true, SID: 9, SIDBits: 8, Rules: switches(t, "esp.seal.sid", "broken")})
	if packet := mustSeal(t, mutant, ""); packet[8] != 8 {
		t.Errorf("the mutant sends with its own SID: %x", packet[:16])
	}
}

// An SSIV is never used twice under a SID, even if the SID is taken away and comes back.
func TestSIDComesBack(t *testing.T) {
	s := mustNew(t, gcmSA(), Options{HasSID: true, SID: 1, SIDBits: 8})
	seen := make(map[uint64]bool)
	for _, sid := range []uint32{1, 1, 2, 1, 2, 2, 3, 1} {
		if err := s.SetSID(sid, 8); err != nil {
			t.Fatal(err)
		}
		iv := binary.BigEndian.Uint64(mustSeal(t, s, "")[8:])
		if seen[iv] || iv>>56 != uint64(sid) {
			t.Errorf("SID %d: IV %016x", sid, iv)
		}
		seen[iv] = true
	}
	if err := s.SetSID(300, 8); !errors.Is(err, ErrSID) {
		t.Errorf("SID 300 of 8 bits: %v", err)
	}
	if err := mustNew(t, cbcSA(), Options{Rand: constant(0)}).SetSID(300, 8); err != nil {
		t.Errorf("CBC has no use for a SID, but: %v", err)
	}
}

package keymat

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
)

// groupIDs are those of the table, in order.
var groupIDs = []uint16{1, 2, 5, 14, 15, 16, 19, 20, 21}

func group(t testing.TB, id uint16) Group {
	t.Helper()
	g, ok := DHGroup(id)
	if !ok {
		t.Fatalf("no group %d", id)
	}
	return g
}

func keyOf(t testing.TB, id uint16, rand io.Reader) PrivateKey {
	t.Helper()
	k, err := group(t, id).NewKey(rand)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// eachGroup runs a test for every group.
func eachGroup(t *testing.T, test func(t *testing.T, g Group)) {
	for _, id := range groupIDs {
		t.Run(fmt.Sprint(id), func(t *testing.T) { test(t, group(t, id)) })
	}
}

func TestGroupTable(t *testing.T) {
	lengths := map[uint16][2]int{1: {96, 96}, 2: {128, 128}, 5: {192, 192}, 14: {256, 256}, 15: {384, 384}, 16: {512, 512},
		19: {64, 32}, 20: {96, 48}, 21: {132, 66}}
	if len(groups) != len(groupIDs) {
		t.Errorf("%d groups, want %d", len(groups), len(groupIDs))
	}
	eachGroup(t, func(t *testing.T, g Group) {
		if again := group(t, g.ID()); again != g {
			t.Error("it was made twice")
		}
		if got := [2]int{g.PublicLen(), g.SharedLen()}; got != lengths[g.ID()] {
			t.Errorf("public and shared values of %v octets, want %v", got, lengths[g.ID()])
		}
	})
	for _, id := range []uint16{0, 3, 4, 17, 18, 22, 65535} {
		if g, ok := DHGroup(id); ok || g != nil {
			t.Errorf("there is a group %d", id)
		}
	}
}

// Both sides agree, the values have their lengths, and the same octets give the same key.
func TestBothSidesAgree(t *testing.T) {
	eachGroup(t, func(t *testing.T, g Group) {
		a, b := keyOf(t, g.ID(), Seeded("agree", "a")), keyOf(t, g.ID(), Seeded("agree", "b"))
		one, err := a.Shared(b.Public())
		other, errOther := b.Shared(a.Public())
		if err != nil || errOther != nil || !bytes.Equal(one, other) || len(one) != g.SharedLen() || len(a.Public()) != g.PublicLen() {
			t.Errorf("shared values %x (%v) and %x (%v), public value of %d octets", one, err, other, errOther, len(a.Public()))
		}
		if again := keyOf(t, g.ID(), Seeded("agree", "a")); !bytes.Equal(again.Public(), a.Public()) {
			t.Error("the same octets give another key")
		}
	})
}

func TestSharedRefusesLengths(t *testing.T) {
	eachGroup(t, func(t *testing.T, g Group) {
		k := keyOf(t, g.ID(), Seeded("lengths"))
		public := k.Public()
		for n := range public {
			if _, err := k.Shared(public[:n]); !errors.Is(err, ErrPublicValue) {
				t.Errorf("cut to %d octets: %v", n, err)
			}
		}
		for _, long := range [][]byte{append([]byte{0}, public...), append([]byte{4}, public...), append(public, 0)} {
			if _, err := k.Shared(long); !errors.Is(err, ErrPublicValue) {
				t.Errorf("%d octets: %v", len(long), err)
			}
		}
	})
}

// Zero, and ones in every bit, are unusable in any group.
func TestSharedRefusesExtremes(t *testing.T) {
	eachGroup(t, func(t *testing.T, g Group) {
		k := keyOf(t, g.ID(), Seeded("extremes"))
		for _, octet := range []byte{0, 0xff} {
			if shared, err := k.Shared(bytes.Repeat([]byte{octet}, g.PublicLen())); !errors.Is(err, ErrPublicValue) || shared != nil {
				t.Errorf("octets %#x: %x, %v", octet, shared, err)
			}
		}
	})
}

func TestNewKeyNeedsRandomness(t *testing.T) {
	eachGroup(t, func(t *testing.T, g Group) {
		for name, rand := range map[string]io.Reader{
			"empty": bytes.NewReader(nil), "short": bytes.NewReader(make([]byte, 31)),
			"zeros": bytes.NewReader(make([]byte, 1000)), "broken": iotest.ErrReader(io.ErrClosedPipe),
		} {
			if k, err := g.NewKey(rand); !errors.Is(err, ErrRandom) || k != nil {
				t.Errorf("%s: %v, %v", name, k, err)
			}
		}
	})
}

func TestPublicIsACopy(t *testing.T) {
	eachGroup(t, func(t *testing.T, g Group) {
		k := keyOf(t, g.ID(), Seeded("copy"))
		before := k.Public()
		clear(k.Public())
		if !bytes.Equal(k.Public(), before) {
			t.Error("the key was altered through Public")
		}
	})
}

func FuzzShared(f *testing.F) {
	keys := make(map[uint16]PrivateKey)
	for _, id := range groupIDs {
		keys[id] = keyOf(f, id, Seeded("fuzz"))
		f.Add(uint8(id), keys[id].Public())
		f.Add(uint8(id), make([]byte, group(f, id).PublicLen()))
	}
	f.Fuzz(func(t *testing.T, id uint8, peer []byte) {
		k, ok := keys[uint16(id)]
		if !ok {
			return
		}
		shared, err := k.Shared(peer)
		if err == nil && len(shared) != group(t, uint16(id)).SharedLen() || err != nil && !errors.Is(err, ErrPublicValue) {
			t.Errorf("%d octets, %v", len(shared), err)
		}
	})
}

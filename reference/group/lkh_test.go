package group

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"testing"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// counted makes keys of AES-128 with their IVs, each another.
func counted(t testing.TB) func() ([]byte, error) {
	t.Helper()
	n := uint64(0)
	return func() ([]byte, error) {
		n++
		key := sha256.Sum256(binary.BigEndian.AppendUint64(nil, n))
		return key[:], nil
	}
}

// forest is a key tree with what its members know: the keys they were given, and what they made of updates.
type forest struct {
	*keyTree
	t     testing.TB
	known map[int][]policy.LKHKey // by leaf
}

func planted(t testing.TB, members int) *forest {
	t.Helper()
	fresh := counted(t)
	kek, _ := fresh()
	f := &forest{newKeyTree(keymat.AES, kek, 0, fresh, nil), t, make(map[int][]policy.LKHKey)}
	for range members {
		f.enter()
	}
	return f
}

func (f *forest) enter() int {
	f.t.Helper()
	leaf, err := f.join()
	if err != nil {
		f.t.Fatal(err)
	}
	f.known[leaf] = f.path(leaf)
	return leaf
}

// renew replaces the KEK, and has those who are given the updates follow them, also those who have left.
func (f *forest) renew() []policy.LKHUpdate {
	f.t.Helper()
	kek, _ := f.fresh()
	updates, err := f.replace(kek)
	if err != nil {
		f.t.Fatal(err)
	}
	byKey := make(map[[2]uint32]policy.LKHUpdate)
	for _, u := range updates {
		byKey[[2]uint32{uint32(u.ID), u.Handle}] = u
	}
	for leaf, keys := range f.known {
		for i, k := range keys {
			if u, ok := byKey[[2]uint32{uint32(k.ID), k.Handle}]; ok {
				f.known[leaf] = f.follow(keys[:i+1:i+1], u)
				break
			}
		}
	}
	return updates
}

func (f *forest) follow(keys []policy.LKHKey, u policy.LKHUpdate) []policy.LKHKey {
	f.t.Helper()
	for _, k := range u.Keys {
		data, err := f.cipher.UnwrapLKH(keys[len(keys)-1].Data, k.Data)
		if err != nil {
			f.t.Fatal(err)
		}
		k.Data = data
		keys = append(keys, k)
	}
	return keys
}

// has reports whether the holder of a leaf, past or present, has the KEK.
func (f *forest) has(leaf int) bool {
	keys := f.known[leaf]
	return bytes.Equal(keys[len(keys)-1].Data, f.nodes[f.root()].data)
}

// wraps is how many different keys were encrypted for the updates.
func wraps(updates []policy.LKHUpdate) int {
	different := make(map[string]bool)
	for _, u := range updates {
		for _, k := range u.Keys {
			different[string(k.Data)] = true
		}
	}
	return len(different)
}

// However many members there are, whoever leaves, the others and nobody else have the next KEK.
func TestKeyTree(t *testing.T) {
	for members := 1; members <= 40; members++ {
		for _, gone := range []int{0, members / 2, members - 1} {
			f := planted(t, members)
			f.leave(2*gone + 1)
			f.renew()
			for leaf := range f.known {
				if f.has(leaf) == (leaf == 2*gone+1) {
					t.Errorf("%d members, %d leaves: %d has the KEK: %t", members, gone, leaf/2, f.has(leaf))
				}
			}
		}
	}
}

// Members come and go in every order, several before a KEK is replaced, and a leaf is somebody else's later.
func TestKeyTreeChanges(t *testing.T) {
	f := planted(t, 5)
	out := make(map[int]bool)
	for i := range 200 {
		seed := sha256.Sum256(fmt.Appendf(nil, "change %d", i))
		leaf := 2*(int(seed[0])%f.leaves) + 1
		switch {
		case seed[1]%3 == 0 && !out[leaf]:
			f.leave(leaf)
			out[leaf] = true
		case seed[1]%3 == 1:
			old := len(f.free)
			taken := f.enter()
			if out[taken] != (old > 0) {
				t.Fatalf("leaf %d is given away twice", taken)
			}
			delete(out, taken)
		default:
			f.renew()
			for leaf := range f.known {
				if f.has(leaf) == out[leaf] {
					t.Fatalf("change %d: %d, gone: %t, has the KEK: %t", i, leaf, out[leaf], f.has(leaf))
				}
			}
		}
	}
}

// Of ten thousand members one is excluded with two wraps for each level but the lowest, which needs one; and two who are
// excluded one after the other stay out, also together.
func TestKeyTreeExclusionCost(t *testing.T) {
	const members = 10_000
	f := planted(t, members)
	f.renew() // what growing has left behind
	most := 2*bits.Len(members-1) - 1
	var gone []int
	for _, leaf := range []int{1, 2*members - 1, 8191, 8193} {
		f.leave(leaf)
		if gone = append(gone, leaf); wraps(f.renew()) > most {
			t.Errorf("without leaf %d: more than %d keys are encrypted", leaf, most)
		}
	}
	if most != 27 {
		t.Errorf("%d wraps for %d members", most, members)
	}
	out := 0
	for leaf := range f.known {
		if !f.has(leaf) {
			out++
		}
	}
	if out != len(gone) {
		t.Errorf("%d are without KEK, %d were excluded", out, len(gone))
	}
}

// Each place has each handle once.
func TestKeyTreeHandles(t *testing.T) {
	f := planted(t, 9)
	seen := make(map[string]string)
	for i := range 100 {
		f.leave(f.enter())
		f.renew()
		for leaf, keys := range f.known {
			for _, k := range keys {
				name := fmt.Sprintf("%d/%d", k.ID, k.Handle)
				if before, ok := seen[name]; ok && before != string(k.Data) {
					t.Fatalf("renewal %d: %s of leaf %d names two keys", i, name, leaf)
				}
				seen[name] = string(k.Data)
			}
		}
	}
}

func TestKeyTreeFull(t *testing.T) {
	f := planted(t, mostPlaces/2)
	if _, err := f.join(); !errors.Is(err, ErrFull) {
		t.Fatalf("%v", err)
	}
	f.leave(5)
	if leaf, err := f.join(); leaf != 5 || err != nil {
		t.Errorf("leaf %d, %v, after one has become free", leaf, err)
	}
}

// A source of randomness that fails changes nothing.
func TestKeyTreeWithoutRandomness(t *testing.T) {
	f := planted(t, 20)
	f.leave(3)
	good, broken := f.fresh, errors.New("broken")
	f.fresh = func() ([]byte, error) { return nil, broken }
	if _, err := f.join(); !errors.Is(err, broken) {
		t.Errorf("joining: %v", err)
	}
	if _, err := f.replace(make([]byte, 32)); !errors.Is(err, broken) {
		t.Errorf("replacing: %v", err)
	}
	f.fresh = good
	f.renew()
	for leaf := range f.known {
		if f.has(leaf) == (leaf == 3) {
			t.Errorf("leaf %d has the KEK: %t", leaf, f.has(leaf))
		}
	}
}

// BenchmarkExclusion takes one of ten thousand members out, and shows how many keys are encrypted for it, of the number that
// it would take to send each member its own.
func BenchmarkExclusion(b *testing.B) {
	const members = 10_000
	fresh := counted(b)
	kek, _ := fresh()
	tree := newKeyTree(keymat.AES, kek, 0, fresh, nil)
	for range members {
		if _, err := tree.join(); err != nil {
			b.Fatal(err)
		}
	}
	var updates []policy.LKHUpdate
	for i := 0; b.Loop(); i++ {
		tree.leave(2*(i*4099%members) + 1)
		var err error
		if updates, err = tree.replace(kek); err == nil {
			_, err = tree.join()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(wraps(updates))/(members-1), "wraps/member")
}

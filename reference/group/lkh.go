package group

import (
	"cmp"
	"errors"
	"math/bits"
	"slices"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What a key server owes in a Logical Key Hierarchy.
var (
	guardLKHLeaf = rule.Duty("group.lkh.leaf", "RFC6407-3.4-05", rule.KS,
		"the first key of a member is its own")
	guardLKHFresh = rule.Duty("group.lkh.fresh", "RFC6407-6.1-01", rule.KS,
		"a member that takes the place of another gets a key that nobody had")
	guardLKHOrder = rule.Duty("group.lkh.order", "RFC6407-5.6.3.1-08", rule.KS,
		"the keys of a member stand from its leaf to the KEK")
	guardLKHHandle = rule.Duty("group.lkh.handle", "RFC6407-5.6.3.1-07", rule.KS,
		"a key that takes the place of another has a handle that the place had never before")
	guardLKHReplaced = rule.Duty("group.lkh.replaced", "RFC6407-6.1-01", rule.KS,
		"with a member that has left, all keys that it had are replaced")
	guardLKHWrapped = rule.Duty("group.lkh.wrapped", "RFC6407-5.6.3.2-02", rule.KS,
		"each key of an update is encrypted under the one before it")
)

// ErrFull means that there is no place for another member: LKH IDs have two octets (RFC 6407 §5.6.3.1).
var ErrFull = errors.New("group: the key hierarchy has no place left")

const (
	firstLeaves = 16
	mostPlaces  = 1 << 16 // with the unused 0
)

// keyTree is a Logical Key Hierarchy (RFC 2627 §5.4, RFC 6407 §5.6.3): a binary tree of keys, of which a member has those from
// its leaf to the root, the KEK. When a member has left, those that it had are replaced, each encrypted under the keys below it
// that the member did not have.
//
// The LKH ID of a node is its place. Leaves have the odd numbers, and whatever the tree's size no node has another number:
//
//	      4
//	  2       6
//	1   3   5   7
//
// A tree that is full doubles. What was its root has the KEK for a key then, which everybody has; it is replaced together with
// the KEK, and until then nothing is kept from anybody by it.
type keyTree struct {
	cipher keymat.Cipher
	fresh  func() ([]byte, error) // IV and key of another KEK
	rules  *rule.Switches

	nodes  []treeNode // by LKH ID
	leaves int        // that have ever been taken
	free   []int      // leaves that were given back
	stale  map[int]bool
	handle uint32 // the last one
}

// treeNode is one key with how many members have it. Without members it has none that counts.
type treeNode struct {
	handle  uint32
	data    []byte
	members int
}

// newKeyTree makes a tree with that KEK and no members. Handles are numbered from one that was drawn.
func newKeyTree(c keymat.Cipher, kek []byte, handle uint32, fresh func() ([]byte, error), rules *rule.Switches) *keyTree {
	t := &keyTree{cipher: c, fresh: fresh, rules: rules, nodes: make([]treeNode, 2*firstLeaves), stale: make(map[int]bool), handle: handle}
	t.nodes[t.root()] = t.node(kek, 0)
	return t
}

func (t *keyTree) root() int { return len(t.nodes) / 2 }

// levelBit is the lowest bit that is set in the number of a place: 1 for a leaf, twice that for each level above.
func levelBit(place int) int { return place & -place }

func parent(place int) int { return place&^levelBit(place) | levelBit(place)<<1 }

func children(place int) [2]int {
	half := levelBit(place) / 2
	return [2]int{place - half, place + half}
}

// climb are the places from a leaf to the root.
func (t *keyTree) climb(leaf int) []int {
	places := []int{leaf}
	for at := leaf; at != t.root(); {
		at = parent(at)
		places = append(places, at)
	}
	return places
}

// node is a key that has its place from now on.
func (t *keyTree) node(data []byte, members int) treeNode {
	t.handle++
	return treeNode{t.handle, data, members}
}

// draw makes so many keys.
func (t *keyTree) draw(n int) ([][]byte, error) {
	keys := make([][]byte, n)
	for i := range keys {
		var err error
		if keys[i], err = t.fresh(); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// join gives a member a leaf. Nobody else's keys change. The error is ErrFull, or that of the source of randomness.
func (t *keyTree) join() (leaf int, err error) {
	if leaf, err = t.vacancy(); err != nil {
		return 0, err
	}
	places := t.climb(leaf)
	unheld := slices.DeleteFunc(slices.Clone(places), func(at int) bool { return at == t.root() || t.nodes[at].members > 0 })
	keys, err := t.draw(len(unheld))
	if err != nil {
		return 0, err
	}
	for i, at := range unheld {
		if t.nodes[at].data != nil && !guardLKHFresh.Kept(t.rules) {
			keys[i] = t.nodes[at].data
		}
		t.nodes[at] = t.node(keys[i], 0)
		delete(t.stale, at)
	}
	if !guardLKHLeaf.Kept(t.rules) {
		t.nodes[leaf].data = t.nodes[t.root()].data
	}
	for _, at := range places {
		t.nodes[at].members++
	}
	t.take(leaf)
	return leaf, nil
}

// vacancy is the leaf of the next member. A tree that is full doubles for it.
func (t *keyTree) vacancy() (int, error) {
	switch {
	case len(t.free) > 0:
		return t.free[len(t.free)-1], nil
	case 2*t.leaves+1 < len(t.nodes):
		return 2*t.leaves + 1, nil
	case len(t.nodes) >= mostPlaces:
		return 0, ErrFull
	}
	before := t.root()
	t.nodes = append(t.nodes, make([]treeNode, len(t.nodes))...)
	t.nodes[t.root()] = t.node(t.nodes[before].data, t.nodes[before].members)
	t.stale[before] = true
	return 2*t.leaves + 1, nil
}

// take has a vacancy be one no longer.
func (t *keyTree) take(leaf int) {
	if len(t.free) > 0 {
		t.free = t.free[:len(t.free)-1]
	} else {
		t.leaves++
	}
}

// leave takes a member out. The keys that it had are in force until the KEK is replaced.
func (t *keyTree) leave(leaf int) {
	for _, at := range t.climb(leaf) {
		t.nodes[at].members--
		if at != leaf && guardLKHReplaced.Kept(t.rules) {
			t.stale[at] = true
		}
	}
	t.free = append(t.free, leaf)
}

// path are the keys of a member, from its leaf to the KEK.
func (t *keyTree) path(leaf int) []policy.LKHKey {
	var keys []policy.LKHKey
	for _, at := range t.climb(leaf) {
		keys = append(keys, t.key(at, t.nodes[at].data))
	}
	if !guardLKHOrder.Kept(t.rules) {
		slices.Reverse(keys)
	}
	return keys
}

func (t *keyTree) key(place int, data []byte) policy.LKHKey {
	return policy.LKHKey{ID: uint16(place), Handle: t.nodes[place].handle, Data: data}
}

// replace puts another KEK in the root and, with those of members that have left, whatever else is stale. It returns the
// updates that bring the new keys to all members there are, each by one of them.
func (t *keyTree) replace(kek []byte) ([]policy.LKHUpdate, error) {
	places := t.outdated()
	keys, err := t.draw(len(places) - 1)
	if err != nil {
		return nil, err
	}
	for i, data := range append(keys, kek) {
		at := places[i]
		before := t.nodes[at].handle
		if t.nodes[at] = t.node(data, t.nodes[at].members); !guardLKHHandle.Kept(t.rules) {
			t.nodes[at].handle = before
		}
	}
	clear(t.stale)
	return t.updates(places)
}

// outdated are the places whose keys are to be replaced, lower ones first, the root last.
func (t *keyTree) outdated() []int {
	places := []int{t.root()}
	for at := range t.stale {
		if at != t.root() && t.nodes[at].members > 0 {
			places = append(places, at)
		}
	}
	slices.SortFunc(places, func(a, b int) int { return cmp.Or(cmp.Compare(levelBit(a), levelBit(b)), cmp.Compare(a, b)) })
	return places
}

// updates wraps each of the new keys under those below it, old and new, and begins an update at each old one.
func (t *keyTree) updates(replaced []int) ([]policy.LKHUpdate, error) {
	renewed := make(map[int]bool, len(replaced))
	wrapped := make(map[int]policy.LKHKey) // the key above a place, under the one of the place
	var updates []policy.LKHUpdate
	for _, at := range replaced {
		renewed[at] = true
		for _, below := range children(at) {
			if t.nodes[below].members == 0 {
				continue
			}
			data, err := t.wrap(below, at)
			if err != nil {
				return nil, err
			}
			wrapped[below] = t.key(at, data)
			if !renewed[below] {
				updates = append(updates, policy.LKHUpdate{ID: uint16(below), Handle: t.nodes[below].handle})
			}
		}
	}
	for i := range updates {
		u := &updates[i]
		u.Keys = make([]policy.LKHKey, 0, bits.Len(uint(t.root())))
		for at := int(u.ID); at != t.root(); at = parent(at) {
			u.Keys = append(u.Keys, wrapped[at])
		}
	}
	return updates, nil
}

func (t *keyTree) wrap(under, place int) ([]byte, error) {
	if !guardLKHWrapped.Kept(t.rules) {
		under = place
	}
	return t.cipher.WrapLKH(t.nodes[under].data, t.nodes[place].data)
}

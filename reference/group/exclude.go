package group

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What a key server owes when a member is excluded.
var (
	guardExcludeKEK = rule.Duty("group.exclude.kek", "RFC6407-7.4.1-01", rule.KS,
		"a PUSH that excludes a member brings no Data-Security SA")
	guardExcludeOrder = rule.Duty("group.exclude.order", "RFC6407-7.4.1-02", rule.KS,
		"when a member was excluded, Data-Security SAs come under the KEK that it does not have")
)

// ErrNoLKH means that a member cannot be excluded, since the next KEK would be sent under one that it has.
var ErrNoLKH = errors.New("group: without LKH nobody can be excluded")

// Exclude takes a member out until Readmit lets it in again. Of two PUSH messages the first replaces the KEK so that the member
// cannot have it, and the second brings Data-Security SAs under that KEK (RFC 6407 §7.4.1). The error is ErrNoLKH, or says that
// there is no such member.
func (g *Group) Exclude(now time.Time, id policy.Identity) ([]Plan, error) {
	m := g.byIdentity[id.Folded()]
	switch {
	case g.epoch.rekey == nil || g.epoch.rekey.tree == nil:
		return nil, ErrNoLKH
	case m == nil:
		return nil, fmt.Errorf("group: %s is no member", id.Brief())
	}
	g.excluded[m.identity] = struct{}{}
	g.drop(func(have *member) bool { return have == m })
	everything := g.places(func(*trafficSA) bool { return true })
	kek, teks := order{kek: true}, order{made: everything, told: everything}
	if !guardExcludeKEK.Kept(g.opts.Rules) {
		kek.made, kek.told = everything, everything
	}
	steps := []order{kek, teks}
	if !guardExcludeOrder.Kept(g.opts.Rules) {
		slices.Reverse(steps)
	}
	return g.inTurn(now, steps...)
}

// Readmit undoes an exclusion: the member may register again, as anybody whom the group's list names. It has nothing until it
// does. The error says that it was not excluded.
func (g *Group) Readmit(id policy.Identity) error {
	id = id.Folded()
	if _, excluded := g.excluded[id]; !excluded {
		return fmt.Errorf("group: %s was not excluded", id.Brief())
	}
	delete(g.excluded, id)
	return nil
}

// Excluded reports whether a member of that identity was excluded, and not let in again.
func (g *Group) Excluded(id policy.Identity) bool {
	_, excluded := g.excluded[id.Folded()]
	return excluded
}

// inTurn carries out orders one after the other, but for those that have nothing to do.
func (g *Group) inTurn(now time.Time, orders ...order) ([]Plan, error) {
	var plans []Plan
	for _, o := range orders {
		if !o.kek && len(o.told) == 0 {
			continue
		}
		made, err := g.carryOut(now, o)
		if err != nil {
			return plans, err
		}
		plans = append(plans, made...)
	}
	return plans, nil
}

// plant makes a hierarchy for the KEK of a Rekey SA, if the group has that. It has no members yet.
func (g *Group) plant(r *rekeySA) error {
	if g.cfg.Rekey.Management != policy.ManagementLKH {
		return nil
	}
	var first [4]byte
	if err := g.random(first[:]); err != nil {
		return err
	}
	fresh := func() ([]byte, error) { return g.newKEK(0) }
	r.tree = newKeyTree(wrapCipher(r.Cipher), r.data(), binary.BigEndian.Uint32(first[:]), fresh, g.opts.Rules)
	return nil
}

// wrapCipher is the cipher of all keys of a hierarchy, that of the KEK (RFC 6407 §5.3.2).
func wrapCipher(c policy.KEKCipher) keymat.Cipher {
	if c == policy.KEK3DES {
		return keymat.TripleDES
	}
	return keymat.AES
}

// data is the KEK with its IV before it.
func (r *rekeySA) data() []byte { return slices.Concat(r.IV, r.Key) }

// replacing is a Rekey SA as a PUSH under the one before tells it. In a hierarchy of keys, which it takes over, it comes with
// updates.
func (r *rekeySA) replacing(before *rekeySA) (*policy.RekeySA, error) {
	told := r.RekeySA
	if before.tree == nil {
		return &told, nil
	}
	updates, err := before.tree.replace(r.data())
	if err != nil {
		return nil, err
	}
	r.tree, told.LKH = before.tree, &policy.LKH{Updates: updates}
	return &told, nil
}

// seat gives a member a leaf of the hierarchy, unless it has one, and its keys.
func (g *Group) seat(m *member, d *policy.Download) error {
	if g.epoch.rekey == nil || g.epoch.rekey.tree == nil {
		return nil
	}
	tree := g.epoch.rekey.tree
	if m.tree != tree {
		leaf, err := tree.join()
		if err != nil {
			return err
		}
		m.unseat()
		m.tree, m.leaf = tree, leaf
	}
	d.Rekey.LKH = &policy.LKH{Path: tree.path(m.leaf)}
	return nil
}

// unseat has a member leave the hierarchy; what it had is replaced with the next KEK.
func (m *member) unseat() {
	if m.tree != nil {
		m.tree.leave(m.leaf)
		m.tree = nil
	}
}

// provenBy is a Rekey SA with the member's own key of the hierarchy, if there is one: with that it may have to prove itself.
func (r *rekeySA) provenBy(m *member) *policy.RekeySA {
	if m == nil || m.tree == nil || m.tree != r.tree {
		return &r.RekeySA
	}
	sa := r.RekeySA
	sa.LKH = &policy.LKH{Path: m.tree.path(m.leaf)}
	return &sa
}

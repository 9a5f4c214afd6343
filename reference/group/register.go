package group

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var guardOffered = rule.Duty("group.registration.offered", "RFC6407-3.2-18", rule.KS,
	"who registers gets the keys of the policy that it was offered, or begins again")

// Offer is what a group would give to a member that registered now. It is void once the group has moved on.
type Offer struct {
	Download policy.Download // without SIDs
	epoch    *epoch
	after    *epoch // in force when the offer was made
}

// Offer says what the group would give a candidate now. It allocates nothing and records nobody (RFC 6407 §3.2). When the SIDs are
// used up, or with backward access control to one that is no member yet, it offers keys that are not in force yet: Admit puts
// them in force.
func (g *Group) Offer(now time.Time, id policy.Identity) (*Offer, error) {
	g.startClock(now)
	e := g.epoch
	switch {
	case g.exhausted():
		if err := g.prepare(); err != nil {
			return nil, err
		}
		e = g.prepared
	case g.newcomer(id):
		if err := g.foresee(now); err != nil {
			return nil, err
		}
		e = g.heir.epoch
	}
	if !guardSIDAfterProof.Kept(g.opts.Rules) {
		g.nextSID++
	}
	return &Offer{Download: g.download(now, e), epoch: e, after: g.epoch}, nil
}

// prepare makes the epoch that follows when the SIDs are used up. All offers until then share it.
func (g *Group) prepare() error {
	if g.prepared != nil {
		return nil
	}
	next, err := g.newEpoch()
	g.prepared = next
	return err
}

// Admission is what comes of a registration: the keys for the member, and rekeys to be sent before it gets them.
type Admission struct {
	Download policy.Download
	Plans    []Plan
	First    bool // there was no member before
}

// Admit records a member that has proven itself and gives it the keys of the offer, the present sequence number and, if
// the group has a counter mode, as many SIDs as it asked for (none: one; RFC 6407 §3.5). When they are used up, the group
// is made anew: everything is deleted, and the SIDs start from the beginning. An Admission may have plans even if the
// registration failed. The error is ErrMoved, ErrSIDsExhausted, or a *rule.Violation if so many SIDs do not exist.
func (g *Group) Admit(now time.Time, id policy.Identity, from netip.AddrPort, offer *Offer, asked int) (Admission, error) {
	id = id.Folded()
	n := g.sidsFor(asked)
	if !guardSIDSpace.AtMost(g.opts.Rules, uint64(n), g.share().size()) {
		return Admission{}, guardSIDSpace.Violated("%d SIDs of %d bits asked for, where there are %d", n, g.cfg.SIDBits, g.share().size())
	}
	var a Admission
	var err error
	if a.Plans, err = g.enforce(now, id, offer); err != nil {
		return a, err
	}
	if g.short(n) {
		if err := g.prepare(); err != nil {
			return a, err
		}
		a.Plans = append(a.Plans, g.renew(now, id)...)
		return a, fmt.Errorf("%w: %d asked for", ErrSIDsExhausted, n)
	}
	a.Download, a.First = g.download(now, g.epoch), len(g.members) == 0
	if offer.epoch == g.epoch && len(g.former) > 0 {
		a.Download.SAs = offer.Download.SAs // of what was left from before, those that lived when the policy was told
	}
	m := g.record(now, id, from)
	if err := g.seat(m, &a.Download); err != nil {
		g.drop(func(have *member) bool { return have == m })
		return a, err
	}
	if n > 0 {
		m.sids = g.takeSIDs(m, n)
		a.Download.SIDs = &policy.SIDs{Bits: g.cfg.SIDBits, Values: m.sids}
	}
	if g.epoch.rekey != nil && !guardSequenceKept.Kept(g.opts.Rules) {
		g.epoch.rekey.sequence++
	}
	return a, nil
}

// enforce puts in force what was offered, if it is not. The error is ErrMoved, or that of the source of randomness.
func (g *Group) enforce(now time.Time, id policy.Identity, offer *Offer) ([]Plan, error) {
	switch {
	case offer.epoch == g.epoch && !g.newcomer(id), !guardOffered.Kept(g.opts.Rules):
		return nil, nil
	case offer.after != g.epoch:
		return nil, ErrMoved
	case offer.epoch == g.prepared:
		return g.renew(now, id), nil
	case g.heir != nil && offer.epoch == g.heir.epoch:
		return g.succeed(now, g.heir.epoch, g.heir.change)
	}
	return nil, ErrMoved
}

// renew replaces everything by the prepared epoch and starts the SIDs anew. The members are told to delete what they have,
// but for the one that is about to be given the new keys.
func (g *Group) renew(now time.Time, candidate policy.Identity) []Plan {
	var plans []Plan
	if guardSIDDelete.Kept(g.opts.Rules) {
		plans = append(g.overtake(now), g.plan(now, g.deleteAll(), candidate))
	}
	g.nextSID, g.former = g.firstSID(), nil
	g.adopt(now, g.prepared)
	return plans
}

package group

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var guardRekeysEnd = rule.Duty("group.change.rekeys-off", "GETVPN-POLICY-42", rule.KS,
	"a group whose rekeys can no longer be signed has none from that time on")

// rekeys reports whether a policy has rekeys.
func rekeys(t terms) bool { return t.Rekey.Transport != policy.TransportNone }

// ofRekeys compares the rekeys of two policies that both have some.
func ofRekeys(differs func(was, is terms) bool) func(was, is terms) bool {
	return func(was, is terms) bool { return rekeys(was) && rekeys(is) && differs(was, is) }
}

// goOver takes another policy over, and has rekeys begin or end with it.
func (g *Group) goOver(now time.Time, was terms, renewed map[renewal]bool) ([]Plan, error) {
	had, has := g.epoch.rekey, g.cfg.Rekey.Transport != policy.TransportNone
	if had != nil && !has && guardRekeysEnd.Kept(g.opts.Rules) {
		g.epoch = &epoch{sas: g.epoch.sas}
	}
	plans, err := g.takeOver(now, was, renewed)
	switch {
	case err != nil:
		return nil, err
	case had != nil && g.epoch.rekey == nil:
		g.cease(had)
	case had == nil && has:
		first, err := g.begin(now)
		if err != nil || !renewed[renewsKEK] {
			return plans, err
		}
		plans = append(plans, first)
	}
	return plans, nil
}

// begin makes the first Rekey SA of a group, and the first rekey. It is protected by a KEK that the members have not got yet: they get
// it as they register next.
func (g *Group) begin(now time.Time) (Plan, error) {
	r, err := g.newRekeySA()
	if err == nil {
		err = g.plant(r)
	}
	if err != nil {
		return Plan{}, err
	}
	_, change, err := g.successor(now, order{told: g.everywhere()})
	if err != nil {
		return Plan{}, err
	}
	g.adopt(now, &epoch{rekey: r, sas: g.epoch.sas})
	r.sequence++
	change.Under, change.Sequence = r.SPI, r.sequence
	return Plan{Rekey: change, Under: r.RekeySA, To: r.addresses(g.members)}, nil
}

// cease forgets the Rekey SAs. The members go on with the keys that they have until these end.
func (g *Group) cease(last *rekeySA) {
	for _, r := range append(g.retired, last) {
		g.changes.Ended = append(g.changes.Ended, r.SPI)
	}
	g.retired, g.rounds, g.outstanding = nil, nil, nil
	for _, m := range g.members {
		m.holds, m.until, m.acks = nil, g.lastExpiry(), nil
	}
}

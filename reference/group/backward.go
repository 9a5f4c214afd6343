package group

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var guardBackward = rule.Duty("group.member.backward", "RFC6407-7.4.2-01", rule.KS,
	"with backward access control a member that joins gets no Data-Security SA that was in use before")

// heir is the epoch that begins when somebody joins a group with backward access control, and the change that leads to it. The
// Rekey SA is another one, too: under the one before there were messages that brought the SAs of before, which a member that joins
// may have kept (RFC 6407 §7.4.2).
type heir struct {
	epoch  *epoch
	change policy.Rekey
}

// newcomer reports whether a candidate is to get nothing from before it joins.
func (g *Group) newcomer(id policy.Identity) bool {
	return g.cfg.Rekey.Backward && g.byIdentity[id.Folded()] == nil && guardBackward.Kept(g.opts.Rules)
}

// foresee makes the epoch for who joins next. All offers until somebody does share it; whoever comes second is told to begin again.
func (g *Group) foresee(now time.Time) error {
	if g.heir != nil {
		return nil
	}
	everything := g.places(func(*trafficSA) bool { return true })
	next, change, err := g.successor(now, order{kek: true, made: everything, told: everything})
	if err == nil {
		g.heir = &heir{next, change}
	}
	return err
}

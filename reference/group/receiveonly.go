package group

import (
	"errors"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var (
	guardReceiveOnly = rule.Duty("group.receiveonly.mark", "GETVPN-RECVONLY-03", rule.KS,
		"all SAs of a group that is receive-only are marked so")
	guardReceiveOnlyRekey = rule.Duty("group.receiveonly.rekey", "GETVPN-POLICY-08", rule.KS,
		"when a group becomes receive-only its members are sent SAs that are")
	guardDuplexRekey = rule.Duty("group.receiveonly.duplex", "GETVPN-RECVONLY-06", rule.KS,
		"when a group is no longer receive-only its members are sent new SAs")
)

var errSameUsage = errors.New("group: that is how it is already")

// ReceiveOnly has the SAs of the group be for receiving only, or not any more, and makes them anew for its members. The error says
// that nothing changes by it, or is that of Rekey.
func (g *Group) ReceiveOnly(now time.Time, on bool) ([]Plan, error) {
	if g.cfg.ReceiveOnly == on {
		return nil, errSameUsage
	}
	g.cfg.ReceiveOnly = on
	guard := guardDuplexRekey
	if on {
		guard = guardReceiveOnlyRekey
	}
	if !guard.Kept(g.opts.Rules) {
		return nil, nil
	}
	plans, err := g.Rekey(now, control.RekeyArgs{TEK: true})
	if err != nil {
		g.cfg.ReceiveOnly = !on
	}
	return plans, err
}

// Usage says in which directions members are to use the SAs of the group.
func (g *Group) Usage() policy.Usage {
	if g.cfg.ReceiveOnly {
		return policy.UsageReceiveOnly
	}
	return policy.UsageBoth
}

// marked is the transform as members get it.
func (g *Group) marked(t policy.Transform) policy.Transform {
	if g.cfg.ReceiveOnly && guardReceiveOnly.Kept(g.opts.Rules) {
		t.Direction = policy.DirectionReceiverOnly
	}
	return t
}

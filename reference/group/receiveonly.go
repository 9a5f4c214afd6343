package group

import (
	"errors"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var guardReceiveOnly = rule.Duty("group.receiveonly.mark", "GETVPN-RECVONLY-03", rule.KS,
	"all SAs of a group that is receive-only are marked so")

var errSameUsage = errors.New("group: that is how it is already")

// ReceiveOnly has the SAs of the group be for receiving only, or not any more: they are made anew, and the members told. The error says
// that nothing changes by it, or is that of Configure.
func (g *Group) ReceiveOnly(now time.Time, on bool) ([]Plan, error) {
	if g.cfg.ReceiveOnly == on {
		return nil, errSameUsage
	}
	cfg := g.cfg
	cfg.ReceiveOnly = on
	return g.Configure(now, cfg, g.opts)
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

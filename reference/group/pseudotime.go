package group

import (
	"cmp"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/pseudotime"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What a key server owes in time-based anti-replay.
var (
	guardClockStart = rule.Duty("group.pseudotime.start", "GETVPN-TBAR-02", rule.KS,
		"the pseudotime begins to advance with the first registration")
	guardRekeyTime = rule.Duty("group.pseudotime.rekey", "GETVPN-TBAR-04", rule.KS,
		"a rekey carries the pseudotime at which it was made")
	guardEachRekey = rule.Duty("group.pseudotime.each", "GETVPN-TBAR-04", rule.KS,
		"a rekey that replaces nothing but the KEK carries the pseudotime too")
	guardTimeOfDay = rule.Duty("group.pseudotime.time_of_day", "GETVPN-TBAR-01", rule.KS,
		"the pseudotime goes on as it was when the time of day is set")
	guardSync = rule.Timer("group.pseudotime.sync", "GETVPN-TBAR-13", rule.KS, 5*time.Second,
		"the pseudotime is told by a rekey at least once in the interval that is configured, whatever the lifetimes")
)

// defaultSync is how often the pseudotime is told unless the configuration says otherwise.
const defaultSync = 7200 * time.Second

// timed reports whether packets of the group carry a pseudotime.
func (g *Group) timed() bool {
	return g.opts.Replay != nil && slices.ContainsFunc(g.cfg.SAs, func(sa policy.SAPolicy) bool { return sa.AntiReplay.Time() > 0 })
}

// startClock has the pseudotime advance, once somebody wants to know it.
func (g *Group) startClock(now time.Time) {
	if g.timed() && !g.clock.Running() {
		g.clock.Start(now)
		g.synced = now
	}
}

// replayOf is what an SA tells under the profile getvpn; nil under another.
func (g *Group) replayOf(p policy.SAPolicy) *policy.ReplaySA {
	if g.opts.Replay == nil {
		return nil
	}
	return &policy.ReplaySA{AntiReplay: p.AntiReplay, Tagged: p.Tag, Attributes: g.opts.Replay.Complete()}
}

// stamp is an SA with the pseudotime as it is now.
func (g *Group) stamp(now time.Time, sa policy.TrafficSA) policy.TrafficSA {
	if sa.Replay != nil {
		told := *sa.Replay
		if told.Time() > 0 {
			told.Pseudotime = g.clock.At(now)
		}
		sa.Replay = &told
	}
	return sa
}

// rekeyStamp is stamp for a rekey.
func (g *Group) rekeyStamp(now time.Time, sa policy.TrafficSA) policy.TrafficSA {
	sa = g.stamp(now, sa)
	if sa.Replay != nil && !guardRekeyTime.Kept(g.opts.Rules) {
		sa.Replay.Pseudotime = 0
	}
	return sa
}

// synchronising has a rekey that would tell of no SA tell the SAs in force once more, since it is with them that the pseudotime
// goes. What is deleted needs none.
func (g *Group) synchronising(o order) order {
	if o.kek && len(o.told) == 0 && g.timed() && guardEachRekey.Kept(g.opts.Rules) {
		o.told = g.places(func(*trafficSA) bool { return true })
	}
	return o
}

// syncDue is when the members have to be told the pseudotime again; zero if they need not.
func (g *Group) syncDue() time.Time {
	if !g.clock.Running() || g.epoch.rekey == nil {
		return time.Time{}
	}
	return g.synced.Add(guardSync.Delay(g.opts.Rules, cmp.Or(g.cfg.Rekey.Sync, defaultSync)))
}

// syncs reports whether the members have to be told the pseudotime now.
func (g *Group) syncs(now time.Time) bool {
	due := g.syncDue()
	return !due.IsZero() && !now.Before(due)
}

// synchronise tells the pseudotime if it is time.
func (g *Group) synchronise(now time.Time) ([]Plan, error) {
	if !g.syncs(now) {
		return nil, nil
	}
	return g.carryOut(now, order{told: g.places(func(*trafficSA) bool { return true })})
}

// replayStatus is how an operator reads what an SA tells of anti-replay; nil if it says nothing.
func replayStatus(r *policy.ReplaySA) *control.Replay {
	if r == nil {
		return nil
	}
	var s control.Replay
	s.Method, s.Window = r.Words()
	s.Tag = r.TagMethod()
	return &s
}

// ClockSet tells the group that the time of day has been set forward by so much, or back.
func (g *Group) ClockSet(now time.Time, by time.Duration) {
	if !guardTimeOfDay.Kept(g.opts.Rules) {
		g.clock.Turn(now, by)
	}
}

// Pseudotime is that of the group now, and whether it has one that advances.
func (g *Group) Pseudotime(now time.Time) (pseudotime.Stamp, bool) {
	return g.clock.At(now), g.clock.Running()
}

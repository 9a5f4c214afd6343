package group

import (
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What a key server of profile getvpn owes beyond, or instead of, RFC 6407.
var (
	guardTEKLead = rule.Timer("group.getvpn.tek-offset", "GETVPN-UCAST-05", rule.KS, 5*time.Second,
		"a TEK is replaced 90 s or a tenth of its lifetime before its end, when everything has been sent")
	guardTEKLoops = rule.Duty("group.getvpn.tek-loops", "GETVPN-UCAST-04", rule.KS,
		"the rekey of a TEK begins earlier by the loops in which the members are told one by one")
	guardTEKCopies = rule.Duty("group.getvpn.tek-copies", "GETVPN-MCAST-04", rule.KS,
		"the rekey of a TEK begins earlier by its repetitions")
	guardKEKLead = rule.Timer("group.getvpn.kek-offset", "GETVPN-KEK-04", rule.KS, 5*time.Second,
		"a KEK is replaced 200 s before its end, and earlier by loops and repetitions")
	guardLoop = rule.Duty("group.getvpn.loop", "GETVPN-UCAST-01", rule.KS,
		"a unicast rekey goes to 50 members at a time")
	guardLoopTime = rule.Timer("group.getvpn.loop-time", "GETVPN-UCAST-03", rule.KS, 2*time.Second,
		"a loop of 50 members takes 5 s")
	guardCopyNumber = rule.Duty("group.getvpn.copy-number", "GETVPN-SEQ-02", rule.KS,
		"each repetition of a rekey has the next sequence number")
	guardQuiet = rule.Timer("group.getvpn.quiet", "GETVPN-REKEY-15", rule.KS, 15*time.Second,
		"a rekey is not repeated in the 120 s before the next one that is scheduled")
	guardMerge = rule.Timer("group.getvpn.merge", "GETVPN-REKEY-16", rule.KS, 15*time.Second,
		"when the pseudotime is to be told, keys that are to be replaced in the next 60 s are replaced with it")
	guardReminders = rule.Duty("group.getvpn.reminders", "GETVPN-LONGSA-02", rule.KS,
		"a rekey goes again, at the interval, to who has not acknowledged it, for as long as it is the last")
)

// getvpn reports whether the group follows the vendor.
func (g *Group) getvpn() bool { return g.opts.Profile == policy.ProfileGETVPN }

// delivery is what a rekey would take now.
func (g *Group) delivery() delivery {
	return delivery{
		unicast: g.cfg.Rekey.Transport == policy.TransportUnicast, members: len(g.members),
		copies: g.cfg.Rekey.Retransmit, interval: g.cfg.Rekey.Interval,
	}
}

// tekDue is when a Data-Security SA is to be replaced. With profile getvpn that depends on how many members there are by then.
func (g *Group) tekDue(sa *trafficSA) time.Time {
	if !g.getvpn() || g.cfg.Rekey.Margin != 0 {
		return sa.replace
	}
	d := g.delivery()
	if !guardTEKLoops.Kept(g.opts.Rules) {
		d.unicast = false
	}
	if !guardTEKCopies.Kept(g.opts.Rules) {
		d.copies = 0
	}
	return sa.expires.Add(-bounded(guardTEKLead.Delay(g.opts.Rules, tekLead(sa.Lifetime, d)), sa.Lifetime))
}

// kekDue is when a Rekey SA is to be replaced; a key server of the old behaviour does so as it ends (GETVPN-KEK-01).
func (g *Group) kekDue(r *rekeySA) time.Time {
	switch {
	case !g.getvpn() || g.cfg.Rekey.Margin != 0:
		return r.replace
	case g.cfg.Rekey.KEKBehaviour == policy.KEKOld:
		return r.expires
	}
	return r.expires.Add(-bounded(guardKEKLead.Delay(g.opts.Rules, kekLeadOf(g.delivery())), r.Lifetime))
}

// scheduled is when the next key is to be replaced.
func (g *Group) scheduled() (next time.Time) {
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	if g.epoch.rekey != nil {
		sooner(g.kekDue(g.epoch.rekey))
	}
	for _, sa := range g.epoch.sas {
		sooner(g.tekDue(sa))
	}
	return next
}

// horizon is up to when keys are to be replaced now: in the profile those that are due soon go with a pseudotime that is due.
func (g *Group) horizon(now time.Time) time.Time {
	if sync := g.syncDue(); !g.getvpn() || sync.IsZero() || now.Before(sync) {
		return now
	}
	return now.Add(guardMerge.Delay(g.opts.Rules, mergeTime))
}

// quiet reports whether repetitions have to wait for the rekey that is scheduled.
func (g *Group) quiet(now time.Time) bool {
	next := g.scheduled()
	return g.getvpn() && !next.IsZero() && next.Sub(now) <= guardQuiet.Delay(g.opts.Rules, quietTime)
}

// round is what is left of a unicast rekey that goes to some members at a time.
type round struct {
	plan  Plan
	under *rekeySA
	made  time.Time // when the lifetimes in it were counted
	left  []*member
	next  time.Time
}

// firstOf are the members that a unicast rekey goes to at once; the others are left for the rounds that follow.
func (g *Group) firstOf(now time.Time, p Plan, r *rekeySA, holders []*member) []*member {
	unicast := !r.Destination.Addr().IsMulticast()
	if !g.getvpn() || !unicast || len(holders) <= loopSize || !guardLoop.Kept(g.opts.Rules) {
		return holders
	}
	g.rounds = append(g.rounds, &round{plan: p, under: r, made: now, left: holders[loopSize:], next: now.Add(g.loopTime())})
	return holders[:loopSize]
}

func (g *Group) loopTime() time.Duration { return guardLoopTime.Delay(g.opts.Rules, loopTime) }

// nextRounds sends the rounds whose time has come.
func (g *Group) nextRounds(now time.Time) (plans []Plan) {
	for _, r := range g.rounds {
		for len(r.left) > 0 && !now.Before(r.next) {
			n := min(loopSize, len(r.left))
			r.plan.Round++
			p := g.roundTo(now, r, r.left[:n])
			g.await(now, p, r.under, r.left[:n])
			plans = append(plans, p)
			r.left, r.next = r.left[n:], r.next.Add(g.loopTime())
		}
	}
	g.rounds = slices.DeleteFunc(g.rounds, func(r *round) bool { return len(r.left) == 0 })
	return plans
}

// overtake ends what is still under way of rekeys before the one that is about to be made: who has not been told yet is told now,
// and nothing is repeated, since its number would be higher than that of the new one.
func (g *Group) overtake(now time.Time) (plans []Plan) {
	if !g.getvpn() {
		return nil
	}
	left := g.rounds
	g.rounds = nil
	for _, r := range left {
		if r.made.Equal(now) { // of a change that takes several messages
			g.rounds = append(g.rounds, r)
			continue
		}
		r.plan.Round++
		plans = append(plans, g.roundTo(now, r, r.left))
	}
	for _, o := range slices.Clone(g.outstanding) {
		if o.made.Before(now) {
			plans = append(plans, g.giveUp(now, o)...)
		}
	}
	return plans
}

// roundTo is the PUSH of a round for some of those who are left.
func (g *Group) roundTo(now time.Time, r *round, some []*member) Plan {
	p := r.plan
	p.Rekey = g.aged(now, p.Rekey, r.made)
	p.to(r.under, some)
	return p
}

// leave takes a member out of the rounds that are left, as one that is gone or has registered again.
func (g *Group) leave(m *member) {
	for _, r := range g.rounds {
		r.left = slices.DeleteFunc(slices.Clone(r.left), func(have *member) bool { return have == m })
	}
}

// again makes the next copy of a PUSH. By RFC 6407 it is the same message; in profile getvpn one with a number of its own and with
// what is left of the lifetimes by now, made under the same Rekey SA (GETVPN-MCAST-06).
func (g *Group) again(now time.Time, o *outstanding) Plan {
	o.plan.Attempt++
	if !g.getvpn() || !guardCopyNumber.Kept(g.opts.Rules) {
		return o.plan
	}
	o.under.sequence++
	o.plan.Rekey.Sequence, o.plan.Round = o.under.sequence, 0
	o.numbers = append(o.numbers, o.under.sequence)
	o.numbers = o.numbers[max(0, len(o.numbers)-numbersKept):]
	p := o.plan
	p.Rekey = g.aged(now, p.Rekey, o.made)
	return p
}

// numbersKept is for how many copies back an acknowledgement still counts.
const numbersKept = 64

// aged is a change that was made then and is told now: what it brings lives shorter, and the pseudotime is another.
func (g *Group) aged(now time.Time, change policy.Rekey, made time.Time) policy.Rekey {
	rest := func(lifetime time.Duration) time.Duration {
		return max(time.Second, (lifetime - now.Sub(made)).Truncate(time.Second))
	}
	change.SAs = slices.Clone(change.SAs)
	for i, sa := range change.SAs {
		sa.Lifetime = rest(sa.Lifetime)
		change.SAs[i] = g.rekeyStamp(now, sa)
	}
	if change.NewRekey != nil {
		r := *change.NewRekey
		r.Lifetime = rest(r.Lifetime)
		change.NewRekey = &r
	}
	return change
}

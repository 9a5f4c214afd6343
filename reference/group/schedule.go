package group

import (
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// outstanding is a PUSH that may have to be sent again.
type outstanding struct {
	plan  Plan
	under *rekeySA
	sent  []*member // to whom, in the order of the plan
	owing []bool    // which of them have not acknowledged it
	left  int       // how many these are
	next  time.Time

	made    time.Time // when the lifetimes in it were counted
	numbers []uint32  // of the copies, the last ones; an acknowledgement of any counts
}

// release stops waiting for a member.
func (o *outstanding) release(m *member) {
	at := m.turn // most often: of the PUSH that was sent last
	if at >= len(o.sent) || o.sent[at] != m {
		at = slices.Index(o.sent, m)
	}
	if at >= 0 && o.owing[at] {
		o.owing[at] = false
		o.left--
	}
}

// waiting are the members that have not acknowledged it, in the order in which it was sent to them.
func (o *outstanding) waiting() []*member {
	waiting := make([]*member, 0, o.left)
	for i, m := range o.sent {
		if o.owing[i] {
			waiting = append(waiting, m)
		}
	}
	return waiting
}

// finished reports whether every acknowledgement that was asked for has come.
func (o *outstanding) finished() bool { return o.under.Ack != policy.AckNone && o.left == 0 }

// Deadline is when Due has something to do next.
func (g *Group) Deadline() (time.Time, bool) {
	var first time.Time
	sooner := func(t time.Time) {
		if first.IsZero() || t.Before(first) {
			first = t
		}
	}
	if next := g.scheduled(); !next.IsZero() {
		sooner(next)
	}
	for _, r := range g.rounds {
		sooner(r.next)
	}
	if sync := g.syncDue(); !sync.IsZero() {
		sooner(sync)
	}
	for _, o := range g.outstanding {
		sooner(o.next)
	}
	for _, r := range g.retired {
		sooner(r.heard)
	}
	return first, !first.IsZero()
}

// Due returns the messages to be sent now: repetitions, and then what the ends of lifetimes call for. Before the KEK
// ends, everything is replaced in one PUSH; otherwise the Data-Security SAs whose time has come.
func (g *Group) Due(now time.Time) ([]Plan, error) {
	plans := append(g.repetitions(now), g.nextRounds(now)...)
	g.forget(now)
	soon := g.horizon(now)
	kek := g.epoch.rekey != nil && !soon.Before(g.kekDue(g.epoch.rekey))
	var teks []int
	for i, sa := range g.epoch.sas {
		if kek || !soon.Before(g.tekDue(sa)) {
			teks = append(teks, i)
		}
	}
	if !kek && len(teks) == 0 {
		made, err := g.synchronise(now)
		return append(plans, made...), err
	}
	made, err := g.carryOut(now, order{kek: kek, made: teks, told: teks})
	return append(plans, made...), err
}

// await arranges for the repetitions of a PUSH that is being sent now.
func (g *Group) await(now time.Time, p Plan, r *rekeySA, holders []*member) {
	o := &outstanding{plan: p, under: r, sent: holders, owing: make([]bool, len(holders)), left: len(holders), next: now.Add(g.wait()),
		made: now, numbers: []uint32{p.Rekey.Sequence}}
	for i, m := range holders {
		o.owing[i], m.turn = true, i
	}
	if !o.finished() && (r.Ack != policy.AckNone || g.cfg.Rekey.Retransmit > 0) {
		g.outstanding = append(g.outstanding, o)
	}
}

// wait is the time between two attempts, and so the time given to an acknowledgement.
func (g *Group) wait() time.Duration {
	if g.cfg.Rekey.Ack == policy.AckNone {
		return g.cfg.Rekey.Interval
	}
	return guardAckWait.Delay(g.opts.Rules, g.cfg.Rekey.Interval)
}

// repetitions returns the PUSH messages to be sent again.
func (g *Group) repetitions(now time.Time) []Plan {
	var plans []Plan
	for _, o := range slices.Clone(g.outstanding) {
		if now.Before(o.next) {
			continue
		}
		var again Plan
		again.to(o.under, o.waiting())
		last := g.last(o) || g.quiet(now) || len(again.To) == 0
		p := o.plan
		missing := g.missing(o, last)
		p.To = nil
		if !last {
			p = g.again(now, o)
			p.To, p.members, o.next = again.To, again.members, now.Add(g.wait())
		}
		p.Missing = missing
		if len(p.To) > 0 || len(p.Missing) > 0 {
			plans = append(plans, p)
		}
		if last || (o.under.Ack == policy.AckNone && g.last(o)) {
			g.settle(o)
		}
	}
	return plans
}

// last reports whether a PUSH has been sent as often as it is at most. Reminders have no end but the next rekey.
func (g *Group) last(o *outstanding) bool {
	if g.cfg.Rekey.Reminders && guardReminders.Kept(g.opts.Rules) {
		return false
	}
	return o.plan.Attempt >= g.cfg.Rekey.Retransmit
}

// settle ends the repetitions of a PUSH.
func (g *Group) settle(o *outstanding) {
	g.outstanding = slices.DeleteFunc(g.outstanding, func(have *outstanding) bool { return have == o })
}

// Outstanding reports whether the PUSH of that number may have to be repeated; otherwise its octets can be forgotten.
func (g *Group) Outstanding(under policy.RekeySPI, sequence uint32) bool {
	return slices.ContainsFunc(g.outstanding, func(o *outstanding) bool {
		return o.under.SPI == under && o.plan.Rekey.Sequence == sequence
	})
}

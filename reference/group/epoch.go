package group

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// adopt puts an epoch in force: what is new in it begins to live now, and what it replaces retires.
func (g *Group) adopt(now time.Time, next *epoch) {
	was := g.epoch
	g.epoch, g.prepared, g.heir = next, nil, nil
	g.dropFormers(now)
	if next.rekey != nil && (was == nil || was.rekey != next.rekey) {
		g.enlive(now, next.rekey)
		if was != nil && was.rekey != nil {
			g.retire(now, was.rekey)
		}
	}
	for _, sa := range next.sas {
		if sa.expires.IsZero() {
			sa.expires = now.Add(sa.Lifetime)
			sa.replace = sa.expires.Add(-g.margin(sa.Lifetime))
			if _, known := g.usedSPIs[sa.SPI]; !known { // or its life has been cut short
				g.usedSPIs[sa.SPI] = used{sa.expires, sa.Transform.Protocol}
				g.changes.SAs = append(g.changes.SAs, sa.TrafficSA)
			}
		}
	}
}

func (g *Group) enlive(now time.Time, r *rekeySA) {
	r.expires = now.Add(r.Lifetime)
	r.replace = now.Add(guardKEKLifetime.Delay(g.opts.Rules, r.Lifetime-g.margin(r.Lifetime)))
	g.changes.Rekeys = append(g.changes.Rekeys, r.RekeySA)
}

// retire keeps a replaced Rekey SA, and the members that have no other, until its last PUSH has been repeated and
// acknowledgements of it have had time to come (RFC 8263 §6).
func (g *Group) retire(now time.Time, r *rekeySA) {
	r.heard = now.Add(g.wait() * time.Duration(g.cfg.Rekey.Retransmit))
	if len(g.rounds) > 0 {
		r.heard = r.heard.Add(g.loopTime() * time.Duration(g.delivery().loops()))
	}
	if g.cfg.Rekey.Reminders && r.expires.After(r.heard) {
		r.heard = r.expires
	}
	if r.Ack != policy.AckNone {
		r.heard = r.heard.Add(g.wait())
		if !guardAckKEKKept.Kept(g.opts.Rules) {
			r.heard = now
		}
	}
	g.retired = append(g.retired, r)
}

// margin is how long before its end something with this lifetime is replaced.
func (g *Group) margin(lifetime time.Duration) time.Duration {
	if g.cfg.Rekey.Margin == 0 {
		return lifetime / 10
	}
	return g.cfg.Rekey.Margin
}

// forget drops what has ended: retired Rekey SAs, members that hold nothing else, and SPIs that may be chosen again.
func (g *Group) forget(now time.Time) {
	kept := g.retired[:0]
	for _, r := range g.retired {
		if now.Before(r.heard) {
			kept = append(kept, r)
			continue
		}
		g.dropHolders(r)
		if g.epoch.rekey.SPI != r.SPI {
			g.changes.Ended = append(g.changes.Ended, r.SPI)
		}
	}
	clear(g.retired[len(kept):])
	g.retired = kept
	g.dropExpired(now)
	for spi, one := range g.usedSPIs {
		if now.After(one.expires) {
			delete(g.usedSPIs, spi)
		}
	}
}

// heardUnder finds the Rekey SA of that SPI, in force or retired.
func (g *Group) heardUnder(spi policy.RekeySPI) *rekeySA {
	if r := g.epoch.rekey; r != nil && r.SPI == spi {
		return r
	}
	for _, r := range g.retired {
		if r.SPI == spi {
			return r
		}
	}
	return nil
}

// download is what an epoch gives a member at this time, without SIDs. Lifetimes are whole seconds, rounded down, so that
// nobody uses a key longer than the group does.
func (g *Group) download(now time.Time, e *epoch) policy.Download {
	d := policy.Download{Group: g.cfg.ID, Activation: g.cfg.Activation}
	if e.rekey != nil {
		r := e.rekey.RekeySA
		r.Lifetime = remaining(now, e.rekey.expires, r.Lifetime)
		d.Rekey, d.Sequence = &r, e.rekey.sequence
		if !guardSequenceGiven.Kept(g.opts.Rules) {
			d.Sequence++
		}
	}
	for i, sa := range e.sas {
		if e == g.epoch {
			d.SAs = append(d.SAs, g.flowsOf(i, g.still(now, i))...)
		}
		d.SAs = append(d.SAs, g.flows(i, g.stamp(now, sa.lasting(now)))...)
	}
	d.Access = g.access()
	return d
}

// lasting is the SA with the rest of its lifetime.
func (t *trafficSA) lasting(now time.Time) policy.TrafficSA {
	sa := t.TrafficSA
	sa.Lifetime = remaining(now, t.expires, sa.Lifetime)
	return sa
}

// flows are the SA of a place in the policy once for each flow that it protects there, as a SAT names one flow only.
func (g *Group) flows(place int, sa policy.TrafficSA) []policy.TrafficSA {
	return g.flowsOf(place, []policy.TrafficSA{sa})
}

// flowsOf are several SAs of a place once for each of its flows.
func (g *Group) flowsOf(place int, sas []policy.TrafficSA) (flows []policy.TrafficSA) {
	for _, sa := range sas {
		for _, sa.Selector = range g.flowsAt(place) {
			flows = append(flows, sa)
		}
	}
	return flows
}

// remaining is the rest of a lifetime; something prepared and not in force has its whole life before it.
func remaining(now, expires time.Time, whole time.Duration) time.Duration {
	if expires.IsZero() {
		return whole
	}
	return max(0, expires.Sub(now).Truncate(time.Second))
}

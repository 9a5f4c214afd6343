package group

import (
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// former is a Data-Security SA whose place another has taken with a change of policy. Under the profile getvpn its members go on to
// send with it until its lifetime ends, for what the policy protects now.
type former struct {
	*trafficSA
	place int // in the policy
}

// formers stand in the order in which they were replaced.
type formers []former

// moved are the formers at their places in another policy; from says which place each had before. Those whose place is gone are left
// to their lifetimes.
func (f formers) moved(from []int) (kept formers) {
	for _, sa := range f {
		if place := slices.Index(from, sa.place); place >= 0 {
			kept = append(kept, former{sa.trafficSA, place})
		}
	}
	return kept
}

// without are the formers but for those that a message deletes.
func (f formers) without(ended []uint32) formers {
	return slices.DeleteFunc(slices.Clone(f), func(sa former) bool { return ends(ended, sa.trafficSA) })
}

// keep notes the SAs that an epoch makes way for.
func (g *Group) keep(now time.Time, next *epoch, shorten bool) {
	for place, sa := range g.epoch.sas {
		if sa == nil || next.sas[place].SPI == sa.SPI {
			continue
		}
		if shorten {
			brief := *sa
			brief.expires = now.Add(shortened(sa.expires.Sub(now), sa.Lifetime))
			sa = &brief
		}
		g.former = append(slices.Clip(g.former), former{sa, place})
	}
}

// still are the former SAs of a place that live, oldest first. With backward access control nobody is given them, nor those that are for
// other directions than the policy has now.
func (g *Group) still(now time.Time, place int) (sas []policy.TrafficSA) {
	for _, f := range g.former {
		converted := f.Transform.Direction != g.marked(g.cfg.SAs[place].Transform).Direction
		if f.place != place || g.cfg.Rekey.Backward || converted {
			continue
		}
		if sa := f.lasting(now); sa.Lifetime > 0 {
			sas = append(sas, g.stamp(now, sa))
		}
	}
	return sas
}

// dropFormers forgets the former SAs whose lifetime has ended.
func (g *Group) dropFormers(now time.Time) {
	g.former = slices.DeleteFunc(slices.Clone(g.former), func(f former) bool { return !now.Before(f.expires) })
}

const (
	leastShortened = 90 * time.Second
	mostShortened  = time.Hour
)

// shortened is how long a Data-Security SA lives on that an operator has replaced, if it has so long left of a lifetime: one twentieth
// of that, within limits.
func shortened(left, whole time.Duration) time.Duration {
	return min(left, max(leastShortened, min(whole/20, mostShortened)))
}

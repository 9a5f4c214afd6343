package kit

import (
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

// Against says that a foreign peer is on the other side in this spec. What is known to fail with it is expected, unless the device's
// manifest expects something of the spec itself.
func Against(f *peer.Foreign) { gathered().foreign = f }

// expectForeign applies what the description of a foreign peer expects of a spec.
func expectForeign(spec *verdict.Spec, f *peer.Foreign, now time.Time) {
	if f == nil || spec.Expected != nil {
		return
	}
	of := slices.IndexFunc(f.Expected, func(e peer.Expected) bool { return e.Of(spec.ID, spec.Requirements) })
	if of < 0 {
		return
	}
	e := expectation(f.Expected[of])
	e.Foreign = f.Name
	e.Judge(spec, f.Expected[of].LooksLike.MatchString, f.Expected[of].Expired(now))
}

// settleForeign says what became of what was expected of foreign peers. Of those that no spec met nothing is said.
func settleForeign(specs []verdict.Spec) (settled []verdict.Expectation) {
	places := make(map[string]bool)
	for _, s := range specs {
		if e := s.Expected; e != nil && e.Foreign != "" && !places[e.Place] {
			places[e.Place] = true
			settled = append(settled, e.Settle(specs, e.Spec != ""))
		}
	}
	return settled
}

package kit

import (
	"fmt"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

// expect applies what the device's manifest expects of a spec: what is said of the spec itself, or else of a requirement of
// it.
func expect(spec *verdict.Spec, now time.Time) {
	device, err := session.device()
	if err != nil {
		return
	}
	known := device.Known()
	of := slices.IndexFunc(known, func(e peer.Expected) bool { return e.Spec == spec.ID })
	if of < 0 {
		of = slices.IndexFunc(known, func(e peer.Expected) bool { return e.Of(spec.ID, spec.Requirements) })
	}
	if of >= 0 {
		e := known[of]
		expectation(e).Judge(spec, e.LooksLike.MatchString, e.Expired(now))
	}
}

// expectation is what a report says of an expected failure.
func expectation(e peer.Expected) verdict.Expectation {
	return verdict.Expectation{
		Spec: e.Spec, Requirement: e.Requirement, Verdict: verdict.Verdict(e.Verdict), LooksLike: e.LooksLike.String(),
		Why: e.Why, Owner: e.Owner, Until: e.UntilDay, Place: e.At, Outcome: verdict.NotSeen,
	}
}

// settle says what became of everything that the device's manifest expects.
func settle(specs []verdict.Spec) ([]verdict.Expectation, error) {
	device, err := session.device()
	if err != nil {
		return nil, err
	}
	var settled []verdict.Expectation
	for _, e := range device.Known() {
		settled = append(settled, expectation(e).Settle(specs, judgedAll(specs, e.Requirement)))
	}
	return settled, nil
}

// judgedAll reports whether every spec of a requirement came to a verdict about the device.
func judgedAll(specs []verdict.Spec, requirement string) bool {
	judged := make(map[string]bool)
	for _, s := range specs {
		judged[s.ID] = s.Verdict != verdict.Skipped && s.Verdict != verdict.Unsupported && s.Verdict != verdict.Error
	}
	for id, requirements := range claims {
		if slices.Contains(requirements, requirement) && !judged[id] {
			return false
		}
	}
	return true
}

// claims has the requirements of every spec there is, by id.
var claims = make(map[string][]string)

// checkExpected refuses an expectation of a spec that does not exist.
func checkExpected(device *peer.Manifest) error {
	var ids []string
	for id := range claims {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, e := range device.Expected {
		if e.Spec != "" && !slices.Contains(ids, e.Spec) {
			return fmt.Errorf("%s: an expected failure of a spec: %s", e.At, unknownID(e.Spec, ids))
		}
	}
	return nil
}

package verdict

import (
	"fmt"
	"slices"
)

// Outcome says what became of an expected failure.
type Outcome string

// The outcomes. Of an expectation about a requirement they are those of all its specs together, the worst first.
const (
	Met       Outcome = "met"       // it failed as expected
	Otherwise Outcome = "otherwise" // it failed, but not so
	Expired   Outcome = "expired"   // it failed as expected, but longer than it was to
	Passed    Outcome = "passed"    // it does not fail any more
	NotSeen   Outcome = "not-seen"  // no spec of it came to a verdict in this run
)

// Expectation is a failure that a device is known for, and what became of it.
type Expectation struct {
	Spec        string   `json:"spec,omitempty"` // id; else Requirement is set
	Requirement string   `json:"requirement,omitempty"`
	Verdict     Verdict  `json:"verdict"`    // fail or inconclusive
	LooksLike   string   `json:"looks_like"` // regular expression on the reason
	Why         string   `json:"why"`
	Owner       string   `json:"owner"`
	Until       string   `json:"until"`             // the last day on which it is expected
	Place       string   `json:"place"`             // in the manifest
	Foreign     string   `json:"foreign,omitempty"` // peer on the other side that is known for it, instead of the device
	Outcome     Outcome  `json:"outcome"`
	Specs       []string `json:"specs,omitempty"` // that decided about the outcome
}

// attention reports whether somebody has to look into it.
func (e Expectation) attention() bool {
	return e.Outcome == Otherwise || e.Outcome == Expired || e.Outcome == Passed
}

// Judge applies the expectation to the verdict of a spec that it is about: failing as expected, it gets a verdict of its own;
// failing otherwise, or for longer, it keeps its verdict with a reason that says so. matches reports whether the reason is as
// expected, expired whether the time is over.
func (e Expectation) Judge(s *Spec, matches func(reason string) bool, expired bool) {
	switch {
	case s.Verdict == Pass && e.Spec != "":
		e.Outcome, s.Verdict = Passed, UnexpectedPass
		s.Reason = fmt.Sprintf("it passes, though a failure is expected (%s): %s", e.Place, e.Why)
	case s.Verdict != Fail && s.Verdict != Inconclusive:
		return
	case s.Verdict != e.Verdict || !matches(s.Reason):
		e.Outcome = Otherwise
		s.Reason = fmt.Sprintf("%s; not the %s that is expected (%s): %s", s.Reason, e.Verdict, e.Place, e.LooksLike)
	case expired:
		e.Outcome = Expired
		s.Reason = fmt.Sprintf("%s; it was expected until %s only (%s)", s.Reason, e.Until, e.Place)
	default:
		e.Outcome, s.Verdict = Met, ExpectedFailure
		s.Reason = fmt.Sprintf("%s: %s; %s, until %s", e.Why, s.Reason, e.Owner, e.Until)
	}
	s.Expected = &e
}

// gravest orders outcomes of several specs. Passed comes last: a requirement fails if one of its specs does.
var gravest = []Outcome{Otherwise, Expired, Met}

// Settle says what became of the expectation in a run. whole reports whether the run had every spec of it: if not, nobody
// can say that a requirement does not fail any more.
func (e Expectation) Settle(specs []Spec, whole bool) Expectation {
	e.Outcome = NotSeen
	of := make(map[Outcome][]string)
	for _, s := range specs {
		switch {
		case s.Expected != nil && s.Expected.Place == e.Place:
			of[s.Expected.Outcome] = append(of[s.Expected.Outcome], s.ID)
		case s.Verdict == Pass && e.Requirement != "" && slices.Contains(s.Requirements, e.Requirement):
			of[Passed] = append(of[Passed], s.ID)
		}
	}
	for _, o := range gravest {
		if len(of[o]) > 0 {
			e.Outcome, e.Specs = o, of[o]
			return e
		}
	}
	if len(of[Passed]) > 0 && (whole || e.Spec != "") {
		e.Outcome, e.Specs = Passed, of[Passed]
	}
	return e
}

// String says what became of the expectation, in one line.
func (e Expectation) String() string {
	about := e.Spec + e.Requirement
	switch e.Outcome {
	case Met:
		return fmt.Sprintf("%s fails as expected until %s: %s (%s, %s)", about, e.Until, e.Why, e.Owner, e.Place)
	case Otherwise:
		return fmt.Sprintf("%s fails, but not as expected: %s (%s, %s)", about, e.Why, e.Owner, e.Place)
	case Expired:
		return fmt.Sprintf("%s was expected to fail until %s only: %s (%s, %s)", about, e.Until, e.Why, e.Owner, e.Place)
	case Passed:
		return fmt.Sprintf("%s does not fail any more as expected: %s (%s, %s)", about, e.Why, e.Owner, e.Place)
	}
	return fmt.Sprintf("%s was not seen in this run: %s (%s, %s)", about, e.Why, e.Owner, e.Place)
}

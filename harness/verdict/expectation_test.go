package verdict_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/verdict"
)

const aRequirement = "RFC6407-4.4-02"

func yes(string) bool { return true }
func no(string) bool  { return false }

// A spec that an expectation is about keeps its verdict, gets one of the two of its own, or says why not.
func TestJudgeExpectation(t *testing.T) {
	about := verdict.Expectation{Requirement: aRequirement, Verdict: verdict.Fail, Why: "bug 1", Owner: "me", Until: "2026-01-01", Place: "m.yaml:3:5"}
	for _, c := range []struct {
		verdict verdict.Verdict
		spec    bool // the expectation is about the spec itself
		matches func(string) bool
		expired bool
		want    verdict.Verdict
		outcome verdict.Outcome
		reason  string
	}{
		{verdict.Fail, false, yes, false, verdict.ExpectedFailure, verdict.Met, "bug 1: it broke; me, until 2026-01-01"},
		{verdict.Fail, false, yes, true, verdict.Fail, verdict.Expired, "it broke; it was expected until 2026-01-01 only (m.yaml:3:5)"},
		{verdict.Fail, false, no, false, verdict.Fail, verdict.Otherwise, "it broke; not the fail that is expected (m.yaml:3:5): "},
		{verdict.Inconclusive, false, yes, false, verdict.Inconclusive, verdict.Otherwise, "it broke; not the fail that is expected (m.yaml:3:5): "},
		{verdict.Pass, true, no, false, verdict.UnexpectedPass, verdict.Passed, "it passes, though a failure is expected (m.yaml:3:5): bug 1"},
		{verdict.Pass, false, no, false, verdict.Pass, "", "it broke"},
		{verdict.Error, true, yes, false, verdict.Error, "", "it broke"},
		{verdict.Unsupported, true, yes, false, verdict.Unsupported, "", "it broke"},
		{verdict.Skipped, true, yes, false, verdict.Skipped, "", "it broke"},
	} {
		e, s := about, verdict.Spec{ID: "a/b", Verdict: c.verdict, Reason: "it broke"}
		if c.spec {
			e.Spec, e.Requirement = "a/b", ""
		}
		e.Judge(&s, c.matches, c.expired)
		if s.Verdict != c.want || s.Reason != c.reason || (s.Expected == nil) != (c.outcome == "") {
			t.Errorf("%s: %s, %q", c.verdict, s.Verdict, s.Reason)
		}
		if s.Expected != nil && s.Expected.Outcome != c.outcome {
			t.Errorf("%s: %s", c.verdict, s.Expected.Outcome)
		}
	}
}

// The outcome of an expectation is the worst of its specs; that a requirement is kept, only a whole run can say.
func TestSettleExpectation(t *testing.T) {
	e := verdict.Expectation{Requirement: aRequirement, Place: "m.yaml:3:5", Why: "bug 1", Owner: "me", Until: "2026-01-01"}
	spec := func(id string, o verdict.Outcome) verdict.Spec {
		s := verdict.Spec{ID: id, Requirements: []string{aRequirement}, Verdict: verdict.Pass}
		if o != "" {
			s.Verdict, s.Expected = verdict.Fail, &verdict.Expectation{Place: e.Place, Outcome: o}
		}
		return s
	}
	for _, c := range []struct {
		specs []verdict.Spec
		whole bool
		want  verdict.Outcome
		of    []string
		says  string
	}{
		{[]verdict.Spec{spec("a", ""), spec("b", verdict.Met), spec("c", verdict.Met)}, true, verdict.Met, []string{"b", "c"}, "fails as expected until 2026-01-01"},
		{[]verdict.Spec{spec("a", verdict.Met), spec("b", verdict.Otherwise)}, true, verdict.Otherwise, []string{"b"}, "fails, but not as expected"},
		{[]verdict.Spec{spec("a", verdict.Met), spec("b", verdict.Expired)}, false, verdict.Expired, []string{"b"}, "was expected to fail until"},
		{[]verdict.Spec{spec("a", "")}, true, verdict.Passed, []string{"a"}, "does not fail any more"},
		{[]verdict.Spec{spec("a", "")}, false, verdict.NotSeen, nil, "was not seen"},
		{nil, true, verdict.NotSeen, nil, "was not seen"},
	} {
		got := e.Settle(c.specs, c.whole)
		if got.Outcome != c.want || !slices.Equal(got.Specs, c.of) || !strings.HasPrefix(got.String(), aRequirement+" "+c.says) {
			t.Errorf("%s: %+v", c.want, got)
		}
	}
}

// A failure that is expected is no failure of the run; one that does not come as expected is.
func TestExitWithExpectations(t *testing.T) {
	specs := runOf(verdict.Pass, verdict.ExpectedFailure).Specs
	for o, want := range map[verdict.Outcome]int{verdict.Met: 0, verdict.NotSeen: 0, verdict.Passed: 1, verdict.Otherwise: 1, verdict.Expired: 1} {
		r := verdict.Run{Specs: specs, Expectations: []verdict.Expectation{{Outcome: o}}}
		if got := r.Exit(); got != want {
			t.Errorf("%s: exit %d", o, got)
		}
	}
	if (&verdict.Run{Specs: runOf(verdict.ExpectedFailure).Specs}).Exit() != 1 || (&verdict.Run{Specs: runOf(verdict.Pass, verdict.UnexpectedPass).Specs}).Exit() != 1 {
		t.Error("nothing passed, or something did that was not to")
	}
}

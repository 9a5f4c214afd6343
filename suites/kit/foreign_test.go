package kit

import (
	"regexp"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

func TestExpectForeign(t *testing.T) {
	now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	f := &peer.Foreign{Name: "scapy", Expected: []peer.Expected{{At: "scapy.yaml:9", Spec: "interop/a", Verdict: "fail",
		LooksLike: regexp.MustCompile("no answer"), Why: "it has no ESN", Owner: "somebody", Until: now.AddDate(0, 0, 1)}}}
	for _, c := range []struct {
		name    string
		spec    verdict.Spec
		foreign *peer.Foreign
		want    verdict.Verdict
		outcome verdict.Outcome
	}{
		{"as expected", verdict.Spec{ID: "interop/a", Verdict: verdict.Fail, Reason: "no answer"}, f, verdict.ExpectedFailure, verdict.Met},
		{"otherwise", verdict.Spec{ID: "interop/a", Verdict: verdict.Fail, Reason: "two answers"}, f, verdict.Fail, verdict.Otherwise},
		{"no longer", verdict.Spec{ID: "interop/a", Verdict: verdict.Pass}, f, verdict.UnexpectedPass, verdict.Passed},
		{"another spec", verdict.Spec{ID: "interop/b", Verdict: verdict.Fail, Reason: "no answer"}, f, verdict.Fail, ""},
		{"nobody on the other side", verdict.Spec{ID: "interop/a", Verdict: verdict.Fail, Reason: "no answer"}, nil, verdict.Fail, ""},
		{"the device is known for it", verdict.Spec{ID: "interop/a", Verdict: verdict.ExpectedFailure, Expected: &verdict.Expectation{Outcome: verdict.Met}},
			f, verdict.ExpectedFailure, verdict.Met},
	} {
		spec := c.spec
		expectForeign(&spec, c.foreign, now)
		var outcome verdict.Outcome
		if spec.Expected != nil {
			outcome = spec.Expected.Outcome
		}
		if spec.Verdict != c.want || outcome != c.outcome {
			t.Errorf("%s: %s, %q: %s", c.name, spec.Verdict, outcome, spec.Reason)
		}
	}
}

func TestSettleForeign(t *testing.T) {
	met := &verdict.Expectation{Spec: "interop/a", Place: "scapy.yaml:9", Foreign: "scapy", Outcome: verdict.Met}
	settled := settleForeign([]verdict.Spec{
		{ID: "interop/a", Verdict: verdict.ExpectedFailure, Expected: met}, {ID: "interop/b", Verdict: verdict.Pass},
		{ID: "interop/c", Verdict: verdict.ExpectedFailure, Expected: &verdict.Expectation{Place: "device.yaml:1", Outcome: verdict.Met}},
	})
	if len(settled) != 1 || settled[0].Foreign != "scapy" || settled[0].Outcome != verdict.Met || len(settled[0].Specs) != 1 {
		t.Errorf("%+v", settled)
	}
}

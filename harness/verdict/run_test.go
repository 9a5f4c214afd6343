package verdict_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

// runOf is a run with specs of these verdicts, all of the same subject and requirement.
func runOf(verdicts ...verdict.Verdict) *verdict.Run {
	r := &verdict.Run{Tool: "gdoilab"}
	for i, v := range verdicts {
		r.Specs = append(r.Specs, verdict.Spec{ID: string(rune('a' + i)), Subject: "rekey", Requirements: []string{"RFC6407-4.4-02"}, Verdict: v,
			Reason: "because of " + string(v)})
	}
	return r
}

func TestExit(t *testing.T) {
	const (
		pass, fail, open   = verdict.Pass, verdict.Fail, verdict.Inconclusive
		lacks, skip, broke = verdict.Unsupported, verdict.Skipped, verdict.Error
	)
	for _, test := range []struct {
		run  *verdict.Run
		want int
	}{
		{runOf(pass), 0},
		{runOf(pass, lacks, skip), 0},
		{runOf(), 1},
		{runOf(lacks), 1},
		{runOf(skip, lacks), 1},
		{runOf(pass, fail), 1},
		{runOf(pass, open), 1},
		{runOf(pass, broke), 1},
		{runOf(pass, ""), 1},
		{&verdict.Run{Interrupted: true, Specs: runOf(pass).Specs}, 1},
	} {
		if got := test.run.Exit(); got != test.want {
			t.Errorf("%v: exit %d, want %d", verdict.Tally(test.run.Specs), got, test.want)
		}
	}
}

func TestTally(t *testing.T) {
	got := verdict.Tally(runOf(verdict.Pass, verdict.Pass, verdict.Skipped).Specs)
	want := map[verdict.Verdict]int{verdict.Pass: 2, verdict.Fail: 0, verdict.Inconclusive: 0, verdict.Error: 0, verdict.Unsupported: 0, verdict.Skipped: 1,
		verdict.ExpectedFailure: 0, verdict.UnexpectedPass: 0}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}

// A requirement has the worst verdict of its specs, but one that did not run takes nothing from one that passed.
func TestResults(t *testing.T) {
	c, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		verdicts []verdict.Verdict
		want     verdict.Verdict
	}{
		{[]verdict.Verdict{verdict.Pass, verdict.Fail, verdict.Error}, verdict.Fail},
		{[]verdict.Verdict{verdict.Pass, verdict.Error, verdict.Inconclusive}, verdict.Error},
		{[]verdict.Verdict{verdict.Inconclusive, verdict.Pass}, verdict.Inconclusive},
		{[]verdict.Verdict{verdict.Unsupported, verdict.Pass, verdict.Skipped}, verdict.Pass},
		{[]verdict.Verdict{verdict.Skipped, verdict.Unsupported}, verdict.Unsupported},
	} {
		results := runOf(test.verdicts...).Results(c)
		if len(results) != 1 || results[0].Verdict != test.want || results[0].Reason != "because of "+string(test.want) || len(results[0].Specs) != len(test.verdicts) {
			t.Errorf("%v: %+v", test.verdicts, results)
		}
	}
}

func TestResultsOrder(t *testing.T) {
	c, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	r := &verdict.Run{Specs: []verdict.Spec{
		{ID: "one", Requirements: []string{"ZZZ-1", "RFC6407-4.4-02", "AAA-1"}, Verdict: verdict.Pass},
		{ID: "two", Requirements: []string{"RFC6407-2-01", "RFC6407-2-01"}, Verdict: verdict.Pass}}}
	var ids []string
	for _, q := range r.Results(c) {
		ids = append(ids, q.ID)
		if known := strings.HasPrefix(q.ID, "RFC"); known != (q.Summary != "") || len(q.Specs) != 1 {
			t.Errorf("%+v", q)
		}
	}
	if want := []string{"RFC6407-2-01", "RFC6407-4.4-02", "AAA-1", "ZZZ-1"}; !reflect.DeepEqual(ids, want) {
		t.Errorf("%v, want %v", ids, want)
	}
}

func TestTableNamesWhatFailed(t *testing.T) {
	r := &verdict.Run{}
	for i := range 23 {
		r.Specs = append(r.Specs, verdict.Spec{ID: fmt.Sprint("rekey/", i), Subject: "rekey", Verdict: verdict.Fail, Reason: "it broke"},
			verdict.Spec{ID: fmt.Sprint("ack/", i), Subject: "ack", Verdict: verdict.Skipped, Reason: "no kernel"})
	}
	var b strings.Builder
	verdict.Table(&b, r)
	got := b.String()
	if !strings.Contains(got, "\nfail: rekey/0: it broke\n") || !strings.HasSuffix(got, "\nfail: rekey/19: it broke\nand 3 more\n") || strings.Contains(got, "kernel") {
		t.Error(got)
	}
}

func TestTable(t *testing.T) {
	r := &verdict.Run{Interrupted: true, Seconds: 12.345, Specs: []verdict.Spec{
		{Subject: "rekey", Verdict: verdict.Pass, Seconds: 1}, {Subject: "ack", Verdict: verdict.Skipped}, {Subject: "rekey", Verdict: verdict.Pass, Seconds: 0.5}}}
	var b strings.Builder
	verdict.Table(&b, r)
	want := `
┌─────────┬───────┬──────┬──────┬─────────┬─────────┐
│ subject │ specs │ pass │ fail │ skipped │ seconds │
├─────────┼───────┼──────┼──────┼─────────┼─────────┤
│ rekey   │     2 │    2 │    · │       · │    1.50 │
│ ack     │     1 │    · │    · │       1 │    0.00 │
├─────────┼───────┼──────┼──────┼─────────┼─────────┤
│ all     │     3 │    2 │    · │       1 │   12.35 │
└─────────┴───────┴──────┴──────┴─────────┴─────────┘
The run was interrupted; specs that had not run are missing.
`
	if got := "\n" + b.String(); got != want {
		t.Errorf("%s\nwant%s", got, want)
	}
}

// A failure that a foreign peer is known for takes nothing from a spec that passed, and is more than one that did not run.
func TestForeignFailureIsNotTheDevices(t *testing.T) {
	foreign := verdict.Spec{ID: "a/foreign", Requirements: []string{"R-1"}, Verdict: verdict.ExpectedFailure, Expected: &verdict.Expectation{Foreign: "scapy"}}
	own := verdict.Spec{ID: "a/own", Requirements: []string{"R-1"}, Verdict: verdict.ExpectedFailure, Expected: &verdict.Expectation{}}
	passed := verdict.Spec{ID: "a/passed", Requirements: []string{"R-1"}, Verdict: verdict.Pass}
	skipped := verdict.Spec{ID: "a/skipped", Requirements: []string{"R-1"}, Verdict: verdict.Skipped, Reason: "no kernel"}
	for _, c := range []struct {
		specs []verdict.Spec
		want  verdict.Verdict
		by    string
	}{
		{[]verdict.Spec{foreign, passed}, verdict.Pass, "a pass"}, {[]verdict.Spec{passed, foreign}, verdict.Pass, "a pass"}, {[]verdict.Spec{skipped, foreign}, verdict.ExpectedFailure, "the foreign one"},
		{[]verdict.Spec{passed, own, foreign}, verdict.ExpectedFailure, "the device's own"},
	} {
		results := (&verdict.Run{Specs: c.specs}).Results(&catalog.Catalog{})
		if len(results) != 1 || results[0].Verdict != c.want {
			t.Errorf("%+v, want %s by %s", results, c.want, c.by)
		}
	}
}

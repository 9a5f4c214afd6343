package verdict_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

// someMutants is a selftest in which each fate comes up.
func someMutants() *verdict.Selftest {
	var results []verdict.MutantResult
	for i, fate := range []verdict.Fate{verdict.Killed, verdict.Survived, verdict.Equivalent, verdict.Stale, verdict.Untried} {
		r := verdict.MutantResult{
			Mutant: verdict.Mutant{Guard: "guard." + string(fate), Mutation: "off", Requirement: "RFC6407-4.4-02", Role: "GM", Doc: "it holds"},
			Fate:   fate, Killers: []string{}, Noticed: []string{}, Ran: i, Specs: map[string]verdict.Verdict{"rekey/x": verdict.Pass},
		}
		switch fate {
		case verdict.Killed:
			r.Killers, r.Specs = []string{"rekey/x"}, map[string]verdict.Verdict{"rekey/x": verdict.Fail}
		case verdict.Survived:
			r.Evidence = "out/survivors/guard.survived=off"
		default:
			r.Reason = "the reason is " + string(fate)
		}
		results = append(results, r)
	}
	return verdict.NewSelftest(results)
}

func TestSelftestInReports(t *testing.T) {
	s := someMutants()
	if s.Mutants != 5 || s.Killed != 1 || s.Survived != 1 || s.Equivalent != 1 || s.Errors != 2 || s.OK() || len(s.Attention()) != 3 {
		t.Errorf("%+v", s)
	}
	files := written(t, t.TempDir(), &verdict.Run{Tool: "gdoilab", Selftest: s})
	validate(t, schema.Report, files[verdict.ReportJSON])
	page := string(files[verdict.ReportHTML])
	for _, want := range []string{"guard.survived=off", "out/survivors/guard.survived=off", "the reason is stale", "the reason is error"} {
		if strings.Count(page, want) == 0 {
			t.Errorf("the page has no %s", want)
		}
	}
	run, err := verdict.Read(bytes.NewReader(files[verdict.ReportJSON]))
	if err != nil || run.Selftest == nil || run.Selftest.Killed != 1 {
		t.Errorf("%+v, %v", run, err)
	}
}

// What is no report, or no selftest, is an error that says so.
func TestReadBroken(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "no report of a run: EOF",
		"{}":                 "no report of a run: it names no tool",
		`{"specs": 1}`:       "no report of a run: json: cannot unmarshal number",
		`{"tool":"x"} trash`: "",
	} {
		if _, err := verdict.Read(strings.NewReader(text)); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	s := someMutants()
	s.Killed = 2
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verdict.ReadSelftest(bytes.NewReader(text)); err == nil || !strings.Contains(err.Error(), "no result of a selftest") {
		t.Errorf("%v", err)
	}
}

// FuzzRead: reports and selftests of any octets are read or refused; what is read can be written again.
func FuzzRead(f *testing.F) {
	text, err := json.Marshal(someMutants())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"tool":"gdoilab","specs":[{"id":"a/b","verdict":"pass"}],"selftest":{"mutants":0}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if run, err := verdict.Read(bytes.NewReader(data)); err == nil {
			if _, err := json.Marshal(run); err != nil {
				t.Error(err)
			}
		}
		s, err := verdict.ReadSelftest(bytes.NewReader(data))
		if err == nil && s.Mutants != len(s.Results) {
			t.Errorf("%d mutants, %d results", s.Mutants, len(s.Results))
		}
	})
}

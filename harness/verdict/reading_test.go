package verdict_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

// withReadings is a run of three specs, two of which saw the same.
func withReadings() *verdict.Run {
	const last, first = "GETVPN-REKEY-13", "GETVPN-TIMER-03"
	run := runOf(verdict.Pass, verdict.Pass, verdict.Fail)
	for i, id := range []string{"a", "b", "c"} {
		run.Specs[i].ID = id
	}
	run.Specs[0].Readings = []verdict.Reading{{Requirement: last, Does: "sends 3 copies"}, {Requirement: first, Does: "3600 s"}}
	run.Specs[1].Readings = []verdict.Reading{{Requirement: last, Does: "sends 3 copies"}}
	run.Specs[2].Readings = []verdict.Reading{{Requirement: last, Does: "sends 1 copy"}}
	return run
}

// Readings stand in the order of the catalogue, each once with the specs that saw it, beside what the catalogue says is open.
func TestReadings(t *testing.T) {
	report, err := verdict.NewReport(withReadings())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range report.Readings {
		got = append(got, r.Requirement+" "+r.Does+" "+strings.Join(r.Specs, ","))
		if r.Ambiguity == "" {
			t.Errorf("%s: nothing is open", r.Requirement)
		}
	}
	want := []string{"GETVPN-TIMER-03 3600 s a", "GETVPN-REKEY-13 sends 1 copy c", "GETVPN-REKEY-13 sends 3 copies a,b"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestReadingsAreReported(t *testing.T) {
	dir, run := t.TempDir(), withReadings()
	report, err := verdict.NewReport(run)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Write(dir); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, verdict.ReportHTML))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<section id="readings">`, "sends 3 copies", "Contradiction inside the guide"} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("%q is not on the page", want)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, verdict.ReportJSON))
	if err != nil {
		t.Fatal(err)
	}
	validate(t, schema.Report, text)
	var terminal bytes.Buffer
	verdict.Table(&terminal, &report.Run)
	if !strings.Contains(terminal.String(), "reading: GETVPN-TIMER-03: 3600 s\n") {
		t.Error(terminal.String())
	}
}

// A run without readings has no section for them, and one that is redacted no key in them.
func TestReadingsLeftOut(t *testing.T) {
	run := withReadings()
	run.Redacted = true
	run.Specs[0].Readings[1].Does = "uses 000102030405060708090a0b0c0d0e0f"
	report, err := verdict.NewReport(run)
	if err != nil {
		t.Fatal(err)
	}
	if does := report.Readings[0].Does; strings.Contains(does, "0405") || !strings.Contains(run.Specs[0].Readings[1].Does, "0405") {
		t.Errorf("%q", does)
	}
	dir := t.TempDir()
	if page := written(t, dir, runOf(verdict.Pass))[verdict.ReportHTML]; bytes.Contains(page, []byte(`id="readings"`)) {
		t.Error("there are none")
	}
}

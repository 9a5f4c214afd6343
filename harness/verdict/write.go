package verdict

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gdoilab/gdoilab/harness/catalog"
)

// The reports of a run, in its folder.
const (
	ReportHTML  = "report.html"
	ReportJSON  = "report.json"
	ReportJUnit = "junit.xml"
)

// Report is the content of report.json: the run and what follows from it.
type Report struct {
	Run
	Coverage     Coverage `json:"coverage"`
	Requirements []Result `json:"requirements"`
}

// NewReport makes the report of a run: what report.json says, without secrets if the run is redacted. It fills in the
// run's Summary and its Readings.
func NewReport(r *Run) (*Report, error) {
	all, err := catalog.LoadAll()
	if err != nil {
		return nil, err
	}
	gdoi, err := catalog.Load()
	if err != nil {
		return nil, err
	}
	r.Summary = Tally(r.Specs)
	shown := *r
	if r.Redacted {
		shown = redactRun(r)
	}
	r.Readings, shown.Readings = r.readings(all), shown.readings(all)
	results := shown.Results(all)
	return &Report{Run: shown, Coverage: coverage(gdoi, results), Requirements: results}, nil
}

// WriteAll is NewReport, then Write.
func WriteAll(dir string, r *Run) error {
	report, err := NewReport(r)
	if err != nil {
		return err
	}
	return report.Write(dir)
}

// Write writes report.html, report.json and junit.xml into dir, which is made if it is missing. The page shows the
// conversation of each spec from the messages.json of its evidence folder, if there is one.
func (r *Report) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("verdict: %w", err)
	}
	for name, write := range map[string]func(io.Writer) error{
		ReportJSON:  func(w io.Writer) error { return writeIndented(w, r) },
		ReportJUnit: func(w io.Writer) error { return writeJUnit(w, &r.Run) },
		ReportHTML:  func(w io.Writer) error { return writeHTML(w, dir, r) },
	} {
		if err := writeFile(filepath.Join(dir, name), 0o644, write); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes a whole file or leaves none of that name half-written.
func writeFile(path string, mode fs.FileMode, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("verdict: %w", err)
	}
	b := bufio.NewWriter(f)
	err = write(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = f.Chmod(mode)
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("verdict: %s: %w", filepath.Base(path), err)
	}
	return nil
}

func writeIndented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

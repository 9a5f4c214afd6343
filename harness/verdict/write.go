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

// WriteAll writes report.html, report.json and junit.xml into dir, which is made if it is missing. It fills in the run's
// Summary. The page shows the conversation of each spec from the messages.json of its evidence folder, if there is one.
func WriteAll(dir string, r *Run) error {
	c, err := catalog.Load()
	if err != nil {
		return err
	}
	r.Summary = Tally(r.Specs)
	shown := *r
	if r.Redacted {
		shown = redactRun(r)
	}
	results := shown.Results(c)
	report := &Report{Run: shown, Coverage: coverage(c, results), Requirements: results}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("verdict: %w", err)
	}
	for name, write := range map[string]func(io.Writer) error{
		ReportJSON:  func(w io.Writer) error { return writeIndented(w, report) },
		ReportJUnit: func(w io.Writer) error { return writeJUnit(w, &report.Run) },
		ReportHTML:  func(w io.Writer) error { return writeHTML(w, dir, report) },
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

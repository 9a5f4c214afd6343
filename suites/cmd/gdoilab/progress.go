package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// outFolder makes the folder for a run. Without a name it is new, and out/latest points to it.
func outFolder(name string) (string, error) {
	if name != "" {
		return name, os.MkdirAll(name, 0o755)
	}
	base := filepath.Join("out", time.Now().UTC().Format("20060102T150405.000Z"))
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", fmt.Errorf("folder for the report: %w", err)
	}
	link, fresh := filepath.Join("out", "latest"), base+".link"
	if err := os.Symlink(filepath.Base(base), fresh); err != nil {
		return "", fmt.Errorf("folder for the report: %w", err)
	}
	if err := os.Rename(fresh, link); err != nil {
		return "", fmt.Errorf("%s is in the way: %w", link, err)
	}
	return base, nil
}

// progress prints one line a spec. On a terminal there is one line, written over again, and only what did not pass stays.
func progress(w io.Writer, redact bool) func(done, total int, s verdict.Spec) {
	f, isFile := w.(*os.File)
	terminal := isFile && term.IsTerminal(int(f.Fd()))
	return func(done, total int, s verdict.Spec) {
		if redact {
			s = s.Redacted()
		}
		line := fmt.Sprintf("[%*d/%d] %-12s %s", len(fmt.Sprint(total)), done, total, s.Verdict, s.ID)
		if terminal {
			fmt.Fprintf(w, "\r\x1b[K%.*s", max(narrowest, columns(w)-1), line)
			if s.Verdict == verdict.Pass && done < total {
				return
			}
		} else {
			fmt.Fprint(w, line)
		}
		fmt.Fprintln(w)
		if s.Reason != "" {
			fmt.Fprintf(w, "        %s\n", strings.ReplaceAll(s.Reason, "\n", "\n        "))
		}
	}
}

func summarize(out io.Writer, s kit.Session, report *verdict.Report, f runFlags) {
	fmt.Fprintln(out)
	verdict.Table(out, &report.Run)
	fmt.Fprintf(out, "%d specs on the %s fabric in %.1f s, seed %s.\n", len(report.Specs), report.Fabric, report.Seconds, report.Seed)
	if f.bare {
		return
	}
	where := s.Out
	if f.out == "" {
		where = filepath.Join("out", "latest")
	}
	fmt.Fprintf(out, "Report: %s   Evidence: %s\n", filepath.Join(where, verdict.ReportHTML), filepath.Join(where, "specs"))
}

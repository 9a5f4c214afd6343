package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// runFlags are the flags of "run".
type runFlags struct {
	fabric, filter, spec, seed, out string
	mutants                         []string
	redact, asJSON, failFast, bare  bool
	workers                         int
	lane                            string
}

func runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run",
		Short: "Run specs and write a report",
		Long: `Run the specs that a filter selects against the reference and write report.html, report.json, junit.xml and a
folder of evidence for each spec.

A filter is a Ginkgo label expression over these labels:
  subject:NAME   req:REQUIREMENT   dut:KS|GM|both   needs:WHAT   negative
for example  --filter 'subject:rekey && dut:GM'  or  --filter 'req:RFC6407-4.4-02'.

The fabric "memory" needs no privileges and has a virtual clock. "netns" has a network namespace for every node,
real sockets and a real IP stack; it needs root. "auto" takes netns where it can, and says so if not.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runSpecs(c.OutOrStdout(), c.ErrOrStderr(), f) },
	}
	c.Flags().StringVar(&f.fabric, "fabric", "memory", "what carries the packets: memory, netns or auto")
	c.Flags().StringVar(&f.filter, "filter", "", "label expression that selects specs")
	c.Flags().StringVar(&f.spec, "spec", "", "run the spec with this id")
	c.Flags().StringVar(&f.seed, "seed", "1", "decides everything random; the same seed gives the same capture on the memory fabric")
	c.Flags().StringVar(&f.out, "out", "", "folder for the report (default: a new folder in out/, which out/latest then points to)")
	c.Flags().BoolVar(&f.redact, "redact", false, "leave keys and secrets out of everything written")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print report.json instead of progress and table")
	c.Flags().BoolVar(&f.failFast, "fail-fast", false, "stop at the first failure")
	c.Flags().StringArrayVar(&f.mutants, "mutant", nil, "alter a guard of the device, as GUARD=off|up|down|broken (see selftest)")
	c.Flags().BoolVar(&f.bare, "no-evidence", false, "write nothing")
	c.Flags().IntVar(&f.workers, "workers", 0, "worker processes at once (default: what suits the fabric)")
	c.Flags().StringVar(&f.lane, "lane", "", "be a worker with this share of the specs, as I/N")
	_ = c.Flags().MarkHidden("no-evidence")
	_ = c.Flags().MarkHidden("lane")
	_ = c.RegisterFlagCompletionFunc("fabric", cobra.FixedCompletions([]string{"memory", "netns", "auto"}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("spec", completeSpecs)
	return c
}

func completeSpecs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	specs, err := kit.List("")
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	for _, s := range specs {
		ids = append(ids, s.ID+"\t"+s.Name)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

func runSpecs(out, errOut io.Writer, f runFlags) error {
	s, err := session(errOut, f)
	if err != nil {
		return err
	}
	if f.spec != "" && f.filter != "" {
		return errors.New("--spec and --filter exclude each other")
	}
	options := kit.Options{Filter: f.filter, Spec: f.spec, FailFast: f.failFast}
	if !f.asJSON {
		options.Progress = progress(errOut)
	}
	if f.lane != "" {
		return work(out, s, options, f.lane)
	}
	run, err := runAll(s, options, f)
	if err != nil {
		return err
	}
	run.Tool, run.Version, run.DUT = "gdoilab", version, deviceName(f)
	if !f.bare {
		if err := verdict.WriteAll(s.Out, run); err != nil {
			return err
		}
	}
	if f.asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(run)
	} else {
		summarize(out, s, run, f)
	}
	if code := run.Exit(); err == nil && code != 0 {
		return &exitError{code: code}
	}
	return err
}

// deviceName says what is under test.
func deviceName(f runFlags) string {
	if len(f.mutants) == 0 {
		return "reference"
	}
	return "reference with " + strings.Join(f.mutants, ", ")
}

func session(errOut io.Writer, f runFlags) (kit.Session, error) {
	s := kit.Session{Seed: f.seed, Redact: f.redact, Command: "gdoilab run"}
	for _, m := range f.mutants {
		guard, mutation, ok := strings.Cut(m, "=")
		if !ok {
			return s, fmt.Errorf("--mutant %s: want GUARD=off, up, down or broken", m)
		}
		s.Mutants = append(s.Mutants, lab.Mutant{Guard: guard, Mutation: mutation})
		s.Command += " --mutant " + m
	}
	if _, err := lab.Switches(s.Mutants); err != nil {
		return s, err
	}
	fabric, err := chooseFabric(errOut, f.fabric)
	if err != nil {
		return s, err
	}
	s.Fabric = fabric
	if !f.bare {
		s.Out, err = outFolder(f.out)
	}
	return s, err
}

// usable is a fabric that may lack privileges.
type usable interface{ Usable() error }

func chooseFabric(errOut io.Writer, name string) (lab.Fabric, error) {
	if name == "auto" {
		fabric, err := kit.FabricByName("netns")
		if u, ok := fabric.(usable); err == nil && ok {
			err = u.Usable()
		}
		if err == nil {
			return fabric, nil
		}
		fmt.Fprintf(errOut, "Using the memory fabric with its virtual clock: %v.\n", err)
		return lab.Memory{}, nil
	}
	fabric, err := kit.FabricByName(name)
	if err != nil {
		return nil, err
	}
	if u, ok := fabric.(usable); ok {
		err = u.Usable()
	}
	return fabric, err
}

// outFolder makes the folder for a run. Without a name it is new, and out/latest points to it.
func outFolder(name string) (string, error) {
	if name != "" {
		return name, os.MkdirAll(name, 0o755)
	}
	base := filepath.Join("out", time.Now().UTC().Format("20060102T150405.000Z"))
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", fmt.Errorf("folder for the report: %w", err)
	}
	link := filepath.Join("out", "latest")
	if err := os.Remove(link); err != nil && !os.IsNotExist(err) {
		return "", fmt.Errorf("%s is in the way: %w", link, err)
	}
	return base, os.Symlink(filepath.Base(base), link)
}

// progress prints one line a spec; on a terminal passed specs share one line.
func progress(w io.Writer) func(done, total int, s verdict.Spec) {
	f, isFile := w.(*os.File)
	tty := isFile && term.IsTerminal(int(f.Fd()))
	return func(done, total int, s verdict.Spec) {
		line := fmt.Sprintf("[%*d/%d] %-12s %s", len(fmt.Sprint(total)), done, total, s.Verdict, s.ID)
		if tty {
			fmt.Fprintf(w, "\r\x1b[K%.*s", 110, line)
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

func summarize(out io.Writer, s kit.Session, run *verdict.Run, f runFlags) {
	fmt.Fprintln(out)
	verdict.Table(out, run)
	if run.Interrupted {
		fmt.Fprintln(out, "Interrupted: only what had been done by then is reported.")
	}
	fmt.Fprintf(out, "%d specs on the %s fabric in %.1f s, seed %s.\n", len(run.Specs), run.Fabric, run.Seconds, run.Seed)
	if f.bare {
		return
	}
	where := s.Out
	if f.out == "" {
		where = filepath.Join("out", "latest")
	}
	fmt.Fprintf(out, "Report: %s   Evidence: %s\n", filepath.Join(where, verdict.ReportHTML), filepath.Join(where, "specs"))
}

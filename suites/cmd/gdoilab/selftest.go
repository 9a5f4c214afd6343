package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/suites/kit"
	"github.com/gdoilab/gdoilab/suites/selftest"
)

func selftestCommand() *cobra.Command {
	o := selftest.Options{Workers: runtime.NumCPU()}
	var asJSON bool
	var file string
	c := &cobra.Command{
		Use: "selftest [GUARD…]", Short: "Break the reference in one place at a time and see whether a spec notices",
		Long: `Switch off one guard of the reference, move one bound by one, shift one timer, or neglect one duty of a sender, at
a time, and run the specs that could notice on the memory fabric. Print which spec killed which mutant; fail if
one survives. With arguments only guards whose names begin so are altered. "gdoilab report" puts the JSON into the
report of a run.

Ctrl-C ends it in order; what was found out by then is printed and written.`,
		Example: `  gdoilab selftest member.push
  gdoilab selftest --whole --json member.push.seq`,
		ValidArgsFunction: completeGuards,
		RunE: func(c *cobra.Command, args []string) error {
			program, err := os.Executable()
			if err != nil {
				return err
			}
			if o.Specs, err = kit.List(""); err != nil {
				return err
			}
			o.Program, o.Guards = program, args
			if !asJSON {
				o.Progress = selftestProgress(c.ErrOrStderr())
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			matrix, err := selftest.Run(ctx, o)
			if err != nil {
				return err
			}
			if file != "" {
				if err := writeMatrix(file, matrix); err != nil {
					return err
				}
			}
			if asJSON {
				err = printJSON(c.OutOrStdout(), matrix)
			} else {
				printMatrix(c.OutOrStdout(), matrix)
			}
			if err == nil && !matrix.OK() {
				return &exitError{code: exitFailed}
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&file, "out", "", "also write the JSON to this file")
	c.Flags().StringVar(&o.Evidence, "evidence", "", "folder for what the specs saw of each mutant that survives")
	c.Flags().IntVar(&o.Workers, "workers", o.Workers, "worker processes at once")
	c.Flags().StringVar(&o.DUT, "dut", peer.DefaultName, "`MANIFEST` of the device whose guards are altered")
	_ = c.RegisterFlagCompletionFunc("dut", completeManifests)
	c.Flags().BoolVar(&o.Whole, "whole", false, "let every mutant meet every spec of its role, not only until one has killed it")
	return c
}

func writeMatrix(file string, m *verdict.Selftest) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := printJSON(f, m); err != nil {
		return err
	}
	return f.Close()
}

func selftestProgress(w io.Writer) func(done, total int, r verdict.MutantResult) {
	return func(done, total int, r verdict.MutantResult) {
		by := ""
		if len(r.Killers) > 0 {
			by = "by " + r.Killers[0]
		} else if r.Reason != "" {
			by = r.Reason
		}
		fmt.Fprintf(w, "[%*d/%d] %-10s %s %s\n", len(fmt.Sprint(total)), done, total, r.Fate, r.Name(), by)
	}
}

func printMatrix(w io.Writer, m *verdict.Selftest) {
	g := &grid{Header: []string{"mutant", "requirement", "outcome", "specs met", "s", "killed by"}, Wide: 5}
	for _, r := range m.Results {
		by := strings.Join(r.Killers, "\n")
		if by == "" {
			by = r.Reason
		}
		g.add(r.Name(), string(r.Requirement), string(r.Fate), strconv.Itoa(r.Ran), fmt.Sprintf("%.2f", r.Seconds), by)
	}
	g.render(w)
	if m.Interrupted {
		fmt.Fprintln(w, "The selftest was interrupted; mutants that had not met their specs are missing.")
	}
	fmt.Fprintf(w, "%d mutants: %d killed, %d survived, %d equivalent, %d errors, in %.1f s\n",
		m.Mutants, m.Killed, m.Survived, m.Equivalent, m.Errors, m.Seconds)
}

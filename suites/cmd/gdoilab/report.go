package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/verdict"
)

func reportCommand() *cobra.Command {
	var selftest string
	c := &cobra.Command{
		Use: "report DIR", Short: "Write the reports of a run again, with the proof that its verdicts can fail", Args: cobra.ExactArgs(1),
		Long: `Read report.json in the folder of a run and write report.html, report.json and junit.xml from it again. With
--selftest they also say what the specs said of each mutant of the reference: what "gdoilab selftest --out" wrote.`,
		Example: `  gdoilab run --out out/mine && gdoilab selftest --out out/selftest.json
  gdoilab report out/mine --selftest out/selftest.json`,
		RunE: func(c *cobra.Command, args []string) error { return rewrite(c.OutOrStdout(), args[0], selftest) },
	}
	c.Flags().StringVar(&selftest, "selftest", "", "`FILE` with the JSON of a selftest")
	_ = c.MarkFlagFilename("selftest", "json")
	return c
}

// rewrite makes the reports in a folder again.
func rewrite(out io.Writer, dir, selftest string) error {
	before, err := readFile(filepath.Join(dir, verdict.ReportJSON), verdict.Read)
	if err != nil {
		return err
	}
	if selftest != "" {
		if before.Selftest, err = readFile(selftest, verdict.ReadSelftest); err != nil {
			return err
		}
	}
	report, err := verdict.NewReport(&before.Run)
	if err != nil {
		return err
	}
	if err := report.Write(dir); err != nil {
		return err
	}
	fmt.Fprintln(out, "Report:", filepath.Join(dir, verdict.ReportHTML))
	return nil
}

// readFile reads a whole file; its errors name the file.
func readFile[T any](name string, read func(io.Reader) (*T, error)) (*T, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	v, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

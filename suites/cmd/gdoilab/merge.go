package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/suites/kit"
)

func mergeCommand() *cobra.Command {
	var to string
	c := &cobra.Command{
		Use: "merge DIR…", Short: "Join the shards of a run into one report", Args: cobra.MinimumNArgs(1),
		Long: `Read report.json in the folders of all shards of a run (run --shard) and write report.html, report.json and junit.xml
of the whole into another folder, with the evidence of every spec. Verdicts are those that one run of everything gives.

Shards of different versions, seeds, fabrics, devices, manifests or selections are refused, and so is a shard that is
missing or there twice. The exit status is that of the whole run.`,
		Example: `  gdoilab run --shard 1/2 --out out/1 && gdoilab run --shard 2/2 --out out/2
  gdoilab merge out/1 out/2 --out out/all`,
		RunE: func(c *cobra.Command, args []string) error { return merge(c.OutOrStdout(), args, to) },
	}
	c.Flags().StringVar(&to, "out", "", "folder for the report")
	_ = c.MarkFlagRequired("out")
	_ = c.MarkFlagDirname("out")
	return c
}

func merge(out io.Writer, dirs []string, to string) error {
	parts := make([]verdict.Part, len(dirs))
	for i, dir := range dirs {
		report, err := readFile(filepath.Join(dir, verdict.ReportJSON), verdict.Read)
		if err != nil {
			return err
		}
		if report.Version != version {
			return fmt.Errorf("%s is of version %s, and this is %s: what a requirement has for specs may differ", dir, report.Version, version)
		}
		parts[i] = verdict.Part{Name: dir, Run: &report.Run}
	}
	run, err := verdict.Merge(parts)
	if err != nil {
		return err
	}
	if err := kit.SettleMerged(run); err != nil {
		return err
	}
	if err := gatherEvidence(dirs, to); err != nil {
		return err
	}
	report, err := verdict.NewReport(run)
	if err != nil {
		return err
	}
	if err := report.Write(to); err != nil {
		return err
	}
	verdict.Table(out, &report.Run)
	fmt.Fprintf(out, "%d specs of %d shards.\nReport: %s\n", len(run.Specs), len(parts), filepath.Join(to, verdict.ReportHTML))
	if code := report.Exit(); code != 0 {
		return &exitError{code: code}
	}
	return nil
}

// evidenceFolder is where a run's folder has the evidence of its specs.
const evidenceFolder = "specs"

// gatherEvidence copies the evidence of all shards into one folder, which must not have any yet: what is left of another run would
// look like this one's.
func gatherEvidence(dirs []string, to string) error {
	into := filepath.Join(to, evidenceFolder)
	if _, err := os.Stat(into); err == nil {
		return fmt.Errorf("%s is there already; name another folder", into)
	}
	for _, dir := range dirs {
		if err := copyTree(filepath.Join(dir, evidenceFolder), into); err != nil {
			return fmt.Errorf("evidence of %s: %w", dir, err)
		}
	}
	return nil
}

// copyTree copies a folder with the modes of its files: keys are for nobody else's eyes. A folder that is not there is empty.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == from {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if e.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		return copyFile(path, target)
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/suites/kit"
	"github.com/gdoilab/gdoilab/suites/matrix"
)

// interopFlags are the flags of "interop".
type interopFlags struct {
	matrix.Options
	fabrics            []string
	exhaustive, asJSON bool
}

func interopCommand() *cobra.Command {
	var f interopFlags
	c := &cobra.Command{
		Use: "interop", Short: "Have every two peers meet and show what they came to", Args: cobra.NoArgs,
		Long: `Have every peer as a key server meet every peer as a member, on each fabric, and write a matrix: for Phase 1,
registration, rekey and data plane the verdict of the specs that are about two devices, with the capture, the log and
the reason of each. Peers are those with a manifest that is built in, or those that are named: manifests as
"run --dut" takes them, or IKE daemons (fixtures/peers/ike), which meet our own side of what they know, or hosts with
ESP (fixtures/peers/esp), which are given the group's keys.

A peer that is not on this machine is "absent", with what was looked for; what it does not do by its own declaration is
"unsupported", with the declaration; what no spec shows is "not-tried". Failures that its manifest expects stand in the
matrix as such.

The exit status is 1 if a pair fails otherwise, if an expectation did not come about, or if a peer is absent that was
named. Ctrl-C ends it in order, with what was found out by then.`,
		Example: `  sudo gdoilab interop
  sudo gdoilab interop --peers reference,my-router.yaml --fabric netns --out out/interop`,
		RunE: func(c *cobra.Command, _ []string) error { return interop(c, f) },
	}
	c.Flags().StringSliceVar(&f.Peers, "peers", nil, "`PEERS` that meet: manifests, or names of what is built in (default: all that are built in)")
	c.Flags().StringSliceVar(&f.fabrics, "fabric", []string{"auto"}, "`FABRICS` on which they meet: memory, netns, auto")
	c.Flags().StringVar(&f.Filter, "filter", "", "label expression that selects among the specs about two devices")
	c.Flags().BoolVar(&f.exhaustive, "exhaustive", false, "also every combination of algorithms")
	c.Flags().StringVar(&f.Seed, "seed", "1", "decides everything random")
	c.Flags().StringVar(&f.Out, "out", "", "folder for the matrix (default: a new folder in out/, which out/latest then points to)")
	c.Flags().BoolVar(&f.Redact, "redact", false, "leave keys and secrets out of everything written")
	c.Flags().IntVar(&f.Workers, "workers", 0, "worker processes at once (default: what suits the fabric)")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print interop.json instead of progress and table")
	_ = c.RegisterFlagCompletionFunc("peers", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return slices.Concat(peer.Builtin(), peer.Foreigners(), peer.ESPHosts()), cobra.ShellCompDirectiveDefault
	})
	_ = c.RegisterFlagCompletionFunc("fabric", completeFabrics)
	_ = c.RegisterFlagCompletionFunc("filter", completeLabels)
	_ = c.MarkFlagDirname("out")
	return c
}

func interop(c *cobra.Command, f interopFlags) error {
	if err := f.prepare(c.ErrOrStderr()); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	m, err := matrix.Run(ctx, f.Options)
	if err != nil {
		return err
	}
	m.Tool, m.Version = "gdoilab", version
	if err := m.Write(f.Out); err != nil {
		return err
	}
	if f.asJSON {
		err = printJSON(c.OutOrStdout(), m)
	} else {
		printInterop(c.OutOrStdout(), m)
		fmt.Fprintf(c.OutOrStdout(), "%s %.1f s, seed %s.\nMatrix: %s\n", m.Headline(), m.Seconds, m.Seed, filepath.Join(f.Out, verdict.MatrixHTML))
	}
	if code := m.Exit(); err == nil && code != 0 {
		return &exitError{code: code}
	}
	return err
}

// prepare checks everything that a user can get wrong before anything is run.
func (f *interopFlags) prepare(errOut io.Writer) (err error) {
	if _, err := strconv.ParseUint(f.Seed, 10, 64); err != nil {
		return fmt.Errorf("--seed %s: want a whole number", f.Seed)
	}
	if f.Workers < 0 {
		return fmt.Errorf("--workers %d: want 1 or more, or 0 for what suits the fabric", f.Workers)
	}
	if !f.exhaustive {
		f.Filter = strings.TrimPrefix(conjunction(f.Filter)+" && !exhaustive", " && ")
	}
	if _, err := kit.List(strings.TrimPrefix(conjunction(f.Filter)+" && /^scene:/", " && ")); err != nil {
		return err
	}
	if err := matrix.Check(f.Peers); err != nil {
		return err
	}
	if f.Fabrics, err = chooseFabrics(errOut, f.fabrics); err != nil {
		return err
	}
	if f.Program, err = os.Executable(); err != nil {
		return err
	}
	if !f.asJSON {
		f.Progress = interopProgress(errOut)
	}
	f.Out, err = outFolder(f.Out)
	return err
}

// conjunction is a filter that others can be added to.
func conjunction(filter string) string {
	if filter == "" {
		return ""
	}
	return "(" + filter + ")"
}

// chooseFabrics finds the fabrics, each once.
func chooseFabrics(errOut io.Writer, names []string) (all []lab.Fabric, err error) {
	seen := make(map[string]bool)
	for _, name := range names {
		fabric, err := chooseFabric(errOut, name)
		if err != nil {
			return nil, err
		}
		if !seen[fabric.Name()] {
			seen[fabric.Name()] = true
			all = append(all, fabric)
		}
	}
	return all, nil
}

// interopProgress prints one line a pair.
func interopProgress(w io.Writer) func(done, total int, c verdict.Cell) {
	return func(done, total int, c verdict.Cell) {
		var scenes []string
		for _, s := range c.Scenes {
			scenes = append(scenes, s.Scene+" "+string(s.Verdict))
		}
		fmt.Fprintf(w, "[%*d/%d] %s with %s on %s: %s\n", len(fmt.Sprint(total)), done, total, c.KS, c.GM, c.Fabric, strings.Join(scenes, ", "))
	}
}

func printInterop(w io.Writer, m *verdict.Matrix) {
	g := &grid{Header: []string{"fabric", "key server", "member", "phase 1", "registration", "rekey", "data plane"}, Wide: 2}
	for i := range m.Cells {
		c := &m.Cells[i]
		row := []string{c.Fabric, c.KS, c.GM}
		for _, s := range c.Scenes {
			row = append(row, string(s.Verdict))
		}
		g.add(row...)
	}
	g.render(w)
	for i := range m.Cells {
		c := &m.Cells[i]
		for _, line := range c.Complaints() {
			fmt.Fprintf(w, "%s with %s on %s: %s\n", c.KS, c.GM, c.Fabric, line)
		}
	}
	for _, p := range m.Peers {
		if p.Absent != "" {
			fmt.Fprintf(w, "absent: %s: %s\n", p.Name, p.Absent)
		}
	}
}

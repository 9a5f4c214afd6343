// Command gdoilab runs conformance specs for GDOI (RFC 6407) against a key server or a group member, and shows, explains
// and proves the verdicts. All suites are compiled in.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/harness/container"
	"github.com/gdoilab/gdoilab/reference/daemon"
	_ "github.com/gdoilab/gdoilab/suites/all" // the specs
)

// version is set by the linker.
var version = "dev"

// The exit codes: 0 every selected spec passed, failed as expected or was declared unsupported or skipped, and at least one
// passed; 1 not so; 2 bad usage or environment.
const (
	exitFailed = 1
	exitUsage  = 2
)

// exitError ends the program with a code, without a word more than what has been printed.
type exitError struct{ code int }

func (e *exitError) Error() string { return "" }

func main() {
	daemon.BecomeIfAsked()
	container.HoldIfAsked()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(800) // runs are short and small; collecting less often saves a tenth of their time
	}
	os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs the program and returns its exit code.
func execute(args []string, out, errOut io.Writer) int {
	c := root()
	c.SetArgs(args)
	c.SetOut(out)
	c.SetErr(errOut)
	err := c.ExecuteContext(context.Background())
	if err == nil {
		return 0
	}
	code := exitUsage
	var exit *exitError
	if errors.As(err, &exit) {
		code = exit.code
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(errOut, "gdoilab:", text)
	}
	return code
}

func root() *cobra.Command {
	c := &cobra.Command{
		Use:   "gdoilab",
		Short: "Conformance and interoperability tests for GDOI group key management",
		Long: `gdoilab proves whether a GDOI key server or group member does what RFC 6407 and its neighbours demand.

It plays the other side of the protocol against the device under test, breaks the rules on purpose, moves
group traffic, watches packets, syslog and counters, and writes a verdict for every requirement, each with
its evidence: capture, keys, log, seed and the command that repeats it.

Verdicts: pass, fail, inconclusive (the precondition was not reached), unsupported (the device declares that
it lacks the feature), skipped (the machine lacks something), error (a fault of ours), expected-failure (the
device fails as its manifest says), unexpected-pass (it does not any more).
Exit status: 0 if every selected spec passed, failed as expected or was declared unsupported or skipped, and at
least one passed; 1 if not; 2 for bad usage or environment.`,
		SilenceUsage: true, SilenceErrors: true,
		Version: version,
	}
	c.SetFlagErrorFunc(flagError)
	c.AddCommand(runCommand(), listCommand(), explainCommand(), decodeCommand(), diffCommand(), coverageCommand(), deviationsCommand(),
		selftestCommand(), reportCommand(), mergeCommand(), interopCommand(), peerCommand(), driverCommand(), doctorCommand(), versionCommand())
	return c
}

// flagError adds to the error of an unknown flag what may have been meant.
func flagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if near := catalog.Nearest(unknown.GetSpecifiedName(), names); len(near) > 0 {
		return fmt.Errorf("%w; did you mean --%s?", err, strings.Join(near, ", --"))
	}
	return fmt.Errorf("%w; \"%s --help\" shows what there is", err, c.CommandPath())
}

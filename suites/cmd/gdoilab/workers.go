package main

import (
	"os"
	"os/exec"
	"runtime"
	"slices"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// workersFor is how many processes suit a fabric. The memory fabric computes without a pause; on netns a spec mostly waits.
func workersFor(s kit.Session, f runFlags) int {
	switch {
	case f.spec != "" || f.failFast || oneBox(s.Device):
		return 1
	case f.workers > 0:
		return f.workers
	case s.Fabric.Name() == "memory":
		return runtime.NumCPU()
	default:
		return 6 * runtime.NumCPU()
	}
}

// oneBox reports whether the device is a router, which can be in one lab at a time.
func oneBox(device *peer.Manifest) bool {
	return device != nil && slices.ContainsFunc(device.Roles(), func(r *peer.Role) bool { return r.Router() != nil })
}

// runAll runs the specs here or in worker processes.
func runAll(s kit.Session, o kit.Options, f runFlags) (*verdict.Run, error) {
	workers := workersFor(s, f)
	if workers == 1 {
		return kit.Run(s, o)
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return kit.Spread(s, o, workers, func() *exec.Cmd {
		args := []string{"run", "--worker", "--claims", "--fabric", s.Fabric.Name(), "--dut", f.dut, "--dut-ks", f.dutKS, "--dut-gm", f.dutGM, "--filter", f.filter, "--seed", f.seed}
		if f.bare {
			args = append(args, "--no-evidence")
		} else {
			args = append(args, "--out", s.Out)
		}
		if f.shuffle {
			args = append(args, "--shuffle")
		}
		if f.redact {
			args = append(args, "--redact")
		}
		for _, m := range f.mutants {
			args = append(args, "--mutant", m)
		}
		return exec.Command(program, args...)
	})
}

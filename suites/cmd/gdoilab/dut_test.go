package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/cores"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// dead is a device that says nothing, whatever happens.
type dead struct{}

func (dead) Handle(time.Time, core.Event) []core.Effect { return nil }
func (dead) Deadline() (time.Time, bool)                { return time.Time{}, false }

// The command that the tests start is this program, so it has this core too.
var _ = cores.Register("dead", cores.Maker{
	KeyServer: func(policy.KeyServer, cores.Options) (core.Core, error) { return dead{}, nil },
	Member:    func(policy.Member, cores.Options) (core.Core, error) { return dead{}, nil },
})

// manifest writes one into a folder and returns its path.
func manifest(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "dut.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// altered is the reference's manifest with texts replaced.
func altered(t *testing.T, dir string, oldNew ...string) string {
	t.Helper()
	text := read(t, "../../../fixtures/peers/reference.yaml")
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(text, oldNew[i]) {
			t.Fatalf("%q does not stand there", oldNew[i])
		}
	}
	return manifest(t, dir, strings.NewReplacer(oldNew...).Replace(text))
}

// ran runs specs against a device and returns the report.
func ran(t *testing.T, dir, dut string, args ...string) (verdict.Report, said) {
	t.Helper()
	s := start(t, dir, append([]string{"run", "--dut", dut, "--json", "--out", "o"}, args...)...)
	validate(t, schema.Report, s.out)
	return decode[verdict.Report](t, s.out), s
}

// A device that is dead passes nothing, of all specs there are.
func TestDeadDevice(t *testing.T) {
	for _, name := range []string{"asked in vain", "black box"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			change := []string{"core: reference-ks", "core: dead", "core: reference-gm", "core: dead"}
			if name == "black box" {
				change = append(change, "    control:\n      unix: \"{{ .Dir }}/control\"\n", "", "    keylog:\n      file: \"{{ .Dir }}/keys.jsonl\"\n", "")
			}
			report, s := ran(t, dir, altered(t, dir, change...), "--redact")
			if s.code != 1 || len(report.Specs) < 900 {
				t.Errorf("exit %d, %d specs\n%s", s.code, len(report.Specs), s.err)
			}
			for _, spec := range report.Specs {
				switch spec.Verdict {
				case verdict.Pass, verdict.Error, verdict.ExpectedFailure, verdict.UnexpectedPass:
					t.Errorf("%s: %s %s", spec.ID, spec.Verdict, spec.Reason)
				case verdict.Unsupported:
					if name != "black box" {
						t.Errorf("%s: %s %s", spec.ID, spec.Verdict, spec.Reason)
					}
				}
			}
		})
	}
}

package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/verdict"
)

// pythonDriver is the manifest of the driver in another language.
const pythonDriver = "../../../fixtures/drivers/reference-python.yaml"

// needPython skips a test, with the reason, where the driver in Python cannot run.
func needPython(t *testing.T) {
	t.Helper()
	for _, program := range []string{"/usr/bin/python3", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
}

// "driver check" finds nothing wrong with the drivers that are shipped, nor with a process and a core.
func TestDriverCheck(t *testing.T) {
	dir := t.TempDir()
	core := manifest(t, dir, "name: x\nfeatures: ['*']\nroles:\n  KS: {core: reference-ks, control: {}, keylog: {}}\n  GM: {core: reference-gm}\n")
	for _, c := range []struct {
		name, manifest string
		kernel, python bool
		want           []string
	}{
		{"core", core, false, false, []string{
			"ok      KS  takes the trigger rekey       sequence number 1\n", "-       GM  tells its state               x as GM declares no control (" + core + ":5:7)\n"}},
		{"process", "reference", true, false, []string{"ok      KS  its program is there", "ok      GM  starts and stops again", "ok      GM  its log is read "}},
		{"driver", "reference-driver", true, false, []string{
			"ok      KS  says hello                    reference dev, version 1 of the contract\n", "ok      GM  has forgotten everything", "ok      GM  tells its state               1 SAs, from"}},
		{"Python", pythonDriver, true, true, []string{"ok      GM  says hello                    reference.py 1, version 1", "ok      KS  has forgotten everything"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.kernel {
				needRoot(t)
			}
			if c.python {
				needPython(t)
			}
			s := start(t, dir, "driver", "check", absolute(t, c.manifest))
			if s.code != 0 || s.err != "" || strings.Contains(s.out, "FAILED") {
				t.Errorf("exit %d: %s\n%s", s.code, s.err, s.out)
			}
			for _, want := range c.want {
				if !strings.Contains(s.out, want) {
					t.Errorf("%q is missing in\n%s", want, s.out)
				}
			}
		})
	}
}

// absolute is the path of a manifest that is a file, for a command in another folder.
func absolute(t *testing.T, manifest string) string {
	t.Helper()
	if !strings.HasSuffix(manifest, ".yaml") {
		return manifest
	}
	path, err := filepath.Abs(manifest)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// What is wrong is said in plain lines, and decides the exit code.
func TestDriverCheckFinds(t *testing.T) {
	dir := t.TempDir()
	silent := manifest(t, dir, "name: x\nfeatures: ['*']\nroles:\n  GM: {driver: {command: [/bin/sh, -c, 'echo no licence >&2; exit 3']}}\n")
	s := start(t, dir, "driver", "check", silent)
	if s.code != 1 || !strings.Contains(s.out, "FAILED  GM  says hello                    driver: x: hello: the driver ended; it printed last: no licence; exit status 3\n") ||
		strings.Contains(s.out, "is prepared") {
		t.Errorf("%+v", s)
	}
	if s := start(t, dir, "driver", "check", "example-cli"); s.code != 1 || !strings.Contains(s.out, "FAILED  KS  its program is there") {
		t.Errorf("%+v", s)
	}
	absent := manifest(t, dir, "name: x\nfeatures: ['*']\nroles:\n  GM: {driver: {command: [/no/such/driver]}}\n")
	if s := start(t, dir, "driver", "check", absent); s.code != 1 || !strings.Contains(s.out, "FAILED  GM  its program is there") {
		t.Errorf("%+v", s)
	}
	dead := manifest(t, dir, "name: x\nfeatures: ['*']\nroles: {GM: {core: dead}}\n")
	if s := start(t, dir, "driver", "check", dead); s.code != 1 || !strings.Contains(s.out, "FAILED  GM  finds together with a tester") {
		t.Errorf("%+v", s)
	}
	if s := start(t, dir, "driver", "check", "nobody"); s.code != 2 || !strings.Contains(s.err, "there is no manifest nobody") {
		t.Errorf("%+v", s)
	}
}

// Specs run through a driver like through anything else, of both languages, in each role.
func TestSpecsThroughDrivers(t *testing.T) {
	needRoot(t)
	for _, dut := range []string{"reference-driver", absolute(t, pythonDriver)} {
		if strings.HasSuffix(dut, ".yaml") {
			needPython(t)
		}
		report, s := ran(t, t.TempDir(), dut, "--fabric", "netns", "--filter", "subject:sequence || dut:both && subject:natt")
		if s.code != 0 || report.Summary[verdict.Pass] < 18 {
			t.Errorf("%s: exit %d, %v\n%s", dut, s.code, report.Summary, s.err)
		}
	}
}

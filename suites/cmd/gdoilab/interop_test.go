package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// Peers meet in both roles. What a manifest expects beside another one is judged there and nowhere else, and one that passes
// unexpectedly stands out and fails the matrix.
func TestInterop(t *testing.T) {
	dir := t.TempDir()
	const spec = "pairs/have-several-members-in-the-group-each-by-a-registration-of-its-own"
	other := altered(t, dir, "name: reference", "name: other\nexpected_failures:\n  - {spec: "+spec+
		`, with: reference, as: GM, looks_like: x, why: bug 4711, owner: o, until: "2999-12-31"}`)
	s := start(t, dir, "interop", "--peers", "reference,"+other, "--fabric", "memory", "--filter", "subject:pairs && !scene:dataplane", "--workers", "1", "--out", "o")
	text := read(t, dir, "o", verdict.MatrixJSON)
	validate(t, schema.Interop, text)
	m := decode[verdict.Matrix](t, text)
	if s.code != 1 || len(m.Cells) != 4 || !strings.Contains(s.out, "unexpected-pass: "+spec) || !strings.Contains(s.out, "1 of 4 pairs need attention.") {
		t.Errorf("%+v", s)
	}
	for _, c := range m.Cells {
		want := verdict.Pass
		if c.KS == "reference" && c.GM == "other" {
			want = verdict.UnexpectedPass
		}
		if c.Scenes[0].Verdict != verdict.Pass || c.Scenes[1].Verdict != want || c.Scenes[2].Verdict != verdict.Pass || c.Scenes[3].Verdict != verdict.NotTried {
			t.Errorf("%+v", c)
		}
		for _, scene := range c.Scenes {
			for _, one := range scene.Specs {
				for _, file := range []string{one.Capture, one.Log, strings.Split(one.Report, "#")[0]} {
					if _, err := os.Stat(filepath.Join(dir, "o", file)); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
	report := decode[verdict.Report](t, read(t, dir, "o", "pairs", "reference--other--memory", verdict.ReportJSON))
	validate(t, schema.Report, read(t, dir, "o", "pairs", "reference--other--memory", verdict.ReportJSON))
	if p := report.Peer; p == nil || p.Name != "reference with other" || len(p.Parts) != 2 || p.Parts[1].Name != "other" {
		t.Errorf("%+v", p)
	}
}

// An interrupted matrix has what was found out by then.
func TestInteropInterrupted(t *testing.T) {
	dir := t.TempDir()
	cmd := command(t.Context(), dir, "interop", "--peers", "reference", "--fabric", "memory", "--exhaustive", "--workers", "1", "--out", "o")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	begun := filepath.Join(dir, "o", "pairs", "reference--reference--memory", "specs")
	for end := time.Now().Add(time.Minute); time.Now().Before(end); pause() {
		if _, err := os.Stat(begun); err == nil {
			break
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	text := read(t, dir, "o", verdict.MatrixJSON)
	validate(t, schema.Interop, text)
	if m := decode[verdict.Matrix](t, text); cmd.ProcessState.ExitCode() != 1 || !m.Interrupted {
		t.Errorf("exit %d, %s", cmd.ProcessState.ExitCode(), m.Headline())
	}
}

func TestInteropUsage(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, c := range []struct{ args, want string }{
		{"--peers nobody", "there is no manifest nobody"},
		{"--peers reference,reference", "reference and reference are both called reference"},
		{"--fabric nets", `there is no fabric "nets"`},
		{"--filter subject:nothing", "no spec is selected"},
		{"--filter subject:sequence", "no spec is selected"}, // it is about one device
		{"--seed x", "--seed x: want a whole number"},
		{"--workers -1", "--workers -1: want 1 or more"},
		{"extra", `unknown command "extra"`},
	} {
		if s := call(append([]string{"interop"}, strings.Fields(c.args)...)...); s.code != 2 || !strings.Contains(s.err, c.want) {
			t.Errorf("%s: %+v", c.args, s)
		}
	}
	if !empty(t, dir) {
		t.Error("bad usage wrote something")
	}
}

// Every spec that names a foreign peer has its place in the matrix: it says which scene it shows.
func TestForeignPeersAreInTheMatrix(t *testing.T) {
	for _, name := range append(peer.Foreigners(), peer.ESPHosts()...) {
		beside := "beside:" + name
		all, err := kit.List(beside)
		if err != nil {
			t.Fatal(err)
		}
		placed, err := kit.List(beside + " && /^scene:/")
		if err != nil || len(placed) != len(all) {
			t.Errorf("%s: %d of %d specs, %v", name, len(placed), len(all), err)
		}
	}
}

package matrix

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// write makes a manifest and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const memberOnly = "name: member\nfeatures: ['*']\nroles:\n  GM: {core: reference-gm}\n"

func TestParties(t *testing.T) {
	all, err := parties(nil)
	if err != nil || len(all) != len(peer.Builtin())+len(peer.Foreigners())+len(peer.ESPHosts()) {
		t.Fatalf("%v, %v", all, err)
	}
	for _, p := range all {
		if p.Wanted || p.Name == "" || p.File == "" || len(p.Digest) != 64 || len(p.Roles) == 0 {
			t.Errorf("%+v", p)
		}
	}
	file := write(t, "x", strings.Replace(memberOnly, "name: member", "name: reference", 1))
	if err := Check([]string{"reference", file}); err == nil || !strings.Contains(err.Error(), "are both called reference") {
		t.Errorf("two of one name: %v", err)
	}
	if err := Check([]string{"nobody"}); err == nil || !strings.Contains(err.Error(), "there is no manifest nobody") {
		t.Errorf("%v", err)
	}
}

// Devices meet each other, daemons the reference.
func TestPairs(t *testing.T) {
	all, err := parties([]string{"reference", "reference-ios", "strongswan", "libreswan", "scapy"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range pairs(all, lab.Memory{}) {
		names = append(names, e.Name())
	}
	want := "reference--reference--memory reference--reference-ios--memory reference--strongswan--memory reference--libreswan--memory reference--scapy--memory " +
		"reference-ios--reference--memory reference-ios--reference-ios--memory strongswan--reference--memory libreswan--reference--memory"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("%s", got)
	}
}

// What cannot meet is decided without a run, each with what says so.
func TestNoEncounter(t *testing.T) {
	file := write(t, "member", memberOnly)
	absent := write(t, "absent", "name: absent\nfeatures: ['*']\nroles:\n  GM:\n    process: {command: [/no/such/program], ready: {port: udp/848}}\n")
	t.Setenv("GDOILAB_PEERS", t.TempDir())
	all, err := parties([]string{"reference", file, absent, "libreswan"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ks, gm int
		fabric lab.Fabric
		want   verdict.Verdict
		why    string
	}{
		{1, 0, lab.Memory{}, verdict.Unsupported, "member does not play the role KS ("},
		{0, 1, lab.Namespaces{}, verdict.Skipped, ", and member as GM is none"},
		{0, 2, lab.Namespaces{}, verdict.Absent, "/no/such/program"},
		{0, 3, lab.Namespaces{}, verdict.Absent, "libreswan is not installed ("},
	} {
		e := &encounter{Cell: verdict.NewCell("a", "b", "x"), ks: all[c.ks], gm: all[c.gm], fabric: c.fabric}
		if c.want == verdict.Absent && c.gm == 3 && all[3].Absent == "" {
			continue // it is installed on the machine itself
		}
		e.meet(t.Context(), Options{Program: "/no/such/gdoilab"})
		for _, s := range e.Scenes {
			if s.Verdict != c.want || !strings.Contains(s.Reason, c.why) || len(s.Specs) > 0 {
				t.Errorf("%+v", s)
			}
		}
	}
	if !strings.Contains(all[2].Absent, "/no/such/program") {
		t.Errorf("nobody is told who is absent: %+v", all[2])
	}
}

// A run that comes to no report is an error of ours, with what it said last.
func TestRunFails(t *testing.T) {
	script := filepath.Join(t.TempDir(), "gdoilab")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho first >&2\necho broken >&2\nexit 2\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	o := Options{Program: script, Peers: []string{"reference"}, Fabrics: []lab.Fabric{lab.Memory{}}, Seed: "1", Out: t.TempDir()}
	m, err := Run(t.Context(), o)
	if err != nil || len(m.Cells) != 1 || m.Interrupted || m.Exit() != 1 {
		t.Fatalf("%+v, %v", m, err)
	}
	if s := m.Cells[0].Scenes[0]; s.Verdict != verdict.Error || !strings.Contains(s.Reason, "exit status 2") || !strings.HasSuffix(s.Reason, "broken") {
		t.Errorf("%+v", s)
	}
	if m.Seed != "1" || !strings.Contains(m.Cells[0].Repeat, " --seed 1 ") {
		t.Errorf("%+v", m)
	}
	o.Redact = true
	if m, err := Run(t.Context(), o); err != nil || m.Seed != verdict.Withheld || !strings.Contains(m.Cells[0].Repeat, " --seed SEED ") {
		t.Errorf("redacted: %+v, %v", m, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if m, err := Run(ctx, o); err != nil || len(m.Cells) != 0 || !m.Interrupted {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestFilter(t *testing.T) {
	o := Options{Filter: "subject:a || subject:b"}
	if got := o.filter("dut:both"); got != "/^scene:/ && dut:both && (subject:a || subject:b)" {
		t.Error(got)
	}
	if got := repeat([]string{"run", "--filter", "a && b"}); got != "gdoilab run --filter 'a && b'" {
		t.Error(got)
	}
}

// A daemon's declaration is the place in its description that makes it one.
func TestNoGDOI(t *testing.T) {
	p, err := load("strongswan")
	if err != nil {
		t.Fatal(err)
	}
	if why := p.noGDOI(); why != "strongswan is described as an IKE daemon, which knows no GDOI (fixtures/peers/ike/strongswan.yaml:2:1)" {
		t.Error(why)
	}
	if _, _, err := (&party{manifest: &peer.Manifest{}}).missing(lab.Memory{}, rule.GM); err != nil {
		t.Error(err)
	}
}

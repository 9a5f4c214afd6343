package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

// timeless is a report without what the clock decides.
func timeless(r verdict.Report) verdict.Report {
	r.Start, r.Seconds = time.Time{}, 0
	for i := range r.Specs {
		r.Specs[i].Seconds = 0
	}
	return r
}

// Shards that are merged say what one run of the same says, to the verdict, the reason and the octet of a capture: also of failures
// that are expected of a requirement whose specs are in different shards.
func TestMergedIsTheWhole(t *testing.T) {
	dir := t.TempDir()
	dut := altered(t, dir, "name: reference", `name: other
expected_failures:
  - {requirement: RFC6407-4.4-02, looks_like: ".", why: w, owner: o, until: "2999-12-31"}
  - {requirement: RFC6407-4.4-03, looks_like: ".", why: w, owner: o, until: "2999-12-31"}`)
	args := []string{"run", "--dut", dut, "--mutant", "member.push.seq=off", "--filter", "subject:sequence || req:RFC6407-4.4-03"}
	start(t, dir, append(args, "--out", "whole")...)
	var parts []string
	for i, workers := range []string{"1", "2", "2"} {
		part := "part" + string(rune('1'+i))
		start(t, dir, append(args, "--out", part, "--workers", workers, "--shard", string(rune('1'+i))+"/3")...)
		validate(t, schema.Report, read(t, dir, part, verdict.ReportJSON))
		parts = append(parts, part)
	}
	s := start(t, dir, append(append([]string{"merge"}, parts...), "--out", "merged")...)
	text := read(t, dir, "merged", verdict.ReportJSON)
	validate(t, schema.Report, text)
	whole, merged := decode[verdict.Report](t, read(t, dir, "whole", verdict.ReportJSON)), decode[verdict.Report](t, text)
	if whole.Summary[verdict.ExpectedFailure] == 0 || whole.Summary[verdict.Pass] == 0 || s.code != whole.Exit() {
		t.Errorf("%v: %+v", whole.Summary, s)
	}
	if one, other := timeless(whole), timeless(merged); !reflect.DeepEqual(one, other) {
		t.Errorf("%+v\n\n%+v", one, other)
	}
	for _, file := range files(t, filepath.Join(dir, "whole", "specs")) {
		twin := strings.Replace(file, "/whole/", "/merged/", 1)
		if filepath.Base(file) == verdict.FileCapture && read(t, file) != read(t, twin) {
			t.Errorf("%s differs", twin)
		}
		if a, b := mode(t, file), mode(t, twin); a != b {
			t.Errorf("%s: mode %v, before %v", twin, b, a)
		}
	}
}

func mode(t *testing.T, file string) os.FileMode {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// What cannot be merged is said in one line, with exit 2 and nothing written.
func TestMergeRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, one := range [][]string{{"--shard", "1/2", "--out", "a"}, {"--shard", "2/2", "--out", "b"}, {"--shard", "2/2", "--seed", "2", "--out", "c"}, {"--out", "d"}} {
		if s := start(t, dir, append([]string{"run", "--workers", "1", "--filter", "subject:sequence"}, one...)...); s.code != 0 {
			t.Fatalf("%+v", s)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "full", "specs"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"a", `shard 2/2 is missing`},
		{"a a", `shard 1/2 is there twice, in a and in a`},
		{"a c", `a and c are not of one run: their seeds differ: 1 and 2`},
		{"a d", `d is no shard; it was run without --shard`},
		{"a b --out full", `full/specs is there already; name another folder`},
		{"a e", `e/report.json: no such file`},
	} {
		args := append([]string{"merge"}, strings.Fields(c.args)...)
		if !strings.Contains(c.args, "--out") {
			args = append(args, "--out", "o")
		}
		s := start(t, dir, args...)
		if s.code != 2 || !strings.Contains(s.err, c.want) || strings.Count(s.err, "\n") != 1 {
			t.Errorf("%s: %+v", c.args, s)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "o")); err == nil {
		t.Error("something was written")
	}
}

// Shards that no run can have are refused before anything is run.
func TestShardUsage(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ args, want string }{
		{"--shard 3/2", `"3/2" is no shard; write one such as 2/4`},
		{"--shard 1/100 --filter subject:sequence", "there are no 100 shards"},
		{"--shard 1/2 --spec " + oneSpec, "--shard and --spec exclude each other"},
		{"--costs x.json", "--costs says how to make shards; give --shard too"},
		{"--shard 1/2 --costs x.json", "x.json: no such file"},
	} {
		if s := start(t, dir, append([]string{"run"}, strings.Fields(c.args)...)...); s.code != 2 || !strings.Contains(s.err, c.want) {
			t.Errorf("%s: %+v", c.args, s)
		}
	}
}

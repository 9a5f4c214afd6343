package main

import (
	"bytes"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

const oneSpec = "sequence/drops-a-rekey-whose-seq-equals-the-last"

// One spec: what is printed, what is written, and that the report and the evidence follow their schemas.
func TestRunOne(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, "run", "--spec", oneSpec)
	if s.code != 0 || !strings.Contains(s.err, "[1/1] pass         "+oneSpec+"\n") || strings.ContainsAny(s.out+s.err, "\r\x1b") {
		t.Errorf("%+v", s)
	}
	for _, want := range []string{"1 specs on the memory fabric", "seed 1.", "Report: out/latest/report.html   Evidence: out/latest/specs"} {
		if !strings.Contains(s.out, want) {
			t.Errorf("%q is missing in\n%s", want, s.out)
		}
	}
	latest := filepath.Join(dir, "out", "latest")
	validate(t, schema.Report, read(t, latest, verdict.ReportJSON))
	if page := read(t, latest, verdict.ReportHTML); !strings.Contains(page, oneSpec) {
		t.Error("the page does not know the spec")
	}
	if units := read(t, latest, verdict.ReportJUnit); !strings.Contains(units, `tests="1"`) {
		t.Errorf("%s", units)
	}
	folder := filepath.Join(latest, "specs", filepath.FromSlash(oneSpec))
	validate(t, schema.Spec, read(t, folder, verdict.FileSpec))
	talk := read(t, folder, verdict.FileMessages)
	validate(t, schema.Decode, talk)
	for _, name := range []string{`"name":"ks"`, `"name":"gm1"`} {
		if !strings.Contains(talk, name) {
			t.Errorf("%s is not among the nodes: %.300s", name, talk)
		}
	}
	if report := decode[verdict.Report](t, read(t, latest, verdict.ReportJSON)); len(report.Specs) != 1 || report.Specs[0].Repeat !=
		"gdoilab run --fabric memory --seed 1 --spec "+oneSpec {
		t.Errorf("%+v", report.Specs)
	}
}

// The nodes of a lab have their own names, whoever of them is heard first.
func TestNodeNames(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, "run", "--filter", "subject:dataplane && dut:GM", "--out", "o", "--redact")
	if s.code != 0 {
		t.Fatalf("%+v", s)
	}
	names := regexp.MustCompile(`\{"address":"([^"]*)","name":"([^"]*)"`)
	want := map[string]string{}
	for _, file := range files(t, filepath.Join(dir, "o")) {
		if filepath.Base(file) != verdict.FileMessages {
			continue
		}
		for _, m := range names.FindAllStringSubmatch(read(t, file), -1) {
			if before := want[m[1]]; before != "" && before != m[2] {
				t.Errorf("%s is %s and %s", m[1], before, m[2])
			}
			want[m[1]] = m[2]
		}
	}
	for _, name := range []string{"ks", "gm1", "gm2", "h1", "h2"} {
		found := false
		for _, n := range want {
			found = found || n == name
		}
		if !found {
			t.Errorf("nobody is called %s: %v", name, want)
		}
	}
}

// A device that breaks a rule: exit 1, the verdict fail, its reason where it happened, and the command that repeats it.
func TestRunMutant(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, "run", "--filter", "subject:sequence", "--mutant", "member.push.seq=off", "--out", "o")
	if s.code != 1 || !strings.Contains(s.err, "fail         "+oneSpec) {
		t.Errorf("%+v", s)
	}
	report := decode[verdict.Report](t, read(t, dir, "o", verdict.ReportJSON))
	for _, spec := range report.Specs {
		if spec.ID != oneSpec {
			continue
		}
		if spec.Verdict != verdict.Fail || !strings.Contains(spec.Reason, ".go:") || !strings.Contains(spec.Repeat, " --mutant member.push.seq=off ") {
			t.Errorf("%+v", spec)
		}
	}
	if report.DUT != "reference with member.push.seq=off" || report.Summary[verdict.Pass] == 0 {
		t.Errorf("%+v", report)
	}
}

// An order that the seed decides: another one for another seed, the same for the same, and no other verdicts.
func TestShuffle(t *testing.T) {
	dir := t.TempDir()
	orders := make(map[string]string)
	for i, args := range [][]string{nil, {"--shuffle"}, {"--shuffle"}, {"--shuffle", "--seed", "2"}} {
		s := start(t, dir, append([]string{"run", "--filter", "subject:sequence", "--workers", "1", "--no-evidence"}, args...)...)
		if s.code != 0 || strings.Count(s.err, " pass ") != 17 {
			t.Fatalf("%+v", s)
		}
		orders[string(rune('0'+i))] = s.err
	}
	if orders["0"] == orders["1"] || orders["1"] != orders["2"] || orders["1"] == orders["3"] {
		t.Errorf("%q", orders)
	}
}

// --fail-fast ends after the first failure.
func TestFailFast(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, "run", "--filter", "subject:sequence && dut:GM", "--mutant", "member.push.seq=off", "--fail-fast", "--json")
	report := decode[verdict.Report](t, s.out)
	last := report.Summary
	if s.code != 1 || last[verdict.Fail] != 1 || report.Interrupted {
		t.Errorf("exit %d, %v, interrupted %v", s.code, last, report.Interrupted)
	}
}

// Specs that were only skipped prove nothing: exit 1, and the reason is said.
func TestRunSkipped(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, "run", "--filter", "needs:kernel", "--json", "--out", "o")
	validate(t, schema.Report, s.out)
	report := decode[verdict.Report](t, s.out)
	if s.code != 1 || report.Summary[verdict.Skipped] != len(report.Specs) || len(report.Specs) == 0 {
		t.Fatalf("exit %d, %v", s.code, report.Summary)
	}
	if !strings.Contains(report.Specs[0].Reason, "memory fabric") {
		t.Errorf("%q", report.Specs[0].Reason)
	}
	if s.out != read(t, dir, "o", verdict.ReportJSON) {
		t.Error("--json is not report.json")
	}
}

// One process or several: the same verdicts, the same evidence.
func TestWorkers(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"1", "3"} {
		if s := start(t, dir, "run", "--filter", "subject:sequence", "--workers", n, "--out", n); s.code != 0 {
			t.Errorf("%+v", s)
		}
	}
	same(t, filepath.Join(dir, "1"), filepath.Join(dir, "3"))
}

// On the memory fabric the same seed gives the same evidence for every spec, to the octet, and another seed another one.
func TestDeterminism(t *testing.T) {
	dir := t.TempDir()
	args := []string{"run", "--filter", "subject:sequence || subject:ack || subject:rekey"}
	for _, c := range []struct{ out, seed string }{{"a", "7"}, {"b", "7"}, {"c", "8"}} {
		if s := start(t, dir, append(args, "--out", c.out, "--seed", c.seed)...); s.code != 0 {
			t.Fatalf("%s%s", s.out, s.err)
		}
	}
	same(t, filepath.Join(dir, "a"), filepath.Join(dir, "b"))
	different := 0
	for name, text := range evidence(t, filepath.Join(dir, "a")) {
		if filepath.Base(name) == verdict.FileCapture && !bytes.Equal(text, evidence(t, filepath.Join(dir, "c"), name)[name]) {
			different++
		}
	}
	if different == 0 {
		t.Error("another seed gives the same captures")
	}
}

// evidence reads the files that depend on nothing but the seed; with names, only those.
func evidence(t *testing.T, out string, names ...string) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	if len(names) == 0 {
		for _, file := range files(t, out) {
			switch filepath.Base(file) {
			case verdict.FileCapture, verdict.FileKeys, verdict.FileSyslog:
				name, _ := filepath.Rel(out, file)
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = text
	}
	return all
}

// same compares the evidence in two folders.
func same(t *testing.T, a, b string) {
	t.Helper()
	left, right := evidence(t, a), evidence(t, b)
	if len(left) == 0 || len(left) != len(right) {
		t.Errorf("%d and %d files", len(left), len(right))
	}
	for name, text := range left {
		if !bytes.Equal(text, right[name]) {
			t.Errorf("%s differs", name)
		}
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// secret is a value in keys.json that nobody may see.
var secret = regexp.MustCompile(`"(?:skeyid(?:_[dae])?|cipher_key|first_iv|iv|key|integrity_key)": "([0-9a-f]{16,})"`)

// A redacted run writes no key of the run without redaction, in hexadecimal or as octets, not even when a device is broken
// and reasons are long.
func TestRedact(t *testing.T) {
	dir := t.TempDir()
	args := []string{"run", "--filter", "subject:sequence || subject:ack", "--mutant", "member.push.seq=off"}
	if s := start(t, dir, append(args, "--out", "open")...); s.code != 1 {
		t.Fatalf("%+v", s)
	}
	keys := make(map[string]bool)
	for _, file := range files(t, filepath.Join(dir, "open")) {
		if filepath.Base(file) == verdict.FileKeys {
			for _, m := range secret.FindAllStringSubmatch(read(t, file), -1) {
				keys[m[1]] = true
			}
		}
	}
	if len(keys) < 20 {
		t.Fatalf("only %d keys", len(keys))
	}
	s := start(t, dir, append(args, "--out", "shut", "--redact")...)
	if s.code != 1 || strings.Contains(s.out, "seed 1") {
		t.Fatalf("%+v", s)
	}
	reported := start(t, dir, append(args, "--json", "--redact", "--out", "json")...)
	validate(t, schema.Report, reported.out)
	texts := map[string]string{"stdout": s.out, "stderr": s.err, "--json": reported.out}
	for _, file := range files(t, filepath.Join(dir, "shut")) {
		texts[file] = read(t, file)
	}
	for name, text := range texts {
		lower := strings.ToLower(text)
		for key := range keys {
			raw, err := hex.DecodeString(key)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(lower, key) || strings.Contains(text, string(raw)) {
				t.Errorf("%s shows the key %s", name, key)
			}
		}
	}
}

func TestSelftest(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, "selftest", "member.push.seq", "--json", "--out", "m.json")
	if s.code != 0 || s.err != "" || s.out != read(t, dir, "m.json") {
		t.Errorf("%+v", s)
	}
	validate(t, schema.Selftest, s.out)
	m := decode[verdict.Selftest](t, s.out)
	if m.Killed != m.Mutants || m.Mutants == 0 || m.Interrupted {
		t.Errorf("%+v", m)
	}
	s = start(t, dir, "selftest", "member.push.seq")
	if s.code != 0 || !strings.Contains(s.err, "killed     member.push.seq=off by ") || !strings.Contains(s.out, "0 survived") {
		t.Errorf("%+v", s)
	}
}

// The result of a selftest becomes part of the reports of a run, which stay what they were otherwise.
func TestReport(t *testing.T) {
	dir := t.TempDir()
	if s := start(t, dir, "run", "--filter", "req:RFC6407-4.4-02 && dut:GM", "--out", "run"); s.code != 0 {
		t.Fatalf("%+v", s)
	}
	before := decode[verdict.Report](t, read(t, dir, "run", verdict.ReportJSON))
	if s := start(t, dir, "selftest", "member.push.seq", "--out", "m.json", "--evidence", "survivors"); s.code != 0 {
		t.Fatalf("%+v", s)
	}
	s := start(t, dir, "report", "run", "--selftest", "m.json")
	if s.code != 0 || s.out != "Report: run/report.html\n" || s.err != "" {
		t.Errorf("%+v", s)
	}
	text := read(t, dir, "run", verdict.ReportJSON)
	validate(t, schema.Report, text)
	after := decode[verdict.Report](t, text)
	if after.Selftest == nil || after.Selftest.Killed == 0 || len(after.Specs) != len(before.Specs) || !reflect.DeepEqual(after.Coverage, before.Coverage) {
		t.Errorf("%+v", after.Selftest)
	}
	if page := read(t, dir, "run", verdict.ReportHTML); !strings.Contains(page, "member.push.seq=off") {
		t.Error("the page does not show the mutants")
	}
	if _, err := os.Stat(filepath.Join(dir, "survivors")); err == nil {
		t.Error("there is evidence, though no mutant survived")
	}
	for _, c := range []struct{ dir, file, want string }{
		{"nowhere", "m.json", "nowhere/report.json: no such file"},
		{"run", "nothing.json", "nothing.json: no such file"},
		{"run", "run/report.json", `run/report.json: no result of a selftest: json: unknown field "tool"`},
	} {
		if s := start(t, dir, "report", c.dir, "--selftest", c.file); s.code != 2 || !strings.Contains(s.err, c.want) {
			t.Errorf("%+v: %+v", c, s)
		}
	}
}

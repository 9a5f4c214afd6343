package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/pcapdiff"
)

const recorded = "../../../pcaps/"

// The exit status says whether something differs, and the keys beside a capture are found.
func TestDiff(t *testing.T) {
	same := call("diff", recorded+"registration", recorded+"registration/capture.pcapng")
	if same.code != 0 || !strings.Contains(same.out, "no difference in ") || strings.Contains(same.out, "closed") {
		t.Errorf("%+v", same)
	}
	other := call("diff", recorded+"rekey", recorded+"acknowledgement")
	if other.code != 1 || other.err != "" || !strings.Contains(other.out, "touches RFC") {
		t.Errorf("%+v", other)
	}
	asJSON := call("diff", "--json", recorded+"rekey", recorded+"acknowledgement")
	validate(t, schema.Diff, asJSON.out)
	if r := decode[pcapdiff.Report](t, asJSON.out); asJSON.code != 1 || len(r.Differences) == 0 || len(r.Differences[0].Frames) == 0 {
		t.Errorf("%+v", asJSON)
	}
	validate(t, schema.Diff, call("diff", "--json", recorded+"rekey", recorded+"rekey").out)
}

// Another seed changes the octets of every recorded conversation, and nothing that counts.
func TestDiffOfSeeds(t *testing.T) {
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| `([^`]+)` \\|").FindAllStringSubmatch(read(t, recorded, "README.md"), -1)
	if len(rows) < 20 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		t.Run(row[1], func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			if s := start(t, out, "run", "--spec", row[2], "--seed", "2", "--out", out, "--json"); s.code != 0 {
				t.Fatalf("%+v", s)
			}
			s := call("diff", recorded+row[1], filepath.Join(out, "specs", row[2]))
			if s.code != 0 || !strings.Contains(s.out, "no difference in ") || strings.Contains(s.out, "closed") {
				t.Errorf("%+v", s)
			}
			if read(t, recorded, row[1], "capture.pcapng") == read(t, out, "specs", row[2], "capture.pcapng") {
				t.Error("the seed decides nothing")
			}
		})
	}
}

// Without keys everything behind Phase 1 stays closed, and that is said.
func TestDiffWithoutKeys(t *testing.T) {
	folder := t.TempDir()
	text, err := os.ReadFile(recorded + "registration/capture.pcapng")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "capture.pcapng")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if s := call("diff", file, file); s.code != 0 || !strings.Contains(s.out, "stayed closed in both") {
		t.Errorf("%+v", s)
	}
	if s := call("diff", file, recorded+"registration"); s.code != 1 || !strings.Contains(s.out, "no key opens it in A, opened in B") {
		t.Errorf("%+v", s)
	}
	if s := call("diff", file, file, "--keys-a", recorded+"registration/keys.json", "--keys-b", recorded+"registration/keys.json"); s.code != 0 || strings.Contains(s.out, "closed") {
		t.Errorf("%+v", s)
	}
}

// A file that cannot be compared is an error that names it, never a capture without differences.
func TestDiffOfNothing(t *testing.T) {
	folder := t.TempDir()
	write := func(name string, text []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole, err := os.ReadFile(recorded + "registration/capture.pcapng")
	if err != nil {
		t.Fatal(err)
	}
	noKeys, err := json.Marshal("nothing")
	if err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"no file":        {filepath.Join(folder, "missing"), recorded + "registration"},
		"no capture":     {write("text", []byte("hello, this is no capture")), recorded + "registration"},
		"broken off":     {write("cut", whole[:len(whole)-7]), recorded + "registration"},
		"empty":          {write("empty", whole[:52]), recorded + "registration"},
		"keys of no use": {recorded + "registration", recorded + "registration", "--keys-a", write("keys", noKeys)},
		"one capture":    {recorded + "registration"},
	} {
		if s := call(append([]string{"diff"}, args...)...); s.code != 2 || s.err == "" {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Bad usage and a bad environment end with 2 and one line that says what was wrong, and what was probably meant; nothing
// is written.
func TestBadUsage(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	const seq = "sequence/drops-a-rekey-whose-seq-equals-the-last"
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"rn"}, `unknown command "rn" for "gdoilab"`},
		{[]string{"run", "--fabrc", "memory"}, "unknown flag: --fabrc; did you mean --fabric?"},
		{[]string{"list", "--nothing-like-it"}, `unknown flag: --nothing-like-it; "gdoilab list --help" shows what there is`},
		{[]string{"run", "extra"}, `unknown command "extra" for "gdoilab run"`},
		{[]string{"run", "--fabric", "nets"}, `there is no fabric "nets"; there are: memory, netns, auto`},
		{[]string{"run", "--spec", "sequence/drops-a-rekey-whose-sec-equals-the-last"}, "did you mean " + seq},
		{[]string{"run", "--spec", "SEQ-equals-the-last"}, "did you mean " + seq},
		{[]string{"run", "--spec", "☃"}, `there is none called "☃"; "gdoilab list" shows them`},
		{[]string{"run", "--spec", seq, "--filter", "negative"}, "--spec and --filter exclude each other"},
		{[]string{"run", "--spec", seq, "--spec", seq}, "it is given already; --filter selects several specs"},
		{[]string{"peer", "chekc", "x.yaml"}, `unknown command "chekc" for "gdoilab peer"`},
		{[]string{"run", "--filter", "subject:nothing"}, `no spec is selected: the filter "subject:nothing" matches none`},
		{[]string{"list", "--filter", "subject:nothing"}, "no spec is selected"},
		{[]string{"run", "--filter", "dut:KS &&"}, `the filter "dut:KS &&" is no label expression: Unexpected EOF.`},
		{[]string{"list", "--filter", "(a"}, "Mismatched '('"},
		{[]string{"run", "--filter", "req:RFC6407-4.4-2"}, "did you mean RFC6407-4.4-02,"},
		{[]string{"run", "--seed", "twelve"}, "--seed twelve: want a whole number"},
		{[]string{"run", "--workers", "-1"}, "--workers -1: want 1 or more"},
		{[]string{"run", "--workers", "many"}, `invalid argument "many" for "--workers" flag`},
		{[]string{"run", "--mutant", "member.push.seq"}, "want GUARD="},
		{[]string{"run", "--mutant", "member.push.sec=off"}, `there is no guard "member.push.sec"; did you mean member.push.se`},
		{[]string{"run", "--mutant", "☃=off"}, `there is no guard "☃"`},
		{[]string{"run", "--mutant", "member.push.seq=on"}, `"on" is no mutation`},
		{[]string{"explain"}, "accepts 1 arg(s), received 0"},
		{[]string{"explain", "RFC6407-4.4-2"}, "there is no requirement RFC6407-4.4-2; did you mean RFC6407-4.4-02,"},
		{[]string{"explain", "☃"}, "there is no requirement ☃"},
		{[]string{"coverage", "--specs", "--missing"}, "none of the others can be"},
		{[]string{"selftest", "membr.push.seq"}, "did you mean member.push.seq,"},
		{[]string{"selftest", "☃"}, "no guard's name begins with ☃"},
		{[]string{"decode", "no-such-file"}, "no-such-file: no such file"},
	} {
		s := call(c.args...)
		if s.code != 2 || !strings.Contains(s.err, c.want) || !strings.HasPrefix(s.err, "gdoilab: ") || s.out != "" {
			t.Errorf("gdoilab %q: exit %d\n%s\nwant %s", c.args, s.code, s.out+s.err, c.want)
		}
	}
	if !empty(t, dir) {
		t.Error("bad usage wrote something")
	}
}

// Without privileges the netns fabric is an error of the environment, and "auto" says what it takes instead.
func TestUnprivileged(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("needs a user other than root")
	}
	s := start(t, t.TempDir(), "run", "--fabric", "netns")
	if s.code != 2 || !strings.Contains(s.err, "the netns fabric needs root") {
		t.Errorf("%+v", s)
	}
	s = start(t, t.TempDir(), "run", "--fabric", "auto", "--filter", "subject:sequence")
	if s.code != 0 || !strings.Contains(s.err, "Using the memory fabric with its virtual clock: the netns fabric needs root.") {
		t.Errorf("%+v", s)
	}
}

// A folder that cannot be made is told before a spec runs.
func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{"file", "file/below"} {
		s := start(t, dir, "run", "--filter", "subject:sequence", "--out", out)
		if s.code != 2 || !strings.Contains(s.err, "not a directory") || strings.Contains(s.err, "pass") {
			t.Errorf("%s: %+v", out, s)
		}
	}
}

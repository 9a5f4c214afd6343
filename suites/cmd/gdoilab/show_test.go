package main

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// widest is the width in characters of the longest line.
func widest(text string) int {
	most := 0
	for line := range strings.Lines(text) {
		most = max(most, utf8.RuneCountInString(strings.TrimRight(line, "\n")))
	}
	return most
}

func TestList(t *testing.T) {
	all := call("list")
	if all.code != 0 || !strings.Contains(all.out, "sequence/drops-a-rekey-whose-seq-equals-the-last") {
		t.Fatalf("%+v", all)
	}
	negative := call("list", "--filter", "negative && subject:sequence", "--json")
	validate(t, schema.List, negative.out)
	for _, s := range decode[listJSON](t, negative.out).Specs {
		if !s.Negative || s.Subject != "sequence" || s.ID == "" || s.Name == "" || len(s.Requirements) == 0 {
			t.Errorf("%+v", s)
		}
	}
	validate(t, schema.List, call("list", "--json").out)
}

// Every spec names requirements of the catalogue, a subject and a role.
func TestListIsComplete(t *testing.T) {
	requirements, err := catalog.LoadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range decode[listJSON](t, call("list", "--json").out).Specs {
		for _, id := range s.Requirements {
			if _, err := requirements.Find(id); err != nil {
				t.Errorf("%s: %v", s.ID, err)
			}
		}
		if s.Subject == "" || s.ID != strings.ToLower(s.ID) {
			t.Errorf("%+v", s)
		}
	}
}

// Tables and sentences keep to the width of the terminal, here as COLUMNS says it, and lose nothing by it.
func TestWidth(t *testing.T) {
	for _, args := range [][]string{
		{"list"}, {"coverage"}, {"coverage", "--sections"}, {"coverage", "--specs"}, {"coverage", "--missing"}, {"coverage", "--places"},
		{"coverage", "--catalogue", "juniper"}, {"deviations"}, {"explain", "RFC6407-4.4-02"},
	} {
		wide := call(args...)
		t.Setenv("COLUMNS", "80")
		narrow := call(args...)
		t.Setenv("COLUMNS", "")
		if narrow.code != 0 || widest(narrow.out) > 80 {
			t.Errorf("gdoilab %q: exit %d, %d columns\n%.2000s", args, narrow.code, widest(narrow.out), narrow.out)
		}
		if args[0] == "coverage" && letters(wide.out) != letters(narrow.out) && len(letters(wide.out)) != len(letters(narrow.out)) {
			t.Errorf("gdoilab %q loses something in 80 columns", args)
		}
	}
}

// letters leaves out what wrapping may change.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\n' || r == '─' {
			return -1
		}
		return r
	}, text)
}

func TestFold(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"short", "short"},
		{"drops-a-rekey-of", "drops-a-\nrekey-of"},
		{"one two three", "one two\nthree"},
		{"abcdefghijklmnop", "abcdefghij\nklmnop"},
		{"1234567890\nabc/defghijkl", "1234567890\nabc/defghi\njkl"},
		{"größer-als-zehn", "größer-\nals-zehn"},
	} {
		if got := fold(c.in, 10); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestExplain(t *testing.T) {
	s := call("explain", "RFC6407-4.4-02")
	for _, want := range []string{"RFC 6407 §4.4", "MUST", "binds GM", "How it can be tested:", "Tested by:\n", "  member.push.seq\n"} {
		if s.code != 0 || !strings.Contains(s.out, want) {
			t.Errorf("%q is missing: %+v", want, s)
		}
	}
	s = call("explain", "RFC6407-4.4-02", "--json")
	validate(t, schema.Explain, s.out)
	if x := decode[explainJSON](t, s.out); x.Requirement.ID != "RFC6407-4.4-02" || len(x.Specs) == 0 || len(x.Guards) != 1 {
		t.Errorf("%+v", x)
	}
}

func TestExplainMessage(t *testing.T) {
	s := call("explain", "GDOI-GM_REGISTER")
	for _, want := range []string{"facility CRYPTO", "severity 5", "told by a member", "%CRYPTO-5-GM_REGSTER", "A line of a device:"} {
		if s.code != 0 || !strings.Contains(s.out, want) {
			t.Errorf("%q is missing: %+v", want, s)
		}
	}
	s = call("explain", "TRANSERR", "--json")
	validate(t, schema.Messages, "["+s.out+"]")
	if s = call("explain", "GM_REGSITER"); s.code == 0 || !strings.Contains(s.err, "did you mean GM_REGISTER") {
		t.Errorf("%+v", s)
	}
}

// An entry of a guide is shown with its numbers, one row a line, and what it leaves open.
func TestExplainGuide(t *testing.T) {
	for id, wants := range map[string][]string{
		"GETVPN-KEK-04":   {"Numbers of the text:\n  {\"gms\":0,", "\n  {\"gms\":1000,", "KEK rekey behaviour"},
		"GETVPN-TIMER-03": {"  {\"default_task_section\":3600,\"default_timer_section\":86400}", "What the text leaves open, and what is accepted:"},
		"GETVPN-MTU-05":   {"See also:\n  GETVPN-TBAR-24"},
	} {
		s := call("explain", id)
		for _, want := range wants {
			if s.code != 0 || !strings.Contains(s.out, want) {
				t.Errorf("%s: %q is missing: %+v", id, want, s)
			}
		}
		validate(t, schema.Explain, call("explain", "--json", id).out)
	}
}

// Everything in the catalogue can be explained, in JSON by its schema.
func TestExplainAll(t *testing.T) {
	requirements, err := catalog.LoadAll()
	if err != nil {
		t.Fatal(err)
	}
	all := requirements.All()
	for i := 0; i < len(all); i += 40 {
		validate(t, schema.Explain, call("explain", "--json", all[i].ID).out)
	}
	for _, c := range decode[coverageJSON](t, call("coverage", "--json").out).Requirements {
		if len(c.Specs) > 0 {
			continue
		}
		if s := call("explain", c.ID); s.code != 0 || !strings.Contains(s.out, "No spec tests it.") {
			t.Errorf("%+v", s)
		}
		break
	}
}

func TestDeviations(t *testing.T) {
	s := call("deviations", "--json")
	validate(t, schema.Deviations, s.out)
	all := decode[deviationsJSON](t, s.out).Deviations
	if text := call("deviations"); s.code != 0 || len(all) < 95 || !strings.Contains(text.out, fmt.Sprintf("%d kinds of deviations", len(all))) {
		t.Errorf("%d; %+v", len(all), text)
	}
}

func TestDoctor(t *testing.T) {
	s := call("doctor", "--json")
	validate(t, schema.Doctor, s.out)
	if s.code != 0 || s.err != "" {
		t.Errorf("%+v", s)
	}
	if s := call("doctor"); s.code != 0 || !strings.Contains(s.out, "fabric netns") {
		t.Errorf("%+v", s)
	}
}

// On a machine without any tool the doctor says what is missing and what for; specs still run, so it is no failure.
func TestDoctorWithoutTools(t *testing.T) {
	t.Setenv("PATH", "")
	for _, f := range decode[doctorJSON](t, call("doctor", "--json").out).Findings {
		if f.Name == "tshark" && (f.OK || f.Found != "not found" || f.For == "") {
			t.Errorf("%+v", f)
		}
	}
	s := call("doctor")
	if s.code != 0 || !strings.Contains(s.out, "missing  tshark") {
		t.Errorf("%+v", s)
	}
}

func TestNeeded(t *testing.T) {
	if err := needed([]finding{{Name: "a", OK: true, Needed: true}, {Name: "b"}}); err != nil {
		t.Error(err)
	}
	if err := needed([]finding{{Name: "b"}, {Name: "c", Needed: true, For: "everything"}}); err == nil || err.Error() != "c is needed: everything" {
		t.Error(err)
	}
}

func TestVersion(t *testing.T) {
	if s := call("version"); s.code != 0 || s.out != "gdoilab "+version+" "+runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH+"\n" {
		t.Errorf("%+v", s)
	}
	if s := call("--version"); s.code != 0 || s.out != "gdoilab version "+version+"\n" {
		t.Errorf("%+v", s)
	}
	validate(t, schema.Version, call("version", "--json").out)
}

// Every command has help with a sentence, and no line that a terminal of 120 columns would break.
func TestHelp(t *testing.T) {
	if s := call(); s.code != 0 || s.out != call("--help").out {
		t.Errorf("%+v", s)
	}
	for _, c := range root().Commands() {
		s := call(c.Name(), "--help")
		head, flags, _ := strings.Cut(s.out, "Flags:")
		if s.code != 0 || s.err != "" || c.Long == "" || widest(head) > 120 || !strings.Contains(flags, "--help") {
			t.Errorf("%s: exit %d, %d columns\n%s", c.Name(), s.code, widest(head), s.out)
		}
	}
}

// completions are the words that the shell is offered, without their descriptions.
func completions(t *testing.T, args ...string) map[string]bool {
	t.Helper()
	s := call(append([]string{"__complete"}, args...)...)
	lines := strings.Split(strings.TrimSpace(s.out), "\n")
	if s.code != 0 || lines[len(lines)-1] != ":4" { // no file names
		t.Errorf("%q: %+v", args, s)
	}
	found := make(map[string]bool)
	for _, l := range lines[:len(lines)-1] {
		word, _, _ := strings.Cut(l, "\t")
		found[word] = true
	}
	return found
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if s := call("completion", shell); s.code != 0 || !strings.Contains(s.out, "gdoilab") {
			t.Errorf("%s: %+v", shell, s)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{""}, "selftest"},
		{[]string{"run", "--fabric", ""}, "netns"},
		{[]string{"run", "--spec", ""}, "sequence/drops-a-rekey-whose-seq-equals-the-last"},
		{[]string{"run", "--filter", ""}, "subject:sequence"},
		{[]string{"list", "--filter", ""}, "req:RFC6407-4.4-02"},
		{[]string{"run", "--mutant", ""}, "member.push.seq=off"},
		{[]string{"explain", ""}, "RFC6407-4.4-02"},
		{[]string{"selftest", ""}, "member.push.seq"},
	} {
		if found := completions(t, c.args...); !found[c.want] {
			t.Errorf("%q: %s is not among %d", c.args, c.want, len(found))
		}
	}
	if n := len(completions(t, "selftest", "")); n != len(rule.All()) {
		t.Errorf("%d of %d guards", n, len(rule.All()))
	}
	if n := len(completions(t, "explain", "RFC6407-4.4-02", "")); n != 0 {
		t.Errorf("%d words for a second argument", n)
	}
}

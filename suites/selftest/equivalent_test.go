package selftest

import (
	"strings"
	"testing"
)

func TestEquivalents(t *testing.T) {
	if _, err := Equivalents(); err != nil {
		t.Error(err)
	}
}

// A list that is broken is an error that names the file and the place, whatever is wrong with it.
func TestBrokenEquivalents(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"!0000 00", "e.yaml:1:1: a tag"},
		{"- mutant: a=off\n  raeson: b\n", "e.yaml:2:3: [0].raeson: unknown field; did you mean reason?"},
		{"- mutant: a=off\n", `e.yaml:1:3: [0]: the field "reason" is missing`},
		{"mutant: a=off\n", "e.yaml:1:1: a mapping where a list is expected"},
		{"- [", "e.yaml:1:"},
		{"", "e.yaml: is empty"},
	} {
		list, err := parseEquivalents("e.yaml", []byte(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, %v; want %s", c.in, list, err, c.want)
		}
	}
	list, err := parseEquivalents("e.yaml", []byte("- mutant: a=off\n  reason: nobody sees it\n"))
	if err != nil || len(list) != 1 || list[0] != (Equivalent{"a=off", "nobody sees it"}) {
		t.Errorf("%v, %v", list, err)
	}
}

func FuzzEquivalents(f *testing.F) {
	f.Add("- mutant: a=off\n  reason: b\n")
	f.Add("!0000 00")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := parseEquivalents("e.yaml", []byte(text)); err != nil && !strings.HasPrefix(err.Error(), "e.yaml:") {
			t.Errorf("%q: an error that names no file: %v", text, err)
		}
	})
}

package yamldoc_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

type thing struct {
	Name   string
	Count  int
	On     bool
	Colour int
	After  time.Duration
	Tags   []string
	Part   *thing
}

var colours = yamldoc.Names[int]{{"red", 1}, {"green", 2}}

func readThing(v yamldoc.Value) *thing {
	var x thing
	v.Fields(
		yamldoc.Required("name", &x.Name, text),
		yamldoc.Optional("count", &x.Count, func(v yamldoc.Value) int { return int(v.Uint(1, 9)) }),
		yamldoc.Optional("on", &x.On, yamldoc.Value.Bool),
		yamldoc.Optional("colour", &x.Colour, colours.Read),
		yamldoc.Optional("after", &x.After, func(v yamldoc.Value) time.Duration { return v.Seconds(1, 60) }),
		yamldoc.Optional("tags", &x.Tags, yamldoc.Some("tag", text)),
		yamldoc.Optional("part", &x.Part, readThing),
	)
	return &x
}

func text(v yamldoc.Value) string {
	s, _ := v.Text()
	return s
}

func read(data string) (x *thing, err error) {
	err = yamldoc.Read("f.yaml", []byte(data), func(root yamldoc.Value) { x = readThing(root) })
	return x, err
}

func TestRead(t *testing.T) {
	x, err := read("name: a\ncount: 9\non: true\ncolour: green\nafter: 1m\ntags: [x, 'y']\npart:\n  name: |-\n    b\n  count: 0x3\n")
	if err != nil {
		t.Fatal(err)
	}
	if x.Name != "a" || x.Count != 9 || !x.On || x.Colour != 2 || x.After != time.Minute || strings.Join(x.Tags, "") != "xy" {
		t.Errorf("%+v", x)
	}
	if x.Part == nil || x.Part.Name != "b" || x.Part.Count != 3 {
		t.Errorf("%+v", x.Part)
	}
}

// TestFaults gives each kind of fault; those of one file come in the order of their places.
func TestFaults(t *testing.T) {
	long := strings.Repeat("x", 100)
	for _, c := range []struct{ in, want string }{
		{"", "f.yaml: is empty"},
		{"# nothing\n", "f.yaml: is empty"},
		{"name: a\n...\n---\nname: b\n", "f.yaml:3:1: a second document begins here; a file holds only one"},
		{"name: \"a\n", "f.yaml:1:7: not YAML: could not find end character of double-quoted text"},
		{"name: a\n\tb: c\n", "f.yaml:2:1: not YAML: found character '\t' that cannot start any token"},
		{"name: a\nname: b\n", "f.yaml:2:1: name: the field is already given in line 1"},
		{"name: a\n'two words': b\n", `f.yaml:2:1: "two words": unknown field; known are name, count, on, colour, after, tags, part`},
		{"name: a\n" + long + ": b\n",
			`f.yaml:2:1: "` + long[:60] + `...": unknown field; known are name, count, on, colour, after, tags, part`},
		{"name: a\ncuont: 2\n", "f.yaml:2:1: cuont: unknown field; did you mean count?"},
		{"name: " + long + "\ncolour: " + long, `f.yaml:2:9: colour: "` + long[:60] + `..." is unknown; known are red, green`},
		{"name: a\ncount: 10\n", "f.yaml:2:8: count: 10 is out of range; it must be from 1 to 9"},
		{"name: a\ncount: 99999999999999999999999\n", `f.yaml:2:8: count: "99999999999999999999999" where a whole number is expected`},
		{"name: a\non: 1\n", `f.yaml:2:5: on: "1" where true or false is expected`},
		{"name: a\nafter: 61s\n", "f.yaml:2:8: after: 61s is out of range; it must be from 1s to 60s"},
		{"name: a\nafter: 1h1h1x\n", `f.yaml:2:8: after: "1h1h1x" is no duration; write one such as 90s, 15m or 24h`},
		{"name: a\ntags: []\n", "f.yaml:2:7: tags: the list is empty; name at least one tag"},
		{"name: a\ntags: x\n", `f.yaml:2:7: tags: "x" where a list is expected`},
		{"name: a\ntags: [x, {y: z}]\n", "f.yaml:2:11: tags[1]: a mapping where text is expected"},
		{"name: a\npart: {count: 0}\n", "f.yaml:2:7: part: the field \"name\" is missing\nf.yaml:2:15: part.count: 0 is out of range; it must be from 1 to 9"},
		{"!0000 00", "f.yaml:1:1: a tag (they are not read here) where a mapping is expected, with the fields name, count, on, colour, after, tags, part"},
		{"name: a\ntags: !!str x\n", "f.yaml:2:7: tags: a tag (they are not read here) where a list is expected"},
		{"name: a\npart:\n  <<: b\n", `f.yaml:3:3: part."<<": unknown field; known are name, count, on, colour, after, tags, part` +
			"\nf.yaml:3:3: part: the field \"name\" is missing"},
		{strings.Repeat("#", yamldoc.MaxSize+1), "f.yaml: is larger than 1048576 octets"},
	} {
		_, err := read(c.in)
		if err == nil {
			t.Errorf("%.40q: no error", c.in)
			continue
		}
		if err.Error() != c.want {
			t.Errorf("%.40q\n got %s\nwant %s", c.in, err, c.want)
		}
	}
}

func TestProblemsUnwrap(t *testing.T) {
	_, err := read("count: 0\non: 3\n")
	var ps yamldoc.Problems
	if !errors.As(err, &ps) || len(ps) != 3 {
		t.Fatalf("%v", err)
	}
	var p yamldoc.Problem
	if !errors.As(err, &p) || p != ps[0] {
		t.Errorf("%v", p)
	}
}

func TestNames(t *testing.T) {
	if name, ok := colours.Of(2); !ok || name != "green" {
		t.Errorf("%q, %v", name, ok)
	}
	if _, ok := colours.Of(3); ok {
		t.Error("3 has a name")
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0s", time.Hour: "3600s", 1500 * time.Millisecond: "1.5s", -time.Second: "-1s"} {
		if got := yamldoc.Duration(d); got != want {
			t.Errorf("%d: %s", d, got)
		}
		if back, err := time.ParseDuration(want); err != nil || back != d {
			t.Errorf("%s: %v, %v", want, back, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("name: a\ncount: 3\ntags: [x]\n")
	f.Add("part: {name: b, part: {name: c}}\n")
	f.Add("? [a, b]\n: c\n")
	f.Add("- - - -\n")
	f.Add("&a *a : !t |\n")
	f.Add("!0000 00")
	f.Add("name: !0000 00\ntags: !!seq\npart: !!map\n")
	f.Fuzz(func(t *testing.T, data string) {
		_, err := read(data)
		if err == nil {
			return
		}
		for _, line := range strings.Split(err.Error(), "\n") {
			if !strings.HasPrefix(line, "f.yaml") {
				t.Errorf("a problem of more than one line: %q", err)
			}
		}
	})
}

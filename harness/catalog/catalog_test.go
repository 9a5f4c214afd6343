package catalog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/harness/catalog"
)

func load(t testing.TB) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLoad(t *testing.T) {
	c := load(t)
	if c.Len() < 600 || len(c.All()) != c.Len() {
		t.Fatalf("%d requirements, want 600 and more", c.Len())
	}
	r, err := c.Find("RFC6407-4.4-02")
	if err != nil {
		t.Fatal(err)
	}
	if r.RFC != "6407" || r.Section != "4.4" || r.Level != "MUST" || r.Role != "GM" || !strings.HasPrefix(r.Summary, "SEQ must be greater") {
		t.Errorf("%+v", r)
	}
	again, _ := catalog.Load()
	if again != c {
		t.Error("a second Load reads the catalogue again")
	}
}

// Ids are made of RFC and section, so that a reader finds the text behind them.
func TestIDsSayWhereTheyComeFrom(t *testing.T) {
	for _, r := range load(t).All() {
		if want := "RFC" + r.RFC + "-" + r.Section + "-"; !strings.HasPrefix(r.ID, want) {
			t.Errorf("%s is not of %s", r.ID, want)
		}
	}
}

func TestSchema(t *testing.T) {
	s, err := schema.Compile(schema.Catalogue)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range catalog.Names {
		c, err := catalog.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(c.All())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(decode(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, wrong := range map[string]string{
		"no list":          `{}`,
		"empty":            `[]`,
		"no summary":       `[{"id":"RFC1-1-01","rfc":"1","section":"1","level":"MUST","role":"KS","keyword":"implied","observable":"wire","test":"x","source":"memory"}]`,
		"unknown level":    `[{"id":"RFC1-1-01","rfc":"1","section":"1","level":"WILL","role":"KS","keyword":"implied","observable":"wire","summary":"x","test":"x","source":"memory"}]`,
		"unknown field":    `[{"id":"RFC1-1-01","rfc":"1","section":"1","level":"MUST","role":"KS","keyword":"implied","observable":"wire","summary":"x","test":"x","source":"memory","owner":"x"}]`,
		"keyword left out": `[{"id":"RFC1-1-01","rfc":"1","section":"1","level":"MUST","role":"KS","observable":"wire","summary":"x","test":"x","source":"memory"}]`,
		"level of a guide": `[{"id":"RFC1-1-01","rfc":"1","section":"1","level":"required","role":"KS","keyword":"implied","observable":"wire","summary":"x","test":"x","source":"memory"}]`,
		"guide, a MUST":    `[{"id":"A-B-01","section":"1","level":"MUST","role":"KS","testability":"wire","summary":"x","test":"x","source":"guide"}]`,
		"guide, unseen":    `[{"id":"A-B-01","section":"1","level":"required","role":"KS","summary":"x","test":"x","source":"guide"}]`,
		"malformed id":     `[{"id":"6407-1-01","rfc":"1","section":"1","level":"MUST","role":"KS","keyword":"implied","observable":"wire","summary":"x","test":"x","source":"memory"}]`,
	} {
		if s.Validate(decode(t, []byte(wrong))) == nil {
			t.Errorf("%s is valid", name)
		}
	}
}

func decode(t *testing.T, text []byte) any {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, says string }{
		"not YAML":      {"- id: [", "catalog:"},
		"unknown field": {"- id: A\n  colour: red\n", "colour"},
		"no id":         {"- rfc: '1'\n", "entry 1 has no id"},
		"an id twice":   {"- id: A\n- id: B\n- id: A\n", "entries 1 and 3 are both A"},
		"not a list":    {"id: A\n", "catalog:"},
	} {
		_, err := catalog.Parse([]byte(test.text))
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, test.says)
		}
	}
}

func TestFindSuggests(t *testing.T) {
	c := load(t)
	for id, want := range map[string]string{
		"RFC6407-4.4-2":   "RFC6407-4.4-02",   // a missing zero
		"rfc6407-4.4-02":  "RFC6407-4.4-02",   // small letters
		"RFC6407-5511-09": "RFC6407-5.5.1-09", // missing dots
		"RFC6407-4.4-99":  "RFC6407-4.4-0",    // beyond the section's last
		"RFC6470-5.2-05":  "RFC6407-5.2-05",   // swapped digits
		"RFC8263-3.2-011": "RFC8263-3.2-01",
	} {
		_, err := c.Find(id)
		var unknown *catalog.UnknownError
		if !errors.As(err, &unknown) || len(unknown.Near) == 0 || !strings.HasPrefix(unknown.Near[0], want) {
			t.Errorf("%s: %v, want %s first", id, err, want)
			continue
		}
		if len(unknown.Near) > 3 || !strings.Contains(err.Error(), "did you mean "+unknown.Near[0]) {
			t.Errorf("%s: %v", id, err)
		}
	}
	_, err := c.Find("the second rule of section four")
	if err == nil || strings.Contains(err.Error(), "did you mean") {
		t.Errorf("%v: nothing is near that", err)
	}
}

func TestBinds(t *testing.T) {
	for role, want := range map[string][2]bool{"KS": {true, false}, "GM": {false, true}, "both": {true, true}} {
		r := catalog.Requirement{Role: role}
		if r.Binds("KS") != want[0] || r.Binds("GM") != want[1] {
			t.Errorf("%s binds KS %v, GM %v", role, r.Binds("KS"), r.Binds("GM"))
		}
	}
}

func FuzzParse(f *testing.F) {
	text, err := fixtures.FS.ReadFile(catalog.File)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text[:2000])
	f.Add([]byte("- id: A\n"))
	f.Add([]byte("!0000 00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := catalog.Parse(text)
		if err != nil {
			return
		}
		for _, r := range c.All() {
			if _, err := c.Find(r.ID); err != nil {
				t.Error(err)
			}
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	text, err := fixtures.FS.ReadFile(catalog.File)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := catalog.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

// Entries that name others name such as there are, and what one catalogue has no other has.
func TestLoadAll(t *testing.T) {
	all, err := catalog.LoadAll()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range catalog.Names {
		c, err := catalog.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		n += c.Len()
	}
	if all.Len() != n {
		t.Errorf("%d entries, %d in the catalogues", all.Len(), n)
	}
	for _, r := range all.All() {
		for _, id := range r.Related {
			if _, err := all.Find(id); err != nil || id == r.ID {
				t.Errorf("%s is related to %s: %v", r.ID, id, err)
			}
		}
	}
}

func TestGuide(t *testing.T) {
	c, err := catalog.Named("getvpn")
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Find("GETVPN-TIMER-03")
	if err != nil {
		t.Fatal(err)
	}
	vectors, ok := r.Vectors.(map[string]any)
	if !ok || vectors["default_task_section"] != uint64(3600) || r.Ambiguity == "" || r.Area() != "GETVPN-TIMER" || r.Seen() != "wire" || !r.Must() {
		t.Errorf("%+v", r)
	}
	for id, must := range map[string]bool{"GETVPN-TIMER-06": false, "GETVPN-REKEY-20": true, "GETVPN-PLAT-01": false, "GETVPN-PLAT-10": false} {
		if r, err := c.Find(id); err != nil || r.Must() != must {
			t.Errorf("%s: %v, %v", id, r.Must(), err)
		}
	}
	if r, err := c.Find("GETVPN-COOP-01"); err != nil || r.Halves()[0] != "COOP" || r.Binds("KS") {
		t.Errorf("%+v, %v", r, err)
	}
}

package catalog_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/catalog"
)

// Four requirements of the catalogue: of a member, of a key server, and two of both.
const ofGM, ofKS, ofBoth, ofOther = "RFC6407-4.4-02", "RFC6407-4-02", "RFC6407-5-02", "RFC6407-5-03"

func claim(spec, dut string, ids ...string) catalog.Claim {
	return catalog.Claim{Spec: spec, DUT: dut, Fabrics: []string{"memory"}, Requirements: ids}
}

// places are those of a text.
func places(t *testing.T, text string) *catalog.Places {
	t.Helper()
	p, err := catalog.ParsePlaces([]byte(text), load(t))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// classes are those of some requirements: "tested half-tested/planned".
func classes(t *testing.T, p *catalog.Places, claims []catalog.Claim, ids ...string) string {
	t.Helper()
	rows, err := catalog.Coverage(load(t), p, claims)
	if err != nil {
		t.Fatal(err)
	}
	byID := make(map[string]catalog.Covered)
	for _, row := range rows {
		byID[row.Requirement.ID] = row
	}
	var all []string
	for _, id := range ids {
		text := string(byID[id].Class)
		if byID[id].Other != "" {
			text += "/" + string(byID[id].Other)
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func TestClasses(t *testing.T) {
	p := places(t, `
implied: [{id: RFC6407-4-02, by: [RFC6407-4.4-02], reason: r}]
out-of-scope: [{id: RFC6407-5-02, role: KS, reason: r}]
planned: [{id: RFC6407-4.4-02, reason: r}]
`)
	all := []string{ofGM, ofKS, ofBoth, ofOther}
	for _, c := range []struct {
		claims []catalog.Claim
		want   string
	}{
		{nil, "planned implied out-of-scope unaccounted"},
		{[]catalog.Claim{claim("a", "GM", all...)}, "tested implied half-tested/out-of-scope half-tested/unaccounted"},
		{[]catalog.Claim{claim("a", "KS", all...)}, "planned tested half-tested/out-of-scope half-tested/unaccounted"},
		{[]catalog.Claim{claim("a", "both", all...)}, "tested tested tested tested"},
		{[]catalog.Claim{claim("a", "KS", ofOther), claim("b", "GM", ofOther)}, "planned implied out-of-scope tested"},
	} {
		if got := classes(t, p, c.claims, all...); got != c.want {
			t.Errorf("%v: %s, want %s", c.claims, got, c.want)
		}
	}
	_, err := catalog.Coverage(load(t), p, []catalog.Claim{claim("a", "GM", "RFC6407-4.4-2")})
	var unknown *catalog.UnknownError
	if !errors.As(err, &unknown) {
		t.Errorf("a claim on an unknown id: %v", err)
	}
}

// What places say has to agree with what specs test. That most of the catalogue has no place here is not looked at.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name, places string
		claims       []catalog.Claim
		says         string
	}{
		{"tested after all", "untestable: [{id: RFC6407-4.4-02, reason: r}]", []catalog.Claim{claim("a", "GM", ofGM)}, ofGM + ": specs test it, it is not untestable"},
		{"planned and tested", "planned: [{id: RFC6407-4.4-02, reason: r}]", []catalog.Claim{claim("a", "GM", ofGM)}, ""},
		{"tested by a spec of the other role", "untestable: [{id: RFC6407-4.4-02, reason: r}]", []catalog.Claim{claim("a", "KS", ofGM)}, ""},
		{"implied by what is untested", "implied: [{id: RFC6407-4.4-02, by: [RFC6407-4-02], reason: r}]", nil, "implied by RFC6407-4-02, which nothing tests for KS"},
		{"implied by a half", "implied: [{id: RFC6407-4.4-02, by: [RFC6407-5-02], reason: r}]", []catalog.Claim{claim("a", "KS", ofBoth)},
			"implied by RFC6407-5-02, which nothing tests for GM"},
		{"a half without the other", "untestable: [{id: RFC6407-5-02, role: KS, reason: r}]", nil, "untestable for KS alone"},
		{"the wrong half", "untestable: [{id: RFC6407-5-02, role: KS, reason: r}]", []catalog.Claim{claim("a", "KS", ofBoth)}, "nothing tests it for GM"},
		{"the whole where it is a half", "untestable: [{id: RFC6407-5-02, reason: r}]", []catalog.Claim{claim("a", "KS", ofBoth)}, "say that it is untestable for GM"},
		{"unaccounted", "", nil, ofGM + ": nothing tests it for GM, and nothing says why"},
		{"unaccounted half", "", []catalog.Claim{claim("a", "KS", ofBoth)}, ofBoth + ": nothing tests it for GM, and nothing says why"},
	} {
		p := places(t, c.places)
		rows, err := catalog.Coverage(load(t), p, c.claims)
		if err != nil {
			t.Fatal(err)
		}
		var about []string
		for line := range strings.Lines(catalog.Check(rows, p, c.claims).Error()) {
			if !strings.Contains(line, "nothing says why") || strings.Contains(c.name, "unaccounted") {
				about = append(about, line)
			}
		}
		if text := strings.Join(about, ""); (c.says == "" && text != "") || !strings.Contains(text, c.says) {
			t.Errorf("%s: %.300q, want %q", c.name, text, c.says)
		}
	}
}

func TestParsePlacesRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"unknown id":         {"planned: [{id: RFC6407-4.4-2, reason: r}]", "did you mean RFC6407-4.4-02"},
		"unknown field":      {"planned: [{id: RFC6407-4.4-02, why: r}]", "why"},
		"unknown class":      {"forgotten: [{id: RFC6407-4.4-02, reason: r}]", "forgotten"},
		"no reason":          {"planned: [{id: RFC6407-4.4-02}]", "has no reason"},
		"two places":         {"planned: [{id: RFC6407-4.4-02, reason: r}]\nuntestable: [{id: RFC6407-4.4-02, reason: r}]", "has two"},
		"implied by nothing": {"implied: [{id: RFC6407-4.4-02, reason: r}]", "does not say what implies it"},
		"implied by unknown": {"implied: [{id: RFC6407-4.4-02, by: [RFC6407-4-2], reason: r}]", "RFC6407-4-2"},
		"by elsewhere":       {"planned: [{id: RFC6407-4.4-02, by: [RFC6407-4-02], reason: r}]", "stands among the others"},
		"no such half":       {"planned: [{id: RFC6407-4.4-02, role: KS, reason: r}]", "no half"},
		"half of one":        {"planned: [{id: RFC6407-4.4-02, role: GM, reason: r}]", "no half"},
		"both halves":        {"planned: [{id: RFC6407-5-02, role: both, reason: r}]", "no half"},
		"no such role":       {"planned: [{id: RFC6407-5-02, role: XX, reason: r}]", "no half"},
		"not YAML":           {"planned: [", "places"},
	} {
		if _, err := catalog.ParsePlaces([]byte(c.text), load(t)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.says)
		}
	}
}

func TestPlacesSchema(t *testing.T) {
	s, err := schema.Compile(schema.Places)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range catalog.Names {
		p, err := catalog.LoadPlaces(name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(decode(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, wrong := range map[string]string{
		"no reason":          `{"planned":[{"id":"A"}]}`,
		"a reason of a word": `{"planned":[{"id":"A","reason":"hard"}]}`,
		"implied by nothing": `{"implied":[{"id":"A","reason":"a reason of some length"}]}`,
		"planned by":         `{"planned":[{"id":"A","by":["B"],"reason":"a reason of some length"}]}`,
		"unknown class":      `{"lost":[]}`,
	} {
		if s.Validate(decode(t, []byte(wrong))) == nil {
			t.Errorf("%s is valid", name)
		}
	}
}

func TestShareAndKept(t *testing.T) {
	claims := []catalog.Claim{claim("a", "GM", ofGM, ofBoth), claim("b", "both", ofOther)}
	rows, err := catalog.Coverage(load(t), &catalog.Places{}, claims)
	if err != nil {
		t.Fatal(err)
	}
	if tested, of := catalog.Share(rows); tested != 2 || of < 400 || of >= len(rows) {
		t.Errorf("%d of %d", tested, of)
	}
	want := ofGM + " GM\n" + ofBoth + " GM\n" + ofOther + " KS\n" + ofOther + " GM"
	if got := strings.Join(catalog.Kept(rows), "\n"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	lost, err := catalog.Lost("gdoi", rows)
	if err != nil || len(lost) < 300 {
		t.Errorf("%d lost, error %v", len(lost), err)
	}
	for _, line := range lost {
		if strings.HasPrefix(line, ofGM) {
			t.Errorf("%s is not lost", line)
		}
	}
}

func TestNamed(t *testing.T) {
	if _, err := catalog.Named("cisco"); err == nil || !strings.Contains(err.Error(), "only gdoi, juniper, getvpn, pfs, ikev2") {
		t.Error(err)
	}
	if _, err := catalog.LoadPlaces("cisco"); err == nil {
		t.Error("places of no catalogue")
	}
	juniper, err := catalog.Named("juniper")
	if err != nil {
		t.Fatal(err)
	}
	if got := juniper.All()[0].Origin(); got != "IKE overview §6" {
		t.Error(got)
	}
	if got := load(t).All()[0].Origin(); got != "RFC 6407 §2" {
		t.Error(got)
	}
}

func FuzzParsePlaces(f *testing.F) {
	f.Add([]byte("planned: [{id: RFC6407-4.4-02, reason: r}]"))
	f.Add([]byte("implied: [{id: RFC6407-4.4-02, by: [RFC6407-4-02], reason: r}]"))
	f.Add([]byte("!0000 00"))
	c := load(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := catalog.ParsePlaces(text, c)
		if err != nil {
			return
		}
		if _, err := catalog.Coverage(c, p, nil); err != nil {
			t.Error(err)
		}
	})
}

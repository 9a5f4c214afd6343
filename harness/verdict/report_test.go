package verdict_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/net/html"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

// catalogued is how many requirements there are.
func catalogued(t *testing.T) int {
	t.Helper()
	c, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c.Len()
}

// written are the reports of a run, by file name.
func written(t *testing.T, dir string, r *verdict.Run) map[string][]byte {
	t.Helper()
	if err := verdict.WriteAll(dir, r); err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	for _, name := range []string{verdict.ReportHTML, verdict.ReportJSON, verdict.ReportJUnit} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = text
	}
	return files
}

func validate(t *testing.T, name string, text []byte) {
	t.Helper()
	s, err := schema.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func TestReportJSON(t *testing.T) {
	dir := t.TempDir()
	run := demo(t, dir, false)
	text := written(t, dir, run)[verdict.ReportJSON]
	validate(t, schema.Report, text)
	var back verdict.Report
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&back.Run, run) {
		t.Error("the run in report.json is not the run")
	}
	if back.Coverage.Catalogue != catalogued(t) || back.Coverage.Tested != 46 || back.Coverage.Passed != 43 {
		t.Errorf("%+v", back.Coverage)
	}
	empty := written(t, t.TempDir(), &verdict.Run{Tool: "gdoilab"})
	validate(t, schema.Report, empty[verdict.ReportJSON])
	for _, name := range []string{"spec.json", "messages.json"} {
		text, err := os.ReadFile(filepath.Join(dir, "evidence", "rekey-35", name))
		if err != nil {
			t.Fatal(err)
		}
		validate(t, map[string]string{"spec.json": schema.Spec, "messages.json": schema.Decode}[name], text)
	}
}

// junit is what a reader of junit.xml takes from it.
type junit struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
	Suites   []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Class   string `xml:"classname,attr"`
			Failure *struct {
				Type    string `xml:"type,attr"`
				Message string `xml:"message,attr"`
			} `xml:"failure"`
			Error *struct {
				Message string `xml:"message,attr"`
			} `xml:"error"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
			Out string `xml:"system-out"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func TestJUnit(t *testing.T) {
	r := runOf(verdict.Pass, verdict.Fail, verdict.Inconclusive, verdict.Error, verdict.Unsupported, verdict.Skipped)
	r.Specs[1].Reason = "<not> \"this\" & \x01 that"
	r.Specs[5].Subject = "other"
	r.Specs[0].Evidence, r.Specs[0].Repeat = "evidence/a", "gdoilab run --spec a"
	var doc junit
	if err := xml.Unmarshal(written(t, t.TempDir(), r)[verdict.ReportJUnit], &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Tests != 6 || doc.Failures != 2 || doc.Errors != 1 || doc.Skipped != 2 || len(doc.Suites) != 2 || doc.Suites[1].Name != "other" ||
		doc.Suites[0].Tests != 5 || doc.Suites[0].Failures != 2 {
		t.Errorf("%+v", doc)
	}
	c := doc.Suites[0].Cases
	switch {
	case c[0].Failure != nil || c[0].Error != nil || c[0].Skipped != nil || !strings.Contains(c[0].Out, "repeat: gdoilab run --spec a"):
		t.Errorf("pass: %+v", c[0])
	case c[1].Failure == nil || c[1].Failure.Message != "<not> \"this\" & \uFFFD that":
		t.Errorf("fail: %+v", c[1])
	case c[2].Failure == nil || c[2].Failure.Type != "inconclusive":
		t.Errorf("inconclusive: %+v", c[2])
	case c[3].Error == nil || c[3].Error.Message != "because of error":
		t.Errorf("error: %+v", c[3])
	case c[4].Skipped == nil || c[4].Skipped.Message != "unsupported: because of unsupported":
		t.Errorf("unsupported: %+v", c[4])
	case doc.Suites[1].Cases[0].Skipped == nil:
		t.Errorf("skipped: %+v", doc.Suites[1].Cases[0])
	}
}

// elements calls see for each element of a page.
func elements(n *html.Node, see func(*html.Node)) {
	if n.Type == html.ElementNode {
		see(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		elements(c, see)
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// The page needs nothing from elsewhere, its links lead somewhere, and its ids are unique.
func TestPageIsSelfContained(t *testing.T) {
	dir := t.TempDir()
	text := written(t, dir, demo(t, dir, false))[verdict.ReportHTML]
	doc, err := html.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]int)
	var links []string
	count := make(map[string]int)
	elements(doc, func(n *html.Node) {
		count[n.Data]++
		if id := attribute(n, "id"); id != "" {
			ids[id]++
		}
		if href := attribute(n, "href"); href != "" {
			links = append(links, href)
		}
		if src := attribute(n, "src"); src != "" || n.Data == "link" || n.Data == "iframe" {
			t.Errorf("the page loads <%s src=%q>", n.Data, src)
		}
	})
	for id, n := range ids {
		if n > 1 {
			t.Errorf("id %s stands %d times", id, n)
		}
	}
	for _, link := range links {
		if fragment, inside := strings.CutPrefix(link, "#"); inside && ids[fragment] == 0 {
			t.Errorf("link to %s leads nowhere", link)
		} else if _, err := os.Stat(filepath.Join(dir, link)); !inside && err != nil {
			t.Errorf("link to a file: %v", err)
		}
	}
	for _, bad := range []string{"@import", "url(", "fetch(", "XMLHttpRequest", "http://", "https://"} {
		if bytes.Contains(text, []byte(bad)) {
			t.Errorf("the page has %q", bad)
		}
	}
	if count["details"] < 48*10 || count["script"] != 1 || count["style"] != 1 {
		t.Errorf("elements: %v", count)
	}
}

// The page says everything without a script.
func TestPageSays(t *testing.T) {
	dir := t.TempDir()
	run := demo(t, dir, false)
	run.Interrupted = true
	text := string(written(t, dir, run)[verdict.ReportHTML])
	for _, want := range []string{
		"3 of 46 specs that ran did not pass.", "<b>Interrupted.</b>", "reference GM 0.1.0", "2026-03-04 09:00:00 UTC", "20260304",
		"SEQ must be greater than the last one accepted for that Rekey SA.", // of the catalogue
		"the member sent under SPI 10007e02",                                // a reason
		"gdoilab run --spec rekey-35 --seed 20260304",                       // how to repeat
		"GROUPKEY-PUSH → 239.192.0.1", "HDR*, HASH(2), Nr, SA {SAK, GAP, SAT}", "40 × ESP", "Main Mode 1",
		"<b>KEK_ALGORITHM</b> AES (3)", "withheld on the wire", fmt.Sprintf("46 of %d in the catalogue", catalogued(t)), "<u class=bad>SIG: bad",
		"This spec left no evidence.", "evidence/rekey-35/capture.pcapng", "evidence/rekey-35/wireshark/",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(text, "ZgotmplZ") {
		t.Error("the template refused a value")
	}
}

func TestPageEscapes(t *testing.T) {
	r := runOf(verdict.Fail)
	r.DUT, r.Specs[0].Name, r.Specs[0].Reason, r.Specs[0].ID = "<script>alert(1)</script>", "<b>name</b>", "</p><img src=x>", `a" onclick="x`
	r.Specs[0].Requirements = []string{"no such <id>"}
	doc, err := html.Parse(bytes.NewReader(written(t, t.TempDir(), r)[verdict.ReportHTML]))
	if err != nil {
		t.Fatal(err)
	}
	elements(doc, func(n *html.Node) {
		if n.Data == "img" || attribute(n, "onclick") != "" {
			t.Errorf("<%s> %v came in", n.Data, n.Attr)
		}
	})
}

// A folder that lacks its conversation, or has a broken one, is said so and stops nothing.
func TestPageWithoutConversation(t *testing.T) {
	dir := t.TempDir()
	r := runOf(verdict.Fail, verdict.Pass, verdict.Pass)
	for i, text := range []string{"", "{", `{"nodes":[],"messages":[]}`} {
		r.Specs[i].Evidence = fmt.Sprintf("e%d", i)
		if text == "" {
			continue
		}
		if err := os.MkdirAll(filepath.Join(dir, r.Specs[i].Evidence), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, r.Specs[i].Evidence, verdict.FileMessages), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	page := string(written(t, dir, r)[verdict.ReportHTML])
	if n := strings.Count(page, "The conversation cannot be shown"); n != 2 || !strings.Contains(page, "No packet was captured.") {
		t.Errorf("%d conversations cannot be shown", n)
	}
}

// In a redacted run no file holds a key, in whatever form it was written.
func TestRedactedRun(t *testing.T) {
	dir := t.TempDir()
	demo(t, dir, false) // an earlier run in the same folder
	run := demo(t, dir, true)
	secrets := demoSecrets()
	run.Specs[0].Reason = "the key was " + secrets[0] + ", not [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16]"
	written(t, dir, run)
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		lower := bytes.ToLower(text)
		for _, s := range secrets {
			if bytes.Contains(lower, []byte(s)) {
				t.Errorf("%s holds %s", path, s)
			}
		}
		switch filepath.Base(path) {
		case verdict.FileKeys, verdict.FilePhase1, "esp_sa":
			t.Errorf("%s is there", path)
		case verdict.ReportJSON, verdict.ReportHTML, verdict.FileSpec, verdict.ReportJUnit:
			if bytes.Contains(text, []byte("seed 20260304")) || bytes.Contains(text, []byte(`"20260304"`)) || bytes.Contains(text, []byte("1 2 3 4")) {
				t.Errorf("%s holds the seed or a key in decimal", path)
			}
		}
		return err
	})
	if err != nil || files < 46*5 {
		t.Errorf("%d files, %v", files, err)
	}
	if run.Seed != "20260304" || !strings.Contains(run.Specs[0].Reason, secrets[0]) {
		t.Error("the run itself was changed")
	}
}

// demoSecrets are keys of the demonstration in hexadecimal.
func demoSecrets() []string {
	var all []string
	for _, id := range []string{"phase1-1", "rekey-35", "registration-16"} {
		e := demoEvidence(verdict.Spec{ID: id, Subject: strings.Split(id, "-")[0]})
		for _, k := range e.Keys {
			for _, s := range []string{k.SKEYID, k.SKEYIDd, k.SKEYIDa, k.SKEYIDe, k.CipherKey, k.Key, k.IntegrityKey, k.FirstIV, k.Shared} {
				if s != "" {
					all = append(all, s)
				}
			}
		}
	}
	return all
}

// The page says how the catalogue is accounted for, if somebody has said it.
func TestReportShowsClasses(t *testing.T) {
	dir := t.TempDir()
	report, err := verdict.NewReport(demo(t, dir, false))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		classes map[catalog.Class]int
		want    bool
	}{{nil, false}, {map[catalog.Class]int{catalog.Tested: 452, catalog.Planned: 80}, true}} {
		report.Classes = c.classes
		if err := report.Write(dir); err != nil {
			t.Fatal(err)
		}
		page, err := os.ReadFile(filepath.Join(dir, verdict.ReportHTML))
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Contains(page, []byte("452 tested. 80 planned.")); got != c.want {
			t.Errorf("%v: on the page: %v", c.classes, got)
		}
		text, err := os.ReadFile(filepath.Join(dir, verdict.ReportJSON))
		if err != nil {
			t.Fatal(err)
		}
		validate(t, schema.Report, text)
	}
}

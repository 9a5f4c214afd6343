package verdict_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

// met are the specs of a pair's run.
func met(verdicts ...verdict.Verdict) (specs []verdict.Spec) {
	for i, v := range verdicts {
		id := "pairs/" + string(rune('a'+i))
		specs = append(specs, verdict.Spec{ID: id, Name: "spec " + id, Scene: verdict.SceneRekey, Verdict: v, Reason: "because|of " + string(v), Evidence: "specs/" + id})
	}
	return specs
}

// matrix is one of two peers, of which one is not there.
func matrix(specs []verdict.Spec) *verdict.Matrix {
	digest := strings.Repeat("0", 64)
	there, away := verdict.NewCell("one", "one", "netns"), verdict.NewCell("one", "two", "netns")
	there.Judge(specs, "pairs/one--one--netns")
	away.Decide(verdict.Absent, "two.yaml:3: /usr/bin/two is not there")
	return &verdict.Matrix{
		Tool: "gdoilab", Version: "1", Start: time.Unix(0, 0), Seed: "1", Fabrics: []string{"netns"},
		Peers: []verdict.Party{
			{Peer: verdict.Peer{Name: "one", File: "one.yaml", Digest: digest}, Kind: verdict.Device, Roles: []string{"KS", "GM"}},
			{Peer: verdict.Peer{Name: "two", File: "two.yaml", Digest: digest}, Kind: verdict.Device, Roles: []string{"GM"}, Absent: "/usr/bin/two is not there"},
		},
		Cells: []verdict.Cell{there, away},
	}
}

// A scene has the verdict of its gravest spec, and one of which there is no spec is not tried.
func TestCell(t *testing.T) {
	c := verdict.NewCell("one", "two", "memory")
	c.Judge(met(verdict.Pass, verdict.Unsupported, verdict.ExpectedFailure, verdict.Pass), "pairs/x")
	rekey := c.Scenes[2]
	if c.Name() != "one--two--memory" || rekey.Verdict != verdict.ExpectedFailure || rekey.Reason != "because|of expected-failure" || rekey.Counts[verdict.Pass] != 2 ||
		c.Scenes[0].Verdict != verdict.NotTried || c.Attention() {
		t.Errorf("%+v", c)
	}
	spec := rekey.Specs[0]
	if spec.Report != "pairs/x/report.html#spec-pairs-a" || spec.Capture != "pairs/x/specs/pairs/a/capture.pcapng" || spec.Log != "pairs/x/specs/pairs/a/syslog.log" {
		t.Errorf("%+v", spec)
	}
	c.Decide(verdict.Unsupported, "declared", verdict.SceneRegistration)
	if c.Scenes[1].Verdict != verdict.Unsupported || c.Scenes[0].Verdict != verdict.NotTried {
		t.Errorf("%+v", c)
	}
}

func TestMatrixExit(t *testing.T) {
	pass := met(verdict.Pass)
	for _, c := range []struct {
		name  string
		specs []verdict.Spec
		alter func(m *verdict.Matrix)
		want  int
	}{
		{"all is as it should be", met(verdict.Pass, verdict.Unsupported, verdict.ExpectedFailure, verdict.Skipped), nil, 0},
		{"one fails", met(verdict.Pass, verdict.Fail), nil, 1},
		{"one passes unexpectedly", met(verdict.Pass, verdict.UnexpectedPass), nil, 1},
		{"nothing passes", met(verdict.Unsupported), nil, 1},
		{"interrupted", pass, func(m *verdict.Matrix) { m.Interrupted = true }, 1},
		{"absent, and named", pass, func(m *verdict.Matrix) { m.Peers[1].Wanted = true }, 1},
		{"what was expected of a requirement does not come about", pass, func(m *verdict.Matrix) {
			m.Cells[0].Expectations = []verdict.Expectation{{Requirement: "r", Outcome: verdict.Passed}}
		}, 1},
		{"what was expected came about", pass, func(m *verdict.Matrix) {
			m.Cells[0].Expectations = []verdict.Expectation{{Requirement: "r", Outcome: verdict.Met}}
		}, 0},
		{"an error without a spec", pass, func(m *verdict.Matrix) { m.Cells[1].Decide(verdict.Error, "x") }, 1},
	} {
		m := matrix(c.specs)
		if c.alter != nil {
			c.alter(m)
		}
		if c.want == 1 && strings.HasPrefix(m.Headline(), "All") && !m.Interrupted && m.Cells[0].Scenes[2].Counts[verdict.Pass] > 0 {
			t.Errorf("%s: %s", c.name, m.Headline())
		}
		complaints := len(m.Cells[0].Complaints()) + len(m.Cells[1].Complaints())
		if got := m.Exit(); got != c.want || m.Cells[0].Attention() != (len(m.Cells[0].Complaints()) > 0) {
			t.Errorf("%s: exit %d, %d complaints", c.name, got, complaints)
		}
	}
}

// The three files say the same, and what they link is named relative to them.
func TestMatrixFiles(t *testing.T) {
	dir := t.TempDir()
	m := matrix(met(verdict.Pass, verdict.Fail))
	m.Cells[0].Expectations = []verdict.Expectation{{Requirement: "RFC6407-4-01", Verdict: verdict.Fail, LooksLike: "x", Why: "bug 4711", Owner: "o", Until: "2026-01-01",
		Place: "one.yaml:9", Outcome: verdict.Expired}}
	if err := m.Write(dir); err != nil {
		t.Fatal(err)
	}
	texts := make(map[string]string)
	for _, name := range []string{verdict.MatrixHTML, verdict.MatrixMarkdown, verdict.MatrixJSON} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	for _, want := range []string{`href="pairs/one--one--netns/specs/pairs/a/capture.pcapng"`, `href="pairs/one--one--netns/report.html#spec-pairs-b"`, "because|of fail",
		"two.yaml:3: /usr/bin/two is not there", "1 of 2 pairs need attention.", `<span class="pill not-tried">`, "was expected to fail until 2026-01-01 only", `<h1 class="bad">`} {
		if !strings.Contains(texts[verdict.MatrixHTML], want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, want := range []string{"| one | one | not-tried | not-tried | **[fail 1/2](pairs/one--one--netns/report.html)** | not-tried |", "| one | two | absent | absent | absent | absent |",
		`because\|of fail`, "absent: /usr/bin/two is not there", "bug 4711"} {
		if !strings.Contains(texts[verdict.MatrixMarkdown], want) {
			t.Errorf("the Markdown lacks %s:\n%s", want, texts[verdict.MatrixMarkdown])
		}
	}
	s, err := schema.Compile(schema.Interop)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(texts[verdict.MatrixJSON]))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Error(err)
	}
	again, err := verdict.ReadMatrix(strings.NewReader(texts[verdict.MatrixJSON]))
	if err != nil || again.Exit() != m.Exit() || again.Headline() != m.Headline() {
		t.Errorf("%+v, %v", again, err)
	}
}

func FuzzReadMatrix(f *testing.F) {
	dir := f.TempDir()
	if err := matrix(met(verdict.Pass)).Write(dir); err != nil {
		f.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, verdict.MatrixJSON))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := verdict.ReadMatrix(bytes.NewReader(data))
		if err != nil {
			return
		}
		if err := m.WriteMarkdown(&bytes.Buffer{}); err != nil {
			t.Error(err)
		}
	})
}

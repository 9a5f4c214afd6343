package verdict

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// The elements of junit.xml that the usual readers understand.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitCounts
		Suites []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		junitCounts
		Timestamp  string          `xml:"timestamp,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitCounts struct {
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Time     string `xml:"time,attr"`
	}
	junitCase struct {
		Class      string          `xml:"classname,attr"`
		Name       string          `xml:"name,attr"`
		Time       string          `xml:"time,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Failure    *junitOutcome   `xml:"failure"`
		Error      *junitOutcome   `xml:"error"`
		Skipped    *junitOutcome   `xml:"skipped"`
		Out        string          `xml:"system-out,omitempty"`
	}
	junitOutcome struct {
		Type    string `xml:"type,attr,omitempty"`
		Message string `xml:"message,attr"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
)

// writeJUnit writes one test suite a subject. Fail, inconclusive and unexpected-pass are failures, error is an error,
// unsupported, skipped and expected-failure are skipped; each has its reason as message.
func writeJUnit(w io.Writer, r *Run) error {
	doc := junitSuites{Name: r.Tool, junitCounts: junitCount(r.Specs, r.Seconds)}
	for _, s := range r.Subjects() {
		suite := junitSuite{Name: s.Name, junitCounts: junitCount(s.Specs, s.Seconds),
			Timestamp: r.Start.UTC().Format("2006-01-02T15:04:05"), Properties: r.properties()}
		for i := range s.Specs {
			suite.Cases = append(suite.Cases, s.Specs[i].junit())
		}
		doc.Suites = append(doc.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitCount(specs []Spec, seconds float64) junitCounts {
	t := Tally(specs)
	return junitCounts{Tests: len(specs), Failures: t[Fail] + t[Inconclusive] + t[UnexpectedPass], Errors: t[Error],
		Skipped: t[Unsupported] + t[Skipped] + t[ExpectedFailure], Time: junitSeconds(seconds)}
}

func junitSeconds(s float64) string { return fmt.Sprintf("%.3f", s) }

func (r *Run) properties() []junitProperty {
	properties := []junitProperty{{"version", r.Version}, {"dut", r.DUT}, {"fabric", r.Fabric}, {"seed", r.Seed},
		{"start", r.Start.UTC().Format(time.RFC3339)}, {"redacted", fmt.Sprint(r.Redacted)},
		{"interrupted", fmt.Sprint(r.Interrupted)}}
	if r.Shard != nil {
		properties = append(properties, junitProperty{"shard", r.Shard.String()})
	}
	if r.Peer != nil {
		properties = append(properties, junitProperty{"manifest", r.Peer.File}, junitProperty{"manifest-sha256", r.Peer.Digest})
	}
	return properties
}

func (s *Spec) junit() junitCase {
	c := junitCase{Class: s.Subject, Name: s.Name + " [" + s.ID + "]", Time: junitSeconds(s.Seconds)}
	for _, id := range s.Requirements {
		c.Properties = append(c.Properties, junitProperty{"requirement", id})
	}
	c.Properties = append(c.Properties, junitProperty{"dut", s.DUT}, junitProperty{"fabric", s.Fabric})
	outcome := &junitOutcome{Type: string(s.Verdict), Message: s.Reason}
	switch s.Verdict {
	case Fail, Inconclusive, UnexpectedPass:
		c.Failure = outcome
	case Error:
		c.Error = outcome
	case Unsupported, Skipped, ExpectedFailure:
		c.Skipped = &junitOutcome{Message: string(s.Verdict) + ": " + s.Reason}
	}
	var out []string
	if s.Evidence != "" {
		out = append(out, "evidence: "+s.Evidence)
	}
	if s.Repeat != "" {
		out = append(out, "repeat: "+s.Repeat)
	}
	c.Out = strings.Join(out, "\n")
	return c
}

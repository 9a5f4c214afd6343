package kit

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

// Options say which specs to run and whom to tell.
type Options struct {
	Filter   string // Ginkgo label expression
	Spec     string // id of the only spec to run; "" all that the filter selects
	Progress func(done, total int, s verdict.Spec)
	FailFast bool // leave the other specs out once one has the verdict fail
}

// List returns the specs that the filter selects, without running them.
func List(filter string) ([]verdict.Spec, error) {
	if err := checkFilter(filter); err != nil {
		return nil, err
	}
	suiteConfig, reporterConfig := ginkgo.GinkgoConfiguration()
	suiteConfig.LabelFilter = filter
	report := ginkgo.PreviewSpecs("gdoilab", suiteConfig, reporterConfig)
	var specs []verdict.Spec
	seen := make(map[string]bool)
	for _, r := range report.SpecReports {
		if r.LeafNodeType != types.NodeTypeIt || r.State != types.SpecStatePassed {
			continue
		}
		s := describe(r)
		if seen[s.ID] {
			return nil, fmt.Errorf("two specs are called %s", s.ID)
		}
		seen[s.ID] = true
		specs = append(specs, s)
	}
	slices.SortFunc(specs, func(a, b verdict.Spec) int { return strings.Compare(a.ID, b.ID) })
	return specs, nil
}

func checkFilter(filter string) error {
	if _, err := types.ParseLabelFilter(filter); err != nil {
		return fmt.Errorf("the filter %q is no label expression: %w", filter, err)
	}
	return nil
}

// failer lets RunSpecs be called outside of go test.
type failer struct{}

func (failer) Fail() {}

// Run runs the specs that the filter selects and returns one verdict for each. It can be called once in a process.
// A filter that selects nothing is an error.
func Run(s Session, o Options) (*verdict.Run, error) {
	selected, err := List(o.Filter)
	if err != nil {
		return nil, err
	}
	if o.Spec != "" {
		selected = slices.DeleteFunc(selected, func(s verdict.Spec) bool { return s.ID != o.Spec })
	}
	switch {
	case len(selected) == 0 && o.Spec != "":
		return nil, fmt.Errorf("there is no spec %q; \"gdoilab list\" shows them", o.Spec)
	case len(selected) == 0:
		return nil, fmt.Errorf("the filter %q selects no spec", o.Filter)
	}
	session = s
	formatter.ColorableStdOut = io.Discard
	run := &verdict.Run{Start: time.Now(), Fabric: s.Fabric.Name(), Seed: s.Seed, Redacted: s.Redact, Summary: map[verdict.Verdict]int{}}
	collect(run, func(spec verdict.Spec) {
		enough = enough || o.FailFast && spec.Verdict == verdict.Fail
		if o.Progress != nil {
			o.Progress(len(run.Specs), len(selected), spec)
		}
	})
	gomega.RegisterFailHandler(ginkgo.Fail)
	suiteConfig, reporterConfig := ginkgo.GinkgoConfiguration()
	suiteConfig.LabelFilter = o.Filter
	if o.Spec != "" {
		suiteConfig.LabelFilter = labelSubject + selected[0].Subject
		suiteConfig.FocusStrings = []string{regexp.QuoteMeta(selected[0].Name) + "$"}
	}
	suiteConfig.OutputInterceptorMode = "none"
	suiteConfig.GracePeriod = 10 * time.Second
	reporterConfig.Succinct, reporterConfig.NoColor = true, true
	ginkgo.RunSpecs(failer{}, "gdoilab", suiteConfig, reporterConfig)
	run.Seconds = time.Since(run.Start).Seconds()
	slices.SortFunc(run.Specs, func(a, b verdict.Spec) int { return strings.Compare(a.ID, b.ID) })
	return run, nil
}

// Main is what each suite's TestMain calls: on the netns fabric the test binary is also the device's daemon.
func Main(m *testing.M) {
	lab.BeDaemonIfAsked()
	os.Exit(m.Run())
}

// Test runs the specs of one package under go test or ginkgo.
func Test(t *testing.T, subject string) {
	t.Helper()
	gomega.RegisterFailHandler(ginkgo.Fail)
	s, err := FromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	session = s
	run := &verdict.Run{Summary: map[verdict.Verdict]int{}}
	collect(run, func(spec verdict.Spec) {
		switch spec.Verdict {
		case verdict.Pass:
		case verdict.Skipped, verdict.Unsupported:
			t.Logf("%s: %s: %s", spec.Verdict, spec.ID, spec.Reason)
		default:
			t.Errorf("%s: %s: %s", spec.Verdict, spec.ID, spec.Reason)
		}
	})
	ginkgo.RunSpecs(t, subject)
	if run.Summary[verdict.Pass] == 0 {
		t.Errorf("no spec of %s passed", subject)
	}
}

// collect has every finished spec turned into a verdict, with its evidence written, and added to the run.
func collect(run *verdict.Run, tell func(verdict.Spec)) {
	ginkgo.ReportAfterEach(func(r ginkgo.SpecReport) {
		if r.LeafNodeType != types.NodeTypeIt || !ran(r) || enough {
			return
		}
		spec := judge(r)
		if session.Out != "" && current != nil && current.lab != nil {
			spec.Evidence = filepath.Join("specs", filepath.FromSlash(spec.ID))
			if err := gather(spec).Write(filepath.Join(session.Out, spec.Evidence), session.Redact); err != nil {
				spec.Verdict, spec.Reason = verdict.Error, "writing evidence: "+err.Error()
			}
		}
		run.Specs = append(run.Specs, spec)
		run.Summary[spec.Verdict]++
		run.Interrupted = run.Interrupted || r.State.Is(types.SpecStateInterrupted|types.SpecStateAborted)
		current = nil
		tell(spec)
	})
}

// ran tells a spec that was run, or skipped itself, from one that the filter or an interrupt left out.
func ran(r ginkgo.SpecReport) bool {
	return r.State != types.SpecStateSkipped || r.Failure.Message != ""
}

func gather(spec verdict.Spec) *verdict.Evidence {
	l := current.lab
	e := &verdict.Evidence{Spec: spec, Seed: current.seed, Frames: l.Frames(), Keys: l.Keys()}
	for _, p := range l.Peers() {
		e.Syslog = append(e.Syslog, p.Log()...)
	}
	return e
}

// describe reads what a spec says of itself.
func describe(r ginkgo.SpecReport) verdict.Spec {
	labels := r.Labels()
	subject := first(labelled(labels, labelSubject))
	id := SpecID(subject, r.LeafNodeText)
	return verdict.Spec{
		ID: id, Name: r.LeafNodeText, Subject: subject,
		Requirements: labelled(labels, labelRequirement),
		DUT:          roleUnderTest(labels).String(),
		Needs:        labelled(labels, labelNeeds),
		Negative:     slices.Contains(labels, Negative[0]),
		Fabric:       session.Fabric.Name(),
		Repeat:       fmt.Sprintf("%s --fabric %s --seed %s --spec %s", session.Command, session.Fabric.Name(), session.Seed, id),
	}
}

// judge turns Ginkgo's outcome into a verdict.
func judge(r ginkgo.SpecReport) verdict.Spec {
	s := describe(r)
	s.Seconds = r.RunTime.Seconds()
	s.Verdict, s.Reason = outcome(r, s.Negative)
	if current != nil && current.verdict != "" && s.Verdict != verdict.Error {
		s.Verdict, s.Reason = current.verdict, current.reason
	}
	return s
}

func outcome(r ginkgo.SpecReport, negative bool) (verdict.Verdict, string) {
	where := fmt.Sprintf("%s (%s:%d)", r.Failure.Message, filepath.Base(r.Failure.Location.FileName), r.Failure.Location.LineNumber)
	switch r.State {
	case types.SpecStatePassed:
		if negative && current != nil && current.controls == 0 {
			return verdict.Error, "a negative spec ended without its positive control"
		}
		return verdict.Pass, ""
	case types.SpecStateSkipped:
		return verdict.Skipped, r.Failure.Message
	case types.SpecStateFailed:
		return verdict.Fail, where
	case types.SpecStateTimedout:
		return verdict.Fail, "took longer than " + Limit.String() + ": " + where
	case types.SpecStateInterrupted, types.SpecStateAborted:
		return verdict.Error, "interrupted"
	case types.SpecStatePanicked:
		return verdict.Error, "panic: " + r.Failure.ForwardedPanic + " " + where + "\n" + r.Failure.Location.FullStackTrace
	default:
		return verdict.Error, "not run: " + r.State.String()
	}
}

package kit

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/daemon"
)

// Options say which specs to run and whom to tell.
type Options struct {
	Filter   string  // Ginkgo label expression
	Spec     string  // id of the only spec to run; "" all that the filter selects
	Worker   bool    // be the worker of another process, which has checked the options
	Claims   *Claims // of a worker that shares the specs with others
	Parts    Parts   // of a worker: all that the filter selects is in them
	Progress func(done, total int, s verdict.Spec)
	Shard    Shard
	Shuffle  int64 // decides the order of the specs; 0: that in which they are written
	FailFast bool  // leave the other specs out once one has the verdict fail
}

// failer lets RunSpecs be called outside of go test.
type failer struct{}

func (failer) Fail() {}

// suiteName is what Ginkgo calls everything that is linked in.
const suiteName = "gdoilab"

// Run runs the specs that the options select and returns one verdict for each. It can be called once in a process. If
// nothing is selected, the error is an ErrNoSpec. SIGINT and SIGTERM end the run in order: the spec under way is cleaned
// up, those after it are left out, and the run says that it was interrupted.
func Run(s Session, o Options) (*verdict.Run, error) {
	selected, err := chosen(o)
	if err != nil {
		return nil, err
	}
	session, wanted = s, o.Parts
	formatter.ColorableStdOut = io.Discard
	run := newRun(s)
	collect(run, func(spec verdict.Spec) {
		enough = enough || o.FailFast && spec.Verdict == verdict.Fail
		if o.Progress != nil {
			o.Progress(len(run.Specs), len(selected), spec)
		}
	})
	if run.Shard, err = o.shardOf(); err != nil {
		return nil, err
	}
	if err := shareSpecs(o); err != nil {
		return nil, err
	}
	gomega.RegisterFailHandler(ginkgo.Fail)
	suiteConfig, reporterConfig := configuration(o, selected)
	ginkgo.RunSpecs(failer{}, suiteName, suiteConfig, reporterConfig)
	signal.Ignore(os.Interrupt, syscall.SIGTERM) // Ginkgo no longer listens, and what was gathered is not to be lost
	if err := finish(); err != nil {
		return nil, fmt.Errorf("closing the lab: %w", err)
	}
	run.Interrupted = run.Interrupted || len(run.Specs) < len(selected) && !enough
	run.Seconds = time.Since(run.Start).Seconds()
	sortByID(run.Specs)
	run.Expectations, err = settle(run.Specs)
	return run, err
}

// chosen is choose, but for a worker: whoever started it knows what was selected, and making the tree of specs once more only for
// that takes a third of the time of a worker with little to do.
func chosen(o Options) ([]verdict.Spec, error) {
	if o.Worker && o.Spec == "" {
		return nil, nil
	}
	return choose(o)
}

// someoneElses is set while the present spec is another worker's.
var someoneElses bool

// shareSpecs leaves out each spec that another worker has claimed or another shard has.
func shareSpecs(o Options) error {
	if o.Claims != nil {
		leaveOut(func(id string) bool { return !o.Claims.take(id) }, "another worker has it")
		return nil
	}
	if o.Shard.Of == 0 {
		return nil
	}
	others, err := o.others()
	leaveOut(func(id string) bool { return others[id] }, "another shard has it")
	return err
}

// configuration is Ginkgo's, for the selected specs.
func configuration(o Options, selected []verdict.Spec) (types.SuiteConfig, types.ReporterConfig) {
	suiteConfig, reporterConfig := ginkgo.GinkgoConfiguration()
	suiteConfig.LabelFilter = o.Filter
	if o.Spec != "" {
		suiteConfig.LabelFilter = labelSubject + selected[0].Subject
		suiteConfig.FocusStrings = []string{"^" + regexp.QuoteMeta(suiteName+" "+texts[selected[0].ID]) + "$"}
	}
	suiteConfig.OutputInterceptorMode = "none"
	if o.Shuffle != 0 {
		suiteConfig.RandomizeAllSpecs, suiteConfig.RandomSeed = true, o.Shuffle
	}
	suiteConfig.GracePeriod = 10 * time.Second
	reporterConfig.Succinct, reporterConfig.NoColor = true, true
	return suiteConfig, reporterConfig
}

// Main is what each suite's TestMain calls: on the netns fabric the test binary is also the device's daemon.
func Main(m *testing.M) {
	daemon.BecomeIfAsked()
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
	if _, err := List(""); err != nil { // before collect, which would take a preview for a run
		t.Fatal(err)
	}
	run := &verdict.Run{Summary: map[verdict.Verdict]int{}}
	collect(run, func(spec verdict.Spec) {
		switch spec.Verdict {
		case verdict.Pass:
		case verdict.Skipped, verdict.Unsupported, verdict.ExpectedFailure:
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

func writeEvidence(spec verdict.Spec, s *state) error {
	e, err := gather(spec, s)
	if err != nil {
		return err
	}
	return e.Write(filepath.Join(session.Out, spec.Evidence), session.Redact)
}

// collect has every finished spec turned into a verdict, with its evidence written, and added to the run.
func collect(run *verdict.Run, tell func(verdict.Spec)) {
	ginkgo.ReportAfterEach(func(r ginkgo.SpecReport) {
		if r.LeafNodeType != types.NodeTypeIt || !ran(r) || enough || someoneElses {
			return
		}
		s := gathered()
		spec := judge(r, s)
		if session.Out != "" && s.lab != nil {
			spec.Evidence = filepath.Join("specs", filepath.FromSlash(spec.ID))
			if err := writeEvidence(spec, s); err != nil {
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

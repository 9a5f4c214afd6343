package verdict

import (
	"time"

	"github.com/gdoilab/gdoilab/harness/catalog"
)

// Verdict is the outcome of one spec or of one requirement.
type Verdict string

// The verdicts.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"         // the requirement was seen broken
	Inconclusive Verdict = "inconclusive" // the precondition was not reached
	Unsupported  Verdict = "unsupported"  // the device declares that it lacks the feature
	Skipped      Verdict = "skipped"      // the fabric lacks what the spec needs, or the run chose not to
	Error        Verdict = "error"        // the harness failed

	ExpectedFailure Verdict = "expected-failure" // the device failed as its manifest says it does
	UnexpectedPass  Verdict = "unexpected-pass"  // it passed, though its manifest says that it fails
)

// Verdicts lists all verdicts in the order in which reports show them.
var Verdicts = []Verdict{Pass, Fail, Inconclusive, Error, UnexpectedPass, ExpectedFailure, Unsupported, Skipped}

// attention reports whether somebody has to look into a spec.
func (v Verdict) attention() bool {
	return v == Fail || v == Inconclusive || v == Error || v == UnexpectedPass
}

// Spec is one spec and its outcome.
type Spec struct {
	ID           string   `json:"id"`   // unique in a run, usable as a file name
	Name         string   `json:"name"` // one sentence
	Subject      string   `json:"subject"`
	Requirements []string `json:"requirements"`
	DUT          string   `json:"dut"` // role of the device under test: KS or GM
	Fabric       string   `json:"fabric"`
	Needs        []string `json:"needs,omitempty"`
	Features     []string `json:"features,omitempty"` // that the device has to have
	Scene        string   `json:"scene,omitempty"`    // what it shows of two devices beside each other
	Negative     bool     `json:"negative,omitempty"` // the tester breaks a rule
	Verdict      Verdict  `json:"verdict"`
	Reason       string   `json:"reason,omitempty"` // one line for everything but pass
	Seconds      float64  `json:"seconds"`
	Evidence     string   `json:"evidence,omitempty"` // folder, relative to the run's
	Repeat       string   `json:"repeat,omitempty"`   // command that runs this spec alone

	Expected *Expectation `json:"expected,omitempty"` // what the device's manifest says of it
	Readings []Reading    `json:"readings,omitempty"` // which readings of an ambiguous text it saw the device follow
}

// Peer names the manifest of the device under test.
type Peer struct {
	Name    string `json:"name"`
	Vendor  string `json:"vendor,omitempty"`
	Version string `json:"version,omitempty"`
	File    string `json:"file"`
	Digest  string `json:"digest"`          // SHA-256 of the manifest, in hexadecimal; of a pair that of both digests' text
	Parts   []Peer `json:"parts,omitempty"` // of a pair: the key server's, the members'
}

// Run is everything that the reports say.
type Run struct {
	Tool        string          `json:"tool"`
	Version     string          `json:"version"`
	Start       time.Time       `json:"start"`
	Seconds     float64         `json:"seconds"`
	Fabric      string          `json:"fabric"`
	Seed        string          `json:"seed"` // decimal
	DUT         string          `json:"dut"`
	Peer        *Peer           `json:"peer,omitempty"`
	Redacted    bool            `json:"redacted"`
	Shard       *Shard          `json:"shard,omitempty"` // which part of a whole this is; nil: the whole
	Interrupted bool            `json:"interrupted"`     // ended before every selected spec had run
	Summary     map[Verdict]int `json:"summary"`
	Specs       []Spec          `json:"specs"`

	// Classes is how all requirements of the catalogue are accounted for, whatever this run was of; empty if nobody said.
	Classes map[catalog.Class]int `json:"classes,omitempty"`

	Expectations []Expectation `json:"expectations,omitempty"` // the failures that the device's manifest expects
	Readings     []Reading     `json:"readings,omitempty"`     // those of the specs together; NewReport fills them in
	Selftest     *Selftest     `json:"selftest,omitempty"`     // what the same specs said of mutants, if that was asked
}

// Exit is the exit status of the run: 0 if every spec passed, failed as expected, was unsupported or was skipped, at least
// one passed, what was expected came about, and the run was not interrupted; else 1. Whether one passed is
// asked of the whole, not of a shard.
func (r *Run) Exit() int {
	passed := 0
	for _, s := range r.Specs {
		switch s.Verdict {
		case Pass:
			passed++
		case ExpectedFailure, Unsupported, Skipped:
		default: // also a verdict that nobody set
			return 1
		}
	}
	for _, e := range r.Expectations {
		if e.attention() {
			return 1
		}
	}
	if passed == 0 && r.Shard == nil || r.Interrupted {
		return 1
	}
	return 0
}

// Tally counts the verdicts of specs; every verdict has an entry.
func Tally(specs []Spec) map[Verdict]int {
	counts := make(map[Verdict]int, len(Verdicts))
	for _, v := range Verdicts {
		counts[v] = 0
	}
	for _, s := range specs {
		counts[s.Verdict]++
	}
	return counts
}

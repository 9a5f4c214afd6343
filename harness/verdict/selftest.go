package verdict

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gdoilab/gdoilab/reference/rule"
)

// Mutant is the reference with one guard altered.
type Mutant struct {
	Guard       string  `json:"guard"`
	Mutation    string  `json:"mutation"`
	Requirement rule.ID `json:"requirement"`
	Role        string  `json:"role"`
	Doc         string  `json:"doc"`
}

// Name returns "guard=mutation", as the command line takes it.
func (m Mutant) Name() string { return m.Guard + "=" + m.Mutation }

// Fate is what became of a mutant.
type Fate string

// The fates. Stale is a mutant that is listed as equivalent and was killed.
const (
	Killed     Fate = "killed"
	Survived   Fate = "survived"
	Equivalent Fate = "equivalent"
	Stale      Fate = "stale"
	Untried    Fate = "error"
)

// MutantResult is one row of the matrix of mutants and specs.
type MutantResult struct {
	Mutant
	Fate     Fate               `json:"outcome"`
	Reason   string             `json:"reason,omitempty"` // of equivalence or of an error
	Killers  []string           `json:"killers"`          // specs whose verdict was fail
	Noticed  []string           `json:"noticed"`          // specs that ended inconclusive or with an error
	Ran      int                `json:"ran"`              // specs that met the mutant
	Seconds  float64            `json:"seconds"`
	Specs    map[string]Verdict `json:"specs"`              // every spec that met it
	Evidence string             `json:"evidence,omitempty"` // folder with what its specs saw, if it survived
}

// Selftest is the whole matrix: the proof that verdicts can fail.
type Selftest struct {
	Mutants    int     `json:"mutants"`
	Killed     int     `json:"killed"`
	Survived   int     `json:"survived"`
	Equivalent int     `json:"equivalent"`
	Errors     int     `json:"errors"`
	Seconds    float64 `json:"seconds"`

	Interrupted bool           `json:"interrupted"` // ended before every mutant had met its specs; Results has those that had
	Results     []MutantResult `json:"results"`
}

// NewSelftest counts results.
func NewSelftest(results []MutantResult) *Selftest {
	s := &Selftest{Mutants: len(results), Results: results}
	for _, r := range results {
		switch r.Fate {
		case Killed:
			s.Killed++
		case Survived:
			s.Survived++
		case Equivalent:
			s.Equivalent++
		default:
			s.Errors++
		}
	}
	return s
}

// OK reports whether every mutant was killed or is equivalent.
func (s *Selftest) OK() bool {
	return s.Survived == 0 && s.Errors == 0 && s.Killed > 0 && !s.Interrupted
}

// Attention returns the results that somebody has to look into.
func (s *Selftest) Attention() []MutantResult {
	return slices.DeleteFunc(slices.Clone(s.Results), func(r MutantResult) bool { return r.Fate == Killed || r.Fate == Equivalent })
}

// Read reads report.json.
func Read(r io.Reader) (*Run, error) {
	var report Report
	if err := json.NewDecoder(r).Decode(&report); err != nil {
		return nil, fmt.Errorf("no report of a run: %w", err)
	}
	if report.Tool == "" {
		return nil, errors.New("no report of a run: it names no tool")
	}
	return &report.Run, nil
}

// ReadSelftest reads the JSON of a selftest. Counts that are not those of its results are an error.
func ReadSelftest(r io.Reader) (*Selftest, error) {
	var s Selftest
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		return nil, fmt.Errorf("no result of a selftest: %w", err)
	}
	counted := NewSelftest(s.Results)
	if counted.Mutants != s.Mutants || counted.Killed != s.Killed || counted.Survived != s.Survived || counted.Equivalent != s.Equivalent {
		return nil, fmt.Errorf("no result of a selftest: it speaks of %d mutants, and has %d", s.Mutants, counted.Mutants)
	}
	return &s, nil
}

package selftest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// Outcome is what became of a mutant.
type Outcome string

// The outcomes. Stale is a mutant that is listed as equivalent and was killed.
const (
	Killed     Outcome = "killed"
	Survived   Outcome = "survived"
	Equal      Outcome = "equivalent"
	Stale      Outcome = "stale"
	BrokenTool Outcome = "error"
)

// Result is one row of the matrix.
type Result struct {
	Mutant
	Outcome Outcome         `json:"outcome"`
	Reason  string          `json:"reason,omitempty"` // of equivalence or of an error
	Killers []string        `json:"killers"`          // specs whose verdict was fail
	Noticed []string        `json:"noticed"`          // specs that ended inconclusive or with an error
	Ran     int             `json:"ran"`              // specs that met the mutant
	Seconds float64         `json:"seconds"`
	Specs   map[string]Word `json:"specs"` // every spec that met it
}

// Word is the verdict of one spec about one mutant.
type Word = verdict.Verdict

// Matrix is the whole selftest.
type Matrix struct {
	Mutants    int     `json:"mutants"`
	Killed     int     `json:"killed"`
	Survived   int     `json:"survived"`
	Equivalent int     `json:"equivalent"`
	Errors     int     `json:"errors"`
	Seconds    float64 `json:"seconds"`

	Interrupted bool     `json:"interrupted"` // ended before every mutant had met its specs; Results has those that had
	Results     []Result `json:"results"`
}

// OK reports whether every mutant was killed or is equivalent.
func (m *Matrix) OK() bool { return m.Survived == 0 && m.Errors == 0 && m.Killed > 0 && !m.Interrupted }

// Options of a selftest.
type Options struct {
	Program  string // this program, as workers are started
	DUT      string // manifest of the device whose guards are altered; "": the default
	Workers  int
	Guards   []string // prefixes of guards' names; none: all
	Whole    bool     // let every mutant meet every spec of its role, not only until one has killed it
	Progress func(done, total int, r Result)
}

// Run lets every mutant meet the specs. The context ends it early, with what is known by then. No guard of a wanted name
// is an error.
func Run(ctx context.Context, o Options) (*Matrix, error) {
	equivalents, err := Equivalents()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	mutants := Mutants(o.Guards...)
	if err := checkPrefixes(o.Guards); err != nil {
		return nil, err
	}
	results := make([]Result, len(mutants))
	work := make(chan int)
	var workers sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range max(1, o.Workers) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := range work {
				r := try(ctx, o, mutants[i], equivalents)
				if ctx.Err() != nil {
					continue // it was not let to its end
				}
				mu.Lock()
				results[i] = r
				done++
				if o.Progress != nil {
					o.Progress(done, len(mutants), r)
				}
				mu.Unlock()
			}
		}()
	}
	for i := range mutants {
		work <- i
	}
	close(work)
	workers.Wait()
	m := tally(slices.DeleteFunc(results, func(r Result) bool { return r.Outcome == "" }))
	m.Seconds, m.Interrupted = time.Since(start).Seconds(), len(m.Results) < len(mutants)
	return m, nil
}

// checkPrefixes refuses a prefix with which no guard's name begins, and says which names are near it.
func checkPrefixes(prefixes []string) error {
	for _, p := range prefixes {
		var names []string
		found := false
		for _, g := range rule.All() {
			found = found || strings.HasPrefix(g.Name, p)
			names = append(names, g.Name)
		}
		if found {
			continue
		}
		if near := catalog.Nearest(p, names); len(near) > 0 {
			return fmt.Errorf("no guard's name begins with %s; did you mean %s?", p, strings.Join(near, ", "))
		}
		return fmt.Errorf("no guard's name begins with %s", p)
	}
	return nil
}

func tally(results []Result) *Matrix {
	m := &Matrix{Mutants: len(results), Results: results}
	for _, r := range results {
		switch r.Outcome {
		case Killed:
			m.Killed++
		case Survived:
			m.Survived++
		case Equal:
			m.Equivalent++
		default:
			m.Errors++
		}
	}
	return m
}

// try lets one mutant meet the specs of its own requirement, and if it lives the others of its role.
func try(ctx context.Context, o Options, m Mutant, equivalents map[string]string) Result {
	r := Result{Mutant: m, Killers: []string{}, Noticed: []string{}, Specs: map[string]Word{}}
	start := time.Now()
	own := "req:" + string(m.Requirement)
	filters := []string{own, role(m.Role) + " && !" + own}
	for _, filter := range filters {
		if err := meet(ctx, o, m, filter, &r); err != nil {
			r.Outcome, r.Reason = BrokenTool, err.Error()
			return r
		}
		if len(r.Killers) > 0 && !o.Whole {
			break
		}
	}
	r.Seconds, r.Ran = time.Since(start).Seconds(), len(r.Specs)
	reason, listed := equivalents[m.Name()]
	switch killed := len(r.Killers) > 0; {
	case killed && listed:
		r.Outcome, r.Reason = Stale, "listed as equivalent, but killed"
	case killed:
		r.Outcome = Killed
	case listed:
		r.Outcome, r.Reason = Equal, reason
	default:
		r.Outcome = Survived
	}
	return r
}

// role selects the specs in which that role is under test.
func role(name string) string {
	if name == "both" {
		return "(dut:KS || dut:GM || dut:both)"
	}
	return "(dut:" + name + " || dut:both)"
}

// meet runs a worker and enters its verdicts.
func meet(ctx context.Context, o Options, m Mutant, filter string, r *Result) error {
	args := []string{"run", "--lane", kit.Lane{I: 0, N: 1}.String(), "--no-evidence", "--fabric", "memory", "--mutant", m.Name(), "--filter", filter}
	if !o.Whole {
		args = append(args, "--fail-fast")
	}
	if o.DUT != "" {
		args = append(args, "--dut", o.DUT)
	}
	cmd := exec.CommandContext(ctx, o.Program, args...)
	in, err := cmd.StdinPipe() // held open: its end tells the worker that we are gone
	if err != nil {
		return err
	}
	defer in.Close()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	specs, toldErr := kit.Told(&stdout)
	if err = errors.Join(err, toldErr); err != nil {
		return fmt.Errorf("worker for %s: %w: %s", m.Name(), err, bytes.TrimSpace(stderr.Bytes()))
	}
	for _, s := range specs {
		r.Specs[s.ID] = s.Verdict
		switch s.Verdict {
		case verdict.Fail:
			r.Killers = append(r.Killers, s.ID)
		case verdict.Inconclusive, verdict.Error:
			r.Noticed = append(r.Noticed, s.ID)
		}
	}
	slices.Sort(r.Killers)
	slices.Sort(r.Noticed)
	return nil
}

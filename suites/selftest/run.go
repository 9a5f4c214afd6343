package selftest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gdoilab/gdoilab/harness/verdict"
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
	Mutants    int      `json:"mutants"`
	Killed     int      `json:"killed"`
	Survived   int      `json:"survived"`
	Equivalent int      `json:"equivalent"`
	Errors     int      `json:"errors"`
	Seconds    float64  `json:"seconds"`
	Results    []Result `json:"results"`
}

// OK reports whether every mutant was killed or is equivalent.
func (m *Matrix) OK() bool { return m.Survived == 0 && m.Errors == 0 && m.Killed > 0 }

// Options of a selftest.
type Options struct {
	Program  string // this program, as workers are started
	Workers  int
	Guards   []string // prefixes of guards' names; none: all
	Whole    bool     // let every mutant meet every spec of its role, not only until one has killed it
	Progress func(done, total int, r Result)
}

// Run lets every mutant meet the specs. The context ends it early, with what is known by then.
func Run(ctx context.Context, o Options) (*Matrix, error) {
	equivalents, err := Equivalents()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	mutants := Mutants(o.Guards...)
	if len(mutants) == 0 {
		return nil, fmt.Errorf("no guard's name begins with %s", strings.Join(o.Guards, " or "))
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
	m := tally(results)
	m.Seconds = time.Since(start).Seconds()
	return m, ctx.Err()
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

// noSpec is what the program says about a filter that selects nothing.
const noSpec = "no spec is selected"

// meet runs a worker and enters its verdicts.
func meet(ctx context.Context, o Options, m Mutant, filter string, r *Result) error {
	args := []string{"run", "--json", "--no-evidence", "--fabric", "memory", "--mutant", m.Name(), "--filter", filter}
	if !o.Whole {
		args = append(args, "--fail-fast")
	}
	cmd := exec.CommandContext(ctx, o.Program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if strings.Contains(stderr.String(), kit.ErrNoSpec.Error()) {
		return nil
	}
	var run verdict.Run
	if jsonErr := json.Unmarshal(stdout.Bytes(), &run); jsonErr != nil {
		return fmt.Errorf("worker for %s: %w: %s", m.Name(), errors.Join(err, jsonErr), bytes.TrimSpace(stderr.Bytes()))
	}
	for _, s := range run.Specs {
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

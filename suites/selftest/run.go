package selftest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// Options of a selftest.
type Options struct {
	Program  string // this program, as workers are started
	DUT      string // manifest of the device whose guards are altered; "": the default
	Workers  int
	Specs    []verdict.Spec // that there are, by which a worker knows what it need not build; none: it builds all
	Guards   []string       // prefixes of guards' names; none: all
	Whole    bool           // let every mutant meet every spec of its role, not only until one has killed it
	Evidence string         // folder for what the specs saw of mutants that survive; "": none
	Progress func(done, total int, r verdict.MutantResult)
}

// Run lets every mutant meet the specs. The context ends it early, with what is known by then. No guard of a wanted name
// is an error.
func Run(ctx context.Context, o Options) (*verdict.Selftest, error) {
	equivalents, err := Equivalents()
	if err != nil {
		return nil, err
	}
	about := byRequirement(o.Specs)
	start := time.Now()
	mutants := Mutants(o.Guards...)
	if err := checkPrefixes(o.Guards); err != nil {
		return nil, err
	}
	results := make([]verdict.MutantResult, len(mutants))
	work := make(chan int)
	var workers sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range max(1, o.Workers) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := range work {
				r := try(ctx, o, mutants[i], about, equivalents)
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
	m := verdict.NewSelftest(slices.DeleteFunc(results, func(r verdict.MutantResult) bool { return r.Fate == "" }))
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

// byRequirement returns the specs of each requirement.
func byRequirement(specs []verdict.Spec) map[string][]verdict.Spec {
	about := make(map[string][]verdict.Spec)
	for _, s := range specs {
		for _, q := range s.Requirements {
			about[q] = append(about[q], s)
		}
	}
	return about
}

// partsOf returns the parts of the suite that the specs belong to.
func partsOf(specs []verdict.Spec) kit.Parts {
	var parts kit.Parts
	for _, s := range specs {
		if part := kit.PartOf(s); !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return parts
}

// try lets one mutant meet the specs of its own requirement, and if it lives the others of its role.
func try(ctx context.Context, o Options, m verdict.Mutant, about map[string][]verdict.Spec, equivalents map[string]string) verdict.MutantResult {
	r := verdict.MutantResult{Mutant: m, Killers: []string{}, Noticed: []string{}, Specs: map[string]verdict.Verdict{}}
	start := time.Now()
	own := "req:" + string(m.Requirement)
	for _, choice := range []choice{
		{filter: own, parts: partsOf(about[string(m.Requirement)])},
		{filter: role(m.Role) + " && !" + own},
	} {
		if err := meet(ctx, o, m, choice, &r); err != nil {
			r.Fate, r.Reason = verdict.Untried, err.Error()
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
		r.Fate, r.Reason = verdict.Stale, "listed as equivalent, but killed"
	case killed:
		r.Fate = verdict.Killed
	case listed:
		r.Fate, r.Reason = verdict.Equivalent, reason
	default:
		r.Fate = verdict.Survived
		r.Evidence, r.Reason = keep(ctx, o, m)
	}
	return r
}

// keep has the specs of a survivor's own requirement meet it once more and leave what they see. It returns the folder, or what
// went wrong.
func keep(ctx context.Context, o Options, m verdict.Mutant) (folder, problem string) {
	if o.Evidence == "" {
		return "", ""
	}
	folder = filepath.Join(o.Evidence, m.Name())
	args := []string{"run", "--fabric", "memory", "--workers", "1", "--mutant", m.Name(), "--filter", "req:" + string(m.Requirement), "--out", folder}
	if o.DUT != "" {
		args = append(args, "--dut", o.DUT)
	}
	out, err := exec.CommandContext(ctx, o.Program, args...).CombinedOutput()
	if _, written := os.Stat(filepath.Join(folder, verdict.ReportJSON)); written != nil {
		return "", fmt.Sprintf("no evidence: %v: %s", err, bytes.TrimSpace(out))
	}
	return folder, ""
}

// role selects the specs in which that role is under test.
func role(name string) string {
	if name == "both" {
		return "(dut:KS || dut:GM || dut:both)"
	}
	return "(dut:" + name + " || dut:both)"
}

// choice is which specs a mutant meets.
type choice struct {
	filter string
	parts  kit.Parts // that have all of them; nil if they are everywhere
}

// meet runs a worker and enters its verdicts.
func meet(ctx context.Context, o Options, m verdict.Mutant, c choice, r *verdict.MutantResult) error {
	args := []string{"run", "--worker", "--no-evidence", "--fabric", "memory", "--mutant", m.Name(), "--filter", c.filter}
	if len(c.parts) > 0 {
		args = append(args, "--parts", strings.Join(c.parts, ","))
	}
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

package verdict

import (
	"slices"

	"github.com/gdoilab/gdoilab/harness/catalog"
)

// Result is the outcome of one requirement: the worst verdict of the specs that test it.
type Result struct {
	ID      string   `json:"id"`
	Level   string   `json:"level,omitempty"` // MUST, SHOULD, …; empty if the id is in no catalogue
	Role    string   `json:"role,omitempty"`
	Section string   `json:"section,omitempty"` // "RFC 6407 §4.4"
	Summary string   `json:"summary,omitempty"`
	Verdict Verdict  `json:"verdict"`
	Reason  string   `json:"reason,omitempty"` // of the spec that decided
	Specs   []string `json:"specs"`
}

// Coverage says how much of the catalogue the run speaks of.
type Coverage struct {
	Catalogue int `json:"catalogue"` // requirements in the catalogue
	Tested    int `json:"tested"`    // with a verdict from a spec that ran: all but unsupported and skipped
	Passed    int `json:"passed"`
}

// severity orders verdicts for a requirement with several specs: what was seen broken counts first, and a spec that did
// not run takes nothing from one that passed.
var severity = map[Verdict]int{Fail: 8, Error: 7, Inconclusive: 6, UnexpectedPass: 5, ExpectedFailure: 4, Pass: 3, Unsupported: 2, Skipped: 1}

// Results gives every requirement that the run's specs test, in the order of the catalogue, then those that it does not
// know.
func (r *Run) Results(c *catalog.Catalog) []Result {
	byID := make(map[string]*Result)
	var unknown []string
	for i := range r.Specs {
		s := &r.Specs[i]
		for _, id := range s.Requirements {
			have := byID[id]
			if have == nil {
				have = result(c, id)
				byID[id] = have
				if have.Level == "" {
					unknown = append(unknown, id)
				}
			}
			have.add(s)
		}
	}
	results := make([]Result, 0, len(byID))
	for _, q := range c.All() {
		if have := byID[q.ID]; have != nil {
			results = append(results, *have)
		}
	}
	slices.Sort(unknown)
	for _, id := range unknown {
		results = append(results, *byID[id])
	}
	return results
}

func result(c *catalog.Catalog, id string) *Result {
	q, err := c.Find(id)
	if err != nil {
		return &Result{ID: id}
	}
	return &Result{ID: id, Level: q.Level, Role: q.Role, Section: q.Origin(), Summary: q.Summary}
}

func (q *Result) add(s *Spec) {
	if !slices.Contains(q.Specs, s.ID) {
		q.Specs = append(q.Specs, s.ID)
	}
	if severity[s.Verdict] > severity[q.Verdict] {
		q.Verdict, q.Reason = s.Verdict, s.Reason
	}
}

// coverage counts the results against the catalogue, of which those of other catalogues are no part.
func coverage(c *catalog.Catalog, results []Result) Coverage {
	have := Coverage{Catalogue: c.Len()}
	for _, q := range results {
		if !c.Has(q.ID) {
			continue
		}
		switch q.Verdict {
		case Unsupported, Skipped:
			continue
		case Pass:
			have.Passed++
		}
		have.Tested++
	}
	return have
}

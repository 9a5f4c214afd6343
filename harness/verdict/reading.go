package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/harness/catalog"
)

// Reading is which of several readings of an ambiguous requirement the device follows, as specs saw it. It is no verdict: every reading that
// the requirement's text bears is right.
type Reading struct {
	Requirement string   `json:"requirement"`
	Does        string   `json:"does"`                // what the device does
	Ambiguity   string   `json:"ambiguity,omitempty"` // what the catalogue says is open; in reports
	Specs       []string `json:"specs,omitempty"`     // that saw it; in reports
}

// readings gathers what the specs noted: each reading once, in the order of the catalogue. Specs that saw different things are two of them.
func (r *Run) readings(c *catalog.Catalog) []Reading {
	var all []Reading
	for _, s := range r.Specs {
		for _, note := range s.Readings {
			at := slices.IndexFunc(all, func(x Reading) bool { return x.Requirement == note.Requirement && x.Does == note.Does })
			if at < 0 {
				at, all = len(all), append(all, Reading{Requirement: note.Requirement, Does: note.Does, Ambiguity: ambiguity(c, note.Requirement)})
			}
			if !slices.Contains(all[at].Specs, s.ID) {
				all[at].Specs = append(all[at].Specs, s.ID)
			}
		}
	}
	place := make(map[string]int, c.Len())
	for i, q := range c.All() {
		place[q.ID] = i
	}
	slices.SortFunc(all, func(a, b Reading) int {
		return cmp.Or(cmp.Compare(place[a.Requirement], place[b.Requirement]), strings.Compare(a.Does, b.Does))
	})
	return all
}

func ambiguity(c *catalog.Catalog, id string) string {
	q, err := c.Find(id)
	if err != nil {
		return ""
	}
	return q.Ambiguity
}

// String is the reading in one line, for a terminal.
func (r Reading) String() string { return fmt.Sprintf("reading: %s: %s", r.Requirement, r.Does) }

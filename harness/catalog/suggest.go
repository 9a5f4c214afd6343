package catalog

import (
	"cmp"
	"slices"
	"strings"
)

// suggestions is how many near ids an UnknownError names at most.
const suggestions = 3

// UnknownError says that an id is not in the catalogue, and which ids are near it.
type UnknownError struct {
	ID   string
	What string   // it names: "message"; "" is a requirement
	Near []string // best first, may be empty
}

// Error is one line: the wrong id and what may have been meant.
func (e *UnknownError) Error() string {
	text := "catalog: there is no " + cmp.Or(e.What, "requirement") + " " + e.ID
	if len(e.Near) > 0 {
		text += "; did you mean " + strings.Join(e.Near, ", ") + "?"
	}
	return text
}

// Suggest returns up to three ids that are near the given one: the fewest edits first, ids of the same section before
// others. It returns nothing when no id resembles it.
func (c *Catalog) Suggest(id string) []string {
	ids := make([]string, len(c.all))
	for i, r := range c.all {
		ids[i] = r.ID
	}
	return Nearest(id, ids)
}

// Nearest returns up to three of the ids that are near the given one, whatever the case of the letters: the fewest edits
// first, then those that begin alike. It returns nothing when none resembles it.
func Nearest(id string, ids []string) []string {
	type near struct {
		id       string
		distance int
	}
	limit := max(2, len(id)/4)
	var found []near
	for _, other := range ids {
		if d := distance(strings.ToUpper(id), strings.ToUpper(other), limit); d <= limit {
			found = append(found, near{other, d})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), -cmp.Compare(shared(id, a.id), shared(id, b.id)))
	})
	var best []string
	for _, n := range found[:min(suggestions, len(found))] {
		best = append(best, n.id)
	}
	return best
}

// shared is the length of the common beginning of a and b.
func shared(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// distance is the number of octets to insert, remove or replace to make a into b; above limit it may stop counting.
func distance(a, b string, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Covered is one requirement and its place: the specs that test it, or why there are none.
type Covered struct {
	Requirement Requirement
	Class       Class
	Claims      []Claim  // in the order of the specs
	Untested    []string // the roles that it binds and no spec tests
	Other       Class    // of a half-tested one: the class of its other half
	Place       *Place   // nil if it is tested, or unaccounted
}

// Coverage sets the claims of specs and the places of the rest against the catalogue: every requirement in the catalogue's order.
// What specs test needs no place, and a place that it has all the same does not count. A claim on an id that no catalogue has is an
// *UnknownError.
func Coverage(c *Catalog, places *Places, claims []Claim) ([]Covered, error) {
	byID := claimsOf(claims)
	for id := range byID {
		if _, err := find(id); err != nil {
			return nil, err
		}
	}
	rows := make([]Covered, len(c.all))
	for i, r := range c.all {
		rows[i] = covered(r, places, byID[r.ID])
	}
	return rows, nil
}

func covered(r Requirement, places *Places, claims []Claim) Covered {
	row := Covered{Requirement: r, Class: Tested, Claims: claims, Untested: untested(r, claims)}
	if len(row.Untested) == 0 {
		return row
	}
	row.Class, row.Place = places.find(r.ID)
	if len(row.Untested) < len(r.Halves()) {
		row.Class, row.Other = Half, row.Class
	}
	return row
}

// find returns the class and the place of a requirement.
func (p *Places) find(id string) (Class, *Place) {
	for _, class := range []Class{Implied, Untestable, OutOfScope, Planned} {
		of := p.of(class)
		if i := slices.IndexFunc(of, func(at Place) bool { return at.ID == id }); i >= 0 {
			return class, &of[i]
		}
	}
	return Unaccounted, nil
}

// Check returns what is wrong with the places of a catalogue: a requirement or the half of one that has none, a place of one that specs test
// after all, and one that is implied by what is not tested itself. Planned ones give way to specs without a word.
func Check(rows []Covered, places *Places, claims []Claim) error {
	var wrong []error
	for _, row := range rows {
		if row.Class == Unaccounted || row.Other == Unaccounted {
			wrong = append(wrong, fmt.Errorf("%s: nothing tests it for %s, and nothing says why", row.Requirement.ID, strings.Join(row.Untested, " and ")))
		}
	}
	byID := claimsOf(claims)
	for _, class := range []Class{Implied, Untestable, OutOfScope} {
		for _, place := range places.of(class) {
			wrong = append(wrong, place.contradiction(class, byID))
		}
	}
	return errors.Join(wrong...)
}

// contradiction is what the specs say against a place, or nil.
func (p Place) contradiction(class Class, byID map[string][]Claim) error {
	r, err := find(p.ID)
	if err != nil {
		return err
	}
	without := untested(r, byID[p.ID])
	switch {
	case len(without) == 0:
		return fmt.Errorf("%s: specs test it, it is not %s", p.ID, class)
	case p.Role != "" && !slices.Equal(without, []string{p.Role}):
		return fmt.Errorf("%s: it is said to be %s for %s alone, but nothing tests it for %s", p.ID, class, p.Role, strings.Join(without, " and "))
	case p.Role == "" && len(without) < len(r.Halves()):
		return fmt.Errorf("%s: specs test half of it; say that it is %s for %s", p.ID, class, without[0])
	}
	for _, id := range p.By {
		by, err := find(id)
		if err != nil {
			return err
		}
		if without := untested(by, byID[id]); len(without) > 0 {
			return fmt.Errorf("%s: it is implied by %s, which nothing tests for %s", p.ID, id, strings.Join(without, " and "))
		}
	}
	return nil
}

// Count says how many of the rows are of each class.
func Count(rows []Covered) map[Class]int {
	of := make(map[Class]int)
	for _, row := range rows {
		of[row.Class]++
	}
	return of
}

// Share is how many of the demands that leave no choice and can be seen from outside are tested, for every role that they bind.
func Share(rows []Covered) (tested, of int) {
	for _, row := range rows {
		if !row.Requirement.Must() {
			continue
		}
		of++
		if row.Class == Tested {
			tested++
		}
	}
	return tested, of
}

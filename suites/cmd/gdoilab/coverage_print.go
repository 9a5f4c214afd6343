package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/gdoilab/gdoilab/harness/catalog"
)

// heads are the classes as heads of columns.
var heads = map[catalog.Class]string{catalog.Half: "half", catalog.OutOfScope: "out of\nscope", catalog.Untestable: "untest-\nable",
	catalog.Unaccounted: "none"}

func printTallies(w io.Writer, rows []catalog.Covered, apart bool) {
	sum := count(rows)
	g := &grid{Header: []string{"RFC", "all"}}
	switch guide := rows[0].Requirement.RFC == ""; {
	case guide && apart:
		g.Header[0] = "section"
	case guide:
		g.Header[0] = "area"
	case apart:
		g.Header[0] = "RFC and section"
	}
	var shown []catalog.Class
	for _, class := range catalog.Classes {
		if class == catalog.Unaccounted && sum.Classes[class] == 0 {
			continue
		}
		head, short := heads[class]
		if !short {
			head = string(class)
		}
		shown, g.Header = append(shown, class), append(g.Header, head)
	}
	add := func(name string, t tally) {
		cells := []string{name, strconv.Itoa(t.Total)}
		for _, class := range shown {
			cells = append(cells, strconv.Itoa(t.Classes[class]))
		}
		g.add(cells...)
	}
	for _, s := range sections(rows, apart) {
		at := catalog.Requirement{RFC: s.RFC, Section: s.Section}
		add(strings.TrimSuffix(at.Origin(), " §"), s.tally)
	}
	add("all", sum)
	g.render(w)
	conclude(w, rows)
}

func printTested(w io.Writer, rows []catalog.Covered) {
	g := &grid{Header: []string{"requirement", "level", "role", "tested for", "specs"}, Wide: 4}
	for _, c := range rows {
		if len(c.Claims) == 0 {
			continue
		}
		var specs []string
		for _, claim := range c.Claims {
			specs = append(specs, claim.Spec)
		}
		g.add(c.Requirement.ID, c.Requirement.Level, c.Requirement.Role, testedFor(c), strings.Join(specs, "\n"))
	}
	g.render(w)
	conclude(w, rows)
}

// testedFor says for which roles specs test the requirement.
func testedFor(c catalog.Covered) string {
	if c.Class == catalog.Half {
		return "not " + strings.Join(c.Untested, ", ")
	}
	return c.Requirement.Role
}

func printMissing(w io.Writer, rows []catalog.Covered) {
	g := &grid{Header: []string{"requirement", "level", "lacks", "class", "summary"}, Wide: 4}
	for _, c := range rows {
		if r := c.Requirement; c.Class != catalog.Tested {
			g.add(r.ID, r.Level, strings.Join(c.Untested, ", "), string(c.Class), strings.Join(strings.Fields(r.Summary), " "))
		}
	}
	g.render(w)
	conclude(w, rows)
}

func printPlaces(w io.Writer, rows []catalog.Covered) {
	g := &grid{Header: []string{"requirement", "lacks", "class", "reason"}, Wide: 3}
	for _, c := range rows {
		if c.Place == nil {
			continue
		}
		class := c.Class
		if class == catalog.Half {
			class = c.Other
		}
		reason := c.Place.Reason
		if len(c.Place.By) > 0 {
			reason = "By " + strings.Join(c.Place.By, ", ") + ": " + reason
		}
		g.add(c.Requirement.ID, strings.Join(c.Untested, ", "), string(class), reason)
	}
	g.render(w)
	conclude(w, rows)
}

func printKept(w io.Writer, rows []catalog.Covered) {
	for _, line := range catalog.Kept(rows) {
		fmt.Fprintln(w, line)
	}
}

func conclude(w io.Writer, rows []catalog.Covered) {
	fmt.Fprintf(w, "%d of %d requirements are tested for every role that they bind\n", catalog.Count(rows)[catalog.Tested], len(rows))
	if tested, of := catalog.Share(rows); tested > 0 {
		fmt.Fprintf(w, "of those that leave no choice and can be seen from outside: %d of %d, %.1f %%\n", tested, of, percent(tested, of))
	}
}

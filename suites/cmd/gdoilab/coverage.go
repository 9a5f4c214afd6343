package main

import (
	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// coverageJSON is the JSON of "coverage": docs/schema/coverage.schema.json.
type coverageJSON struct {
	Catalogue string `json:"catalogue"`
	tally
	Share        shareJSON     `json:"share"`
	Sections     []sectionJSON `json:"sections"`
	Requirements []coveredJSON `json:"requirements"`
}

// tally counts requirements by their class.
type tally struct {
	Total   int                   `json:"total"`
	Classes map[catalog.Class]int `json:"classes"`
}

// shareJSON is how many of the demands that leave no choice and can be seen from outside are tested.
type shareJSON struct {
	Tested  int     `json:"tested"`
	Of      int     `json:"of"`
	Percent float64 `json:"percent"`
}

type sectionJSON struct {
	RFC     string `json:"rfc"`
	Section string `json:"section"`
	tally
}

type coveredJSON struct {
	ID         string          `json:"id"`
	Level      string          `json:"level"`
	Role       string          `json:"role"`
	Observable string          `json:"observable"`
	Class      catalog.Class   `json:"class"`
	Specs      []catalog.Claim `json:"specs"`
	Untested   []string        `json:"untested,omitempty"` // roles that it binds and no spec tests
	Other      catalog.Class   `json:"other,omitempty"`    // of a half-tested one: the class of its other half
	Reason     string          `json:"reason,omitempty"`
	By         []string        `json:"by,omitempty"`
}

// coverageFlags are the flags of "coverage": what to show.
type coverageFlags struct {
	catalogue                                      string
	asJSON, sections, specs, missing, places, kept bool
}

func coverageCommand() *cobra.Command {
	var f coverageFlags
	c := &cobra.Command{
		Use: "coverage", Short: "Show the place of every requirement", Args: cobra.NoArgs,
		Long: `Give every requirement of a catalogue one class. It is tested when specs name it for each role that it binds, and
half-tested when they do for one of two; that such a spec can fail is what "selftest" shows. The others say why
there is no spec: implied by requirements that are tested, untestable from outside, out of scope, or planned.
Exit status 1 if a requirement has no class, or one that the specs contradict.`,
		RunE: func(c *cobra.Command, _ []string) error { return showCoverage(c, f) },
	}
	c.Flags().StringVar(&f.catalogue, "catalogue", "gdoi", "which catalogue: gdoi, juniper (an overview of IKEv1), getvpn or pfs (guides of another vendor), ikev2 (its base protocol)")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print JSON, with everything")
	c.Flags().BoolVar(&f.sections, "sections", false, "count by section")
	c.Flags().BoolVar(&f.specs, "specs", false, "list the requirements that are tested and their specs")
	c.Flags().BoolVar(&f.missing, "missing", false, "list the requirements that lack a spec for a role")
	c.Flags().BoolVar(&f.places, "places", false, "list the same with the reasons")
	c.Flags().BoolVar(&f.kept, "kept", false, "list what is tested, as fixtures/tested-*.txt keep it")
	c.MarkFlagsMutuallyExclusive("json", "sections", "specs", "missing", "places", "kept")
	return c
}

func showCoverage(c *cobra.Command, f coverageFlags) error {
	rows, wrong, err := cover(f.catalogue)
	if err != nil {
		return err
	}
	w := c.OutOrStdout()
	switch {
	case f.asJSON:
		err = printJSON(w, coverageOf(f.catalogue, rows))
	case f.specs:
		printTested(w, rows)
	case f.missing:
		printMissing(w, rows)
	case f.places:
		printPlaces(w, rows)
	case f.kept:
		printKept(w, rows)
	default:
		printTallies(w, rows, f.sections)
	}
	if err == nil && wrong != nil {
		c.PrintErrln(wrong)
		err = &exitError{code: exitFailed}
	}
	return err
}

// cover classes the requirements of a catalogue. Wrong is what the specs say against the classes.
func cover(catalogue string) (rows []catalog.Covered, wrong, err error) {
	requirements, err := catalog.Named(catalogue)
	if err != nil {
		return nil, nil, err
	}
	places, err := catalog.LoadPlaces(catalogue)
	if err != nil {
		return nil, nil, err
	}
	all, err := claims()
	if err != nil {
		return nil, nil, err
	}
	rows, err = catalog.Coverage(requirements, places, all)
	if err != nil {
		return nil, nil, err
	}
	return rows, catalog.Check(rows, places, all), nil
}

// claims says which requirements the specs test.
func claims() ([]catalog.Claim, error) {
	specs, err := kit.List("")
	if err != nil {
		return nil, err
	}
	var all []catalog.Claim
	for _, s := range specs {
		var needs []lab.Need
		for _, n := range s.Needs {
			needs = append(needs, lab.Need(n))
		}
		all = append(all, catalog.Claim{Spec: s.ID, DUT: s.DUT, Fabrics: lab.Fabrics(needs...), Requirements: s.Requirements})
	}
	return all, nil
}

func coverageOf(catalogue string, rows []catalog.Covered) coverageJSON {
	x := coverageJSON{Catalogue: catalogue, tally: count(rows), Sections: sections(rows, true), Requirements: []coveredJSON{}}
	x.Share.Tested, x.Share.Of = catalog.Share(rows)
	x.Share.Percent = percent(x.Share.Tested, x.Share.Of)
	for _, c := range rows {
		r := c.Requirement
		row := coveredJSON{ID: r.ID, Level: r.Level, Role: r.Role, Observable: r.Seen(), Class: c.Class, Specs: append([]catalog.Claim{}, c.Claims...),
			Untested: c.Untested, Other: c.Other}
		if c.Place != nil {
			row.Reason, row.By = c.Place.Reason, c.Place.By
		}
		x.Requirements = append(x.Requirements, row)
	}
	return x
}

func count(rows []catalog.Covered) tally {
	t := tally{Total: len(rows), Classes: make(map[catalog.Class]int)}
	for _, class := range catalog.Classes {
		t.Classes[class] = 0
	}
	for class, n := range catalog.Count(rows) {
		t.Classes[class] = n
	}
	return t
}

// sections counts by section, or by RFC alone or the area of another document, in the order of the catalogue.
func sections(rows []catalog.Covered, apart bool) []sectionJSON {
	type place struct{ rfc, section string }
	var order []place
	of := make(map[place][]catalog.Covered)
	for _, c := range rows {
		at := place{c.Requirement.RFC, ""}
		switch {
		case apart:
			at.section = c.Requirement.Section
		case at.rfc == "":
			at.section = c.Requirement.Area()
		}
		if of[at] == nil {
			order = append(order, at)
		}
		of[at] = append(of[at], c)
	}
	all := []sectionJSON{}
	for _, at := range order {
		all = append(all, sectionJSON{RFC: at.rfc, Section: at.section, tally: count(of[at])})
	}
	return all
}

func percent(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) * 100 / float64(of)
}

package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/catalog"
)

// coverageJSON is the JSON of "coverage": docs/schema/coverage.schema.json.
type coverageJSON struct {
	Total        int           `json:"total"`
	Tested       int           `json:"tested"`
	Sections     []sectionJSON `json:"sections"`
	Requirements []coveredJSON `json:"requirements"`
}

// tally counts requirements. Hidden are those without a spec that show neither on the wire nor in the data path nor in a
// device's state.
type tally struct {
	Total  int `json:"total"`
	Tested int `json:"tested"`
	Hidden int `json:"hidden"`
}

type sectionJSON struct {
	RFC     string `json:"rfc"`
	Section string `json:"section"`
	tally
}

type coveredJSON struct {
	ID    string   `json:"id"`
	Level string   `json:"level"`
	Role  string   `json:"role"`
	Specs []string `json:"specs"`
}

func coverageCommand() *cobra.Command {
	var asJSON, sections, specs, missing bool
	c := &cobra.Command{
		Use: "coverage", Short: "Show which requirements the specs test", Args: cobra.NoArgs,
		Long: `Count the requirements of the catalogue that at least one spec tests, by RFC. "Hidden" are those without a spec
that cannot be seen from outside. A requirement counts as tested when a spec names it; that such a spec can fail is
what "selftest" shows.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if (sections && specs) || (sections && missing) || (specs && missing) {
				return errors.New("--sections, --specs and --missing exclude each other")
			}
			covered, err := cover()
			if err != nil {
				return err
			}
			w := c.OutOrStdout()
			switch {
			case asJSON:
				return printJSON(w, coverageOf(covered))
			case specs:
				printTested(w, covered)
			case missing:
				printMissing(w, covered)
			default:
				printTallies(w, covered, sections)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, with everything")
	c.Flags().BoolVar(&sections, "sections", false, "count by section")
	c.Flags().BoolVar(&specs, "specs", false, "list the requirements that are tested and their specs")
	c.Flags().BoolVar(&missing, "missing", false, "list the requirements without a spec")
	return c
}

func cover() ([]catalog.Covered, error) {
	requirements, err := catalog.Load()
	if err != nil {
		return nil, err
	}
	all, err := claims()
	if err != nil {
		return nil, err
	}
	return catalog.Coverage(requirements, all)
}

func coverageOf(covered []catalog.Covered) coverageJSON {
	x := coverageJSON{Total: len(covered), Sections: []sectionJSON{}, Requirements: []coveredJSON{}}
	for _, c := range covered {
		r := c.Requirement
		x.Requirements = append(x.Requirements, coveredJSON{r.ID, r.Level, r.Role, append([]string{}, c.Specs...)})
	}
	x.Sections = sections(covered, true)
	for _, s := range x.Sections {
		x.Tested += s.Tested
	}
	return x
}

// sections counts by section, or by RFC alone, in the order of the catalogue.
func sections(covered []catalog.Covered, apart bool) []sectionJSON {
	var all []sectionJSON
	index := make(map[string]int)
	for _, c := range covered {
		r := c.Requirement
		s := sectionJSON{RFC: r.RFC, Section: r.Section}
		if !apart {
			s.Section = ""
		}
		key := s.RFC + " " + s.Section
		i, known := index[key]
		if !known {
			i = len(all)
			index[key], all = i, append(all, s)
		}
		all[i].count(c)
	}
	return all
}

func (t *tally) count(c catalog.Covered) {
	t.Total++
	switch {
	case len(c.Specs) > 0:
		t.Tested++
	case c.Requirement.Observable == "none":
		t.Hidden++
	}
}

func printTallies(w io.Writer, covered []catalog.Covered, apart bool) {
	g := &grid{Header: []string{"RFC", "requirements", "tested", "without a spec", "hidden"}}
	if apart {
		g.Header[0] = "RFC and section"
	}
	row := func(name string, t tally) {
		g.add(name, strconv.Itoa(t.Total), strconv.Itoa(t.Tested), strconv.Itoa(t.Total-t.Tested-t.Hidden), strconv.Itoa(t.Hidden))
	}
	var sum tally
	for _, s := range sections(covered, apart) {
		row(strings.TrimSuffix("RFC "+s.RFC+" §"+s.Section, " §"), s.tally)
		sum = tally{sum.Total + s.Total, sum.Tested + s.Tested, sum.Hidden + s.Hidden}
	}
	row("all", sum)
	g.render(w)
	conclude(w, covered)
}

func printTested(w io.Writer, covered []catalog.Covered) {
	g := &grid{Header: []string{"requirement", "level", "role", "specs"}, Wide: 3}
	for _, c := range covered {
		if len(c.Specs) > 0 {
			g.add(c.Requirement.ID, c.Requirement.Level, c.Requirement.Role, strings.Join(c.Specs, "\n"))
		}
	}
	g.render(w)
	conclude(w, covered)
}

func printMissing(w io.Writer, covered []catalog.Covered) {
	g := &grid{Header: []string{"requirement", "level", "role", "seen on", "summary"}, Wide: 4}
	for _, c := range covered {
		if r := c.Requirement; len(c.Specs) == 0 {
			g.add(r.ID, r.Level, r.Role, r.Observable, strings.Join(strings.Fields(r.Summary), " "))
		}
	}
	g.render(w)
	conclude(w, covered)
}

func conclude(w io.Writer, covered []catalog.Covered) {
	tested := 0
	for _, c := range covered {
		if len(c.Specs) > 0 {
			tested++
		}
	}
	fmt.Fprintf(w, "%d of %d requirements are tested by at least one spec\n", tested, len(covered))
}

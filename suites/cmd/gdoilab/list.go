package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// listJSON is the JSON of "list": docs/schema/list.schema.json.
type listJSON struct {
	Specs []listed `json:"specs"`
}

type listed struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Subject      string   `json:"subject"`
	Requirements []string `json:"requirements"`
	DUT          string   `json:"dut"`
	Needs        []string `json:"needs"`
	Features     []string `json:"features"`
	Negative     bool     `json:"negative"`
}

func listCommand() *cobra.Command {
	var filter string
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the specs that a filter selects", Args: cobra.NoArgs,
		Long: `List the specs that a filter selects: id, role under test, whether the tester breaks a rule in it, the
requirements that it tests and what it cannot do without. "run --help" says what a filter looks like.`,
		Example: `  gdoilab list --filter 'subject:rekey && negative'
  gdoilab list --json | jq -r '.specs[].id'`,
		RunE: func(c *cobra.Command, _ []string) error {
			specs, err := kit.List(filter)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), listing(specs))
			}
			printList(c.OutOrStdout(), specs)
			return nil
		},
	}
	c.Flags().StringVar(&filter, "filter", "", "label expression that selects specs")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = c.RegisterFlagCompletionFunc("filter", completeLabels)
	return c
}

func listing(specs []verdict.Spec) listJSON {
	rows := make([]listed, 0, len(specs))
	for _, s := range specs {
		rows = append(rows, listed{s.ID, s.Name, s.Subject, s.Requirements, s.DUT, append([]string{}, s.Needs...), append([]string{}, s.Features...), s.Negative})
	}
	return listJSON{rows}
}

func printList(w io.Writer, specs []verdict.Spec) {
	g := listGrid(specs, " ")
	if !g.fits(w) {
		g = listGrid(specs, "\n")
	}
	g.render(w)
	fmt.Fprintf(w, "%d specs\n", len(specs))
}

func listGrid(specs []verdict.Spec, between string) *grid {
	g := &grid{Header: []string{"spec", "DUT", "negative", "requirements", "needs"}}
	for _, s := range specs {
		negative := ""
		if s.Negative {
			negative = "yes"
		}
		g.add(s.ID, s.DUT, negative, strings.Join(s.Requirements, between), strings.Join(s.Needs, between))
	}
	return g
}

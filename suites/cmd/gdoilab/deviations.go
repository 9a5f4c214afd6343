package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/tester"
)

// deviationsJSON is the JSON of "deviations": docs/schema/deviations.schema.json.
type deviationsJSON struct {
	Deviations []tester.Known `json:"deviations"`
}

func deviationsCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "deviations", Short: "List the ways in which the tester can misbehave", Args: cobra.NoArgs,
		Long: `List the kinds of deviations that the tester's messages and ESP packets can have: the name, what it does, and the
section of the rule that it breaks. Those that can break any rule have their section from the spec.`,
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := tester.Deviations()
			if err != nil {
				return err
			}
			w := c.OutOrStdout()
			if asJSON {
				return printJSON(w, deviationsJSON{all})
			}
			g := &grid{Header: []string{"deviation", "section", "what it does"}, Wide: 2}
			for _, k := range all {
				section := k.Section
				if section == "" {
					section = "the spec's"
				}
				g.add(k.Name, section, strings.TrimPrefix(k.Does, k.Name+" "))
			}
			g.render(w)
			fmt.Fprintf(w, "%d kinds of deviations\n", len(all))
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

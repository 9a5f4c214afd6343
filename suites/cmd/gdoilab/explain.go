package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// explainJSON is the JSON of "explain": docs/schema/explain.schema.json.
type explainJSON struct {
	Requirement catalog.Requirement `json:"requirement"`
	Specs       []string            `json:"specs"`
	Guards      []string            `json:"guards"`
}

func explainCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "explain REQUIREMENT|MESSAGE", Short: "Show a requirement and the specs that test it, or a message of GET VPN", Args: cobra.ExactArgs(1),
		Long: `Show what a requirement demands and of whom, how it can be tested, which specs test it, and which guards of the
reference enforce it. "coverage" lists the requirements.

The name of a message of GET VPN shows who tells it, when, and in which words.`,
		Example: `  gdoilab explain RFC6407-4.4-02
  gdoilab explain GDOI-GM_REGISTER`,
		ValidArgsFunction: completeRequirements,
		RunE: func(c *cobra.Command, args []string) error {
			if isMessage(args[0]) {
				return explainMessage(c.OutOrStdout(), args[0], asJSON)
			}
			x, err := lookUp(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), x)
			}
			explain(c.OutOrStdout(), x)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func lookUp(id string) (*explainJSON, error) {
	requirements, err := catalog.LoadAll()
	if err != nil {
		return nil, err
	}
	r, err := requirements.Find(id)
	if err != nil {
		return nil, err
	}
	all, err := claims()
	if err != nil {
		return nil, err
	}
	x := &explainJSON{Requirement: r, Specs: []string{}, Guards: []string{}}
	for _, c := range all {
		if slices.Contains(c.Requirements, id) {
			x.Specs = append(x.Specs, c.Spec)
		}
	}
	for _, g := range rule.All() {
		if string(g.ID) == id {
			x.Guards = append(x.Guards, g.Name)
		}
	}
	return x, nil
}

func explain(w io.Writer, x *explainJSON) {
	r := x.Requirement
	fmt.Fprintf(w, "%s   %s   %s   binds %s   seen on: %s\n\n%s\n\n", r.ID, r.Origin(), r.Level, r.Role, r.Seen(), wrap(w, r.Summary))
	fmt.Fprintf(w, "How it can be tested:\n%s\n", wrap(w, r.Test))
	printVectors(w, r.Vectors)
	paragraph(w, "What the text leaves open, and what is accepted:", r.Ambiguity)
	paragraph(w, "Note:", r.Note)
	names(w, r.Related, "See also:", "")
	names(w, x.Specs, "Tested by:", "No spec tests it.")
	names(w, x.Guards, "Enforced by, and broken there by \"gdoilab selftest\":", "")
}

func paragraph(w io.Writer, title, text string) {
	if text != "" {
		fmt.Fprintf(w, "\n%s\n%s\n", title, wrap(w, text))
	}
}

func names(w io.Writer, list []string, title, none string) {
	if len(list) == 0 && none != "" {
		fmt.Fprintf(w, "\n%s\n", none)
	}
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for _, name := range list {
		fmt.Fprintf(w, "  %s\n", name)
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/suites/kit"
)

func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// listed is one spec in the JSON of "list".
type listed struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Subject      string   `json:"subject"`
	Requirements []string `json:"requirements"`
	DUT          string   `json:"dut"`
	Needs        []string `json:"needs"`
	Negative     bool     `json:"negative"`
}

func listCommand() *cobra.Command {
	var filter string
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the specs that a filter selects", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			specs, err := kit.List(filter)
			if err != nil {
				return err
			}
			if len(specs) == 0 {
				return fmt.Errorf("the filter %q selects no spec", filter)
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), map[string]any{"specs": listing(specs)})
			}
			w := newTable(c.OutOrStdout(), "spec", "DUT", "negative", "requirements", "needs")
			for _, s := range specs {
				negative := ""
				if s.Negative {
					negative = "yes"
				}
				w.AppendRow(table.Row{s.ID, s.DUT, negative, strings.Join(s.Requirements, " "), strings.Join(s.Needs, " ")})
			}
			w.Render()
			fmt.Fprintf(c.OutOrStdout(), "%d specs\n", len(specs))
			return nil
		},
	}
	c.Flags().StringVar(&filter, "filter", "", "label expression that selects specs")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func listing(specs []verdict.Spec) []listed {
	rows := make([]listed, 0, len(specs))
	for _, s := range specs {
		needs := s.Needs
		if needs == nil {
			needs = []string{}
		}
		rows = append(rows, listed{s.ID, s.Name, s.Subject, s.Requirements, s.DUT, needs, s.Negative})
	}
	return rows
}

func newTable(w io.Writer, columns ...any) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Options.SeparateColumns = false
	t.Style().Options.DrawBorder = false
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row(columns))
	return t
}

// claims says which requirements the specs test.
func claims() ([]catalog.Claim, error) {
	specs, err := kit.List("")
	if err != nil {
		return nil, err
	}
	var all []catalog.Claim
	for _, s := range specs {
		all = append(all, catalog.Claim{Spec: s.ID, Requirements: s.Requirements})
	}
	return all, nil
}

func explainCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "explain ID", Short: "Show a requirement and the specs that test it", Args: cobra.ExactArgs(1),
		ValidArgsFunction: completeRequirements,
		RunE: func(c *cobra.Command, args []string) error {
			requirements, err := catalog.Load()
			if err != nil {
				return err
			}
			r, err := requirements.Find(args[0])
			if err != nil {
				return err
			}
			all, err := claims()
			if err != nil {
				return err
			}
			specs := []string{}
			for _, claim := range all {
				for _, id := range claim.Requirements {
					if id == r.ID {
						specs = append(specs, claim.Spec)
					}
				}
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), map[string]any{"requirement": r, "specs": specs})
			}
			explain(c.OutOrStdout(), r, specs)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func completeRequirements(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	requirements, err := catalog.Load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	for _, r := range requirements.All() {
		ids = append(ids, r.ID+"\t"+r.Summary)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

const width = 100

func explain(w io.Writer, r catalog.Requirement, specs []string) {
	fmt.Fprintf(w, "%s   RFC %s §%s   %s   binds %s   seen on: %s\n\n%s\n\n", r.ID, r.RFC, r.Section, r.Level, r.Role, r.Observable,
		text.WrapSoft(r.Summary, width))
	fmt.Fprintf(w, "How it can be tested:\n%s\n", text.WrapSoft(r.Test, width))
	if r.Note != "" {
		fmt.Fprintf(w, "\nNote:\n%s\n", text.WrapSoft(r.Note, width))
	}
	if len(specs) == 0 {
		fmt.Fprintln(w, "\nNo spec tests it yet.")
		return
	}
	fmt.Fprintln(w, "\nTested by:")
	for _, s := range specs {
		fmt.Fprintln(w, " ", s)
	}
}

func coverageCommand() *cobra.Command {
	var asJSON, missing bool
	c := &cobra.Command{
		Use: "coverage", Short: "Show which requirements the specs test", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			requirements, err := catalog.Load()
			if err != nil {
				return err
			}
			all, err := claims()
			if err != nil {
				return err
			}
			covered, err := catalog.Coverage(requirements, all)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), coverageJSON(covered))
			}
			printCoverage(c.OutOrStdout(), covered, missing)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&missing, "missing", false, "list the requirements without a spec instead")
	return c
}

type coveredJSON struct {
	ID    string   `json:"id"`
	Level string   `json:"level"`
	Role  string   `json:"role"`
	Specs []string `json:"specs"`
}

func coverageJSON(covered []catalog.Covered) any {
	rows := make([]coveredJSON, 0, len(covered))
	tested := 0
	for _, c := range covered {
		specs := c.Specs
		if specs == nil {
			specs = []string{}
		}
		if len(specs) > 0 {
			tested++
		}
		rows = append(rows, coveredJSON{c.Requirement.ID, c.Requirement.Level, c.Requirement.Role, specs})
	}
	return map[string]any{"total": len(covered), "tested": tested, "requirements": rows}
}

func printCoverage(out io.Writer, covered []catalog.Covered, missing bool) {
	w := newTable(out, "requirement", "level", "role", "specs")
	tested := 0
	for _, c := range covered {
		if len(c.Specs) > 0 {
			tested++
		}
		if (len(c.Specs) == 0) == missing {
			w.AppendRow(table.Row{c.Requirement.ID, c.Requirement.Level, c.Requirement.Role, strings.Join(c.Specs, "\n")})
		}
	}
	w.Render()
	fmt.Fprintf(out, "%d of %d requirements are tested by at least one spec\n", tested, len(covered))
}

func decodeCommand() *cobra.Command {
	var keys string
	var asJSON, redact bool
	c := &cobra.Command{
		Use: "decode FILE", Short: "Print the protocol messages of a capture", Args: cobra.ExactArgs(1),
		Long: `Print every GDOI, IKEv1 and ESP message of a pcap or pcapng file, field by field with byte offsets.

With --keys, a keys.json from a spec's evidence or a key log of gdoi-ks and gdoi-gm, messages are decrypted and
their HASH, SIG and ICV checked.`,
		RunE: func(c *cobra.Command, args []string) error {
			return decodeFile(c.OutOrStdout(), args[0], keys, asJSON, redact)
		},
	}
	c.Flags().StringVar(&keys, "keys", "", "file with the keys")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&redact, "redact", false, "leave keys and secrets out")
	return c
}

func decodeFile(out io.Writer, file, keyFile string, asJSON, redact bool) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	frames, err := capture.Read(f)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	var entries []keylog.Entry
	if keyFile != "" {
		if entries, err = readKeys(keyFile); err != nil {
			return err
		}
	}
	messages := capture.Decode(frames, entries)
	if redact {
		messages = capture.Redact(messages)
	}
	if asJSON {
		return capture.WriteJSON(out, capture.Conversation{Nodes: capture.Nodes(messages, nil), Messages: messages})
	}
	return capture.Print(out, messages)
}

func readKeys(file string) ([]keylog.Entry, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	entries, err := keylog.Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return entries, nil
}

func versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if asJSON {
				return printJSON(c.OutOrStdout(), map[string]string{"tool": "gdoilab", "version": version})
			}
			_, err := fmt.Fprintln(c.OutOrStdout(), "gdoilab", version)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

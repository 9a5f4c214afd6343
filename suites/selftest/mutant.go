package selftest

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// Mutants returns every mutant of every guard that is linked into the program and whose name begins with one of the
// prefixes; without prefixes all.
func Mutants(prefixes ...string) []verdict.Mutant {
	var all []verdict.Mutant
	for _, g := range rule.All() {
		if !matches(g.Name, prefixes) {
			continue
		}
		for _, m := range g.Kind.Mutations() {
			all = append(all, verdict.Mutant{Guard: g.Name, Mutation: m.String(), Requirement: g.ID, Role: g.Role.String(), Doc: g.Doc})
		}
	}
	return all
}

func matches(name string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return len(prefixes) == 0
}

//go:embed equivalent/*.yaml
var equivalentFiles embed.FS

// Equivalent is a mutant that no black-box test can tell from the reference.
type Equivalent struct {
	Mutant string // "guard=mutation"
	Reason string
}

// Equivalents reads the built-in lists and checks that each entry names an existing mutant, once, and has a reason.
func Equivalents() (map[string]string, error) {
	known := make(map[string]bool)
	for _, m := range Mutants() {
		known[m.Name()] = true
	}
	files, err := fs.Glob(equivalentFiles, "equivalent/*.yaml")
	if err != nil {
		return nil, err
	}
	reasons := make(map[string]string)
	for _, name := range files {
		text, err := equivalentFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		list, err := parseEquivalents(name, text)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			if !known[e.Mutant] || e.Reason == "" || reasons[e.Mutant] != "" {
				return nil, fmt.Errorf("%s: %q: want an existing mutant, once, with a reason", name, e.Mutant)
			}
			reasons[e.Mutant] = e.Reason
		}
	}
	return reasons, nil
}

// parseEquivalents reads one list.
func parseEquivalents(name string, text []byte) ([]Equivalent, error) {
	var list []Equivalent
	err := yamldoc.Read(name, text, func(root yamldoc.Value) {
		root.Items(func(_ int, item yamldoc.Value) {
			var e Equivalent
			item.Fields(yamldoc.Required("mutant", &e.Mutant, words), yamldoc.Required("reason", &e.Reason, words))
			list = append(list, e)
		})
	})
	return list, err
}

func words(v yamldoc.Value) string {
	s, _ := v.Text()
	return s
}

package tester

import (
	"embed"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// sources is this package's own text: what a deviation does stands in its documentation, once.
//
//go:embed *.go
var sources embed.FS

// Known is one kind of deviation, a function of this package that makes some, of messages or of ESP packets.
type Known struct {
	Name    string `json:"name"`    // of the function
	Does    string `json:"does"`    // its documentation, in one sentence
	Section string `json:"section"` // where the rule stands that it breaks; "" if the spec says it for each that it makes
}

// Deviations are all kinds of deviations that there are, by name. Those that only change when another one applies are none.
func Deviations() ([]Known, error) {
	names, err := fs.Glob(sources, "*.go")
	if err != nil {
		return nil, fmt.Errorf("tester: %w", err)
	}
	var all []Known
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := sources.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("tester: %w", err)
		}
		in, err := deviationsIn(name, text)
		if err != nil {
			return nil, fmt.Errorf("tester: %w", err)
		}
		all = append(all, in...)
	}
	slices.SortFunc(all, func(a, b Known) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// deviationsIn finds those of one file.
func deviationsIn(name string, text []byte) ([]Known, error) {
	f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var all []Known
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv != nil || !fn.Name.IsExported() || !returnsDeviation(fn.Type) || takes(fn.Type, isDeviation) {
			continue
		}
		known := Known{Name: fn.Name.Name, Does: new(doc.Package).Synopsis(fn.Doc.Text())}
		if !takes(fn.Type, func(p *ast.Field) bool { return named(p, "section") }) {
			known.Section = sectionOf(fn)
		}
		all = append(all, known)
	}
	return all, nil
}

func returnsDeviation(t *ast.FuncType) bool {
	return t.Results != nil && len(t.Results.List) == 1 && isDeviation(t.Results.List[0])
}

// ofDeviations are the types of what deviates: messages, and ESP packets.
var ofDeviations = []string{"Deviation", "ESPOption"}

func takes(t *ast.FuncType, is func(*ast.Field) bool) bool {
	return slices.ContainsFunc(t.Params.List, is)
}

func isDeviation(f *ast.Field) bool {
	typ := f.Type
	if variadic, ok := typ.(*ast.Ellipsis); ok {
		typ = variadic.Elt
	}
	name, ok := typ.(*ast.Ident)
	return ok && slices.Contains(ofDeviations, name.Name)
}

func named(f *ast.Field, name string) bool {
	return slices.ContainsFunc(f.Names, func(id *ast.Ident) bool { return id.Name == name })
}

// cited is a section as documentation and reports name it.
var cited = regexp.MustCompile(`RFC [0-9]+ (§[0-9]+(\.[0-9]+)*|appendix [A-Z])|GETVPN-[A-Z]+-[0-9]+`)

// sectionOf is the section that a function's documentation cites first.
func sectionOf(fn *ast.FuncDecl) string {
	return cited.FindString(strings.Join(strings.Fields(fn.Doc.Text()), " "))
}

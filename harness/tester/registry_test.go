package tester_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/tester"
)

func deviations(t *testing.T) []tester.Known {
	t.Helper()
	all, err := tester.Deviations()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestDeviationsAreListed(t *testing.T) {
	all := deviations(t)
	for _, want := range []tester.Known{
		{Name: "WrongSignature", Does: "WrongSignature changes the SIG of a message (RFC 6407 §4.4).", Section: "RFC 6407 §4.4"},
		{Name: "Omit", Does: "Omit leaves the payloads of that type out."},
	} {
		if !slices.Contains(all, want) {
			t.Errorf("%+v is not among %d", want, len(all))
		}
	}
	for _, other := range []string{"Taps", "Once", "Times", "ForgeACK", "NewPull"} {
		if slices.ContainsFunc(all, func(k tester.Known) bool { return k.Name == other }) {
			t.Errorf("%s is listed", other)
		}
	}
	t.Logf("%d kinds of deviations", len(all))
}

// Every kind of deviation is documented, cites the section that it breaks or has the spec cite it, and is used by a spec, if only through
// another kind that is made of it.
func TestDeviationsAreDocumentedAndUsed(t *testing.T) {
	used, given := uses(t)
	for _, k := range deviations(t) {
		if !strings.HasPrefix(k.Does, k.Name+" ") {
			t.Errorf("%s is not documented: %q", k.Name, k.Does)
		}
		if k.Section == "" && !given[k.Name] {
			t.Errorf("%s: its documentation cites no section", k.Name)
		}
		if !used[k.Name] {
			t.Errorf("%s: no spec uses it", k.Name)
		}
	}
}

// uses says which functions of this package the suites name, and which have a parameter for the section. No call may leave that empty.
func uses(t *testing.T) (used, given map[string]bool) {
	t.Helper()
	used, given = make(map[string]bool), sectioned(t)
	walk(t, ".", func(path string, f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if fun, ok := n.Fun.(*ast.Ident); ok {
					used[fun.Name] = true
				}
			case *ast.CompositeLit:
				if typ, ok := n.Type.(*ast.Ident); ok && typ.Name == "Deviation" && slices.ContainsFunc(n.Elts, empty) {
					t.Errorf("%s: a Deviation lacks its name or section", path)
				}
			}
			return true
		})
	})
	walk(t, "../../suites", func(path string, f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "tester" {
					used[n.Sel.Name] = true
				}
			case *ast.CallExpr:
				if name := callee(n); given[name] && slices.ContainsFunc(n.Args, empty) {
					t.Errorf("%s: a call of tester.%s says no section, or nothing", path, name)
				}
			}
			return true
		})
	})
	return used, given
}

// sectioned are the functions of this package that take a section.
func sectioned(t *testing.T) map[string]bool {
	t.Helper()
	given := make(map[string]bool)
	walk(t, ".", func(_ string, f *ast.File) {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			for _, p := range fn.Type.Params.List {
				given[fn.Name.Name] = given[fn.Name.Name] || slices.ContainsFunc(p.Names, func(id *ast.Ident) bool { return id.Name == "section" })
			}
		}
	})
	return given
}

// callee is the function of package tester that is called, or "".
func callee(call *ast.CallExpr) string {
	fun := call.Fun
	if generic, ok := fun.(*ast.IndexExpr); ok {
		fun = generic.X
	}
	if sel, ok := fun.(*ast.SelectorExpr); ok {
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == "tester" {
			return sel.Sel.Name
		}
	}
	return ""
}

// empty reports whether the argument is an empty text.
func empty(arg ast.Expr) bool {
	text, ok := arg.(*ast.BasicLit)
	return ok && text.Kind == token.STRING && strings.Trim(text.Value, "\"`") == ""
}

// walk parses the sources below a folder that are no tests.
func walk(t *testing.T, root string, look func(path string, f *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err == nil {
			look(path, f)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

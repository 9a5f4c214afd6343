package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/gdoilab/gdoilab/"
)

// file is one parsed source file, with its package's folder relative to the root.
type file struct {
	dir, name string
	ast       *ast.File
	fset      *token.FileSet
}

func (f file) imports() []string {
	var paths []string
	for _, spec := range f.ast.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// sources parses every Go file of the tree but tests.
func sources(t *testing.T) []file {
	t.Helper()
	var files []file
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && p != root || d.Name() == "out"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go"):
			return nil
		}
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(p))
		files = append(files, file{filepath.ToSlash(dir), filepath.Base(p), parsed, fset})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("only %d source files were found", len(files))
	}
	return files
}

// refusal forbids packages under from to import packages under to, and says why.
type refusal struct{ from, to, why string }

var refusals = []refusal{
	{"reference", "harness", "the reference knows nothing of tests"},
	{"reference", "suites", "the reference knows nothing of tests"},
	{"harness", "suites", "the harness knows nothing of a single requirement"},
	{"reference/keyserver", "reference/member", "key server and member meet only in bytes"},
	{"reference/member", "reference/keyserver", "key server and member meet only in bytes"},
	{"reference/member", "reference/group", "the group's state is the key server's"},
	{"reference/group", "reference/wire", "a group is not its carrier"},
	{"reference/group", "reference/ike", "a group is not its carrier"},
	{"reference/wire", "reference/keymat", "a codec has no keys"},
	{"reference/wire", "reference/policy", "a codec knows octets, not meaning"},
	{"reference/wire", "reference/core", "a codec has no state"},
	{"reference/wire/isakmp", "reference/wire/gdoi", "ISAKMP knows nothing of GDOI"},
	{"reference/policy", "reference/wire", "policy is what the group decides, not how it is written"},
	{"reference/keymat", "reference/wire", "keys know nothing of messages"},
	{"reference/rule", "reference", "guards stand below everything that has them"},
	{"reference/ike", "reference/keyserver", "Phase 1 serves both roles"},
	{"reference/ike", "reference/member", "Phase 1 serves both roles"},
	{"reference/keyserver", "reference/node", "cores do not know what drives them"},
	{"reference/member", "reference/node", "cores do not know what drives them"},
}

func under(dir, tree string) bool { return dir == tree || strings.HasPrefix(dir, tree+"/") }

func TestImportsRunOneWay(t *testing.T) {
	for _, f := range sources(t) {
		for _, imported := range f.imports() {
			own, ok := strings.CutPrefix(imported, module)
			if !ok {
				continue
			}
			for _, r := range refusals {
				if under(f.dir, r.from) && under(own, r.to) && f.dir != own {
					t.Errorf("%s imports %s: %s", path.Join(f.dir, f.name), own, r.why)
				}
			}
		}
	}
}

// implementations are the packages that make devices of the reference. Who tests must not know them: a device is what its
// manifest says.
var implementations = []string{"reference/keyserver", "reference/member", "reference/cores", "reference/daemon"}

// insiders are the exceptions, with the reason.
var insiders = map[string]string{
	"harness/lab/tester.go":      "testers are made of the reference's cores, with taps",
	"harness/lab/memory_node.go": "a manifest's core is driven through the registry",
	"harness/peer/manifest.go":   "a manifest names a core of the registry",
	"harness/peer/parse_role.go": "a manifest names a core of the registry",
	"suites/cmd/gdoilab/main.go": "the program is also the daemon, when the reference's manifest starts it as one",
	"suites/kit/run.go":          "a test program is also the daemon, when the reference's manifest starts it as one",
}

func TestDevicesComeFromManifests(t *testing.T) {
	used := make(map[string]bool)
	for _, f := range sources(t) {
		if !under(f.dir, "harness") && !under(f.dir, "suites") {
			continue
		}
		name := path.Join(f.dir, f.name)
		for _, imported := range f.imports() {
			own, _ := strings.CutPrefix(imported, module)
			if !slices.Contains(implementations, own) {
				continue
			}
			if used[name] = true; insiders[name] == "" {
				t.Errorf("%s imports %s: a device is what its manifest says", name, own)
			}
		}
	}
	for name := range insiders {
		if !used[name] {
			t.Errorf("%s is an exception that nobody needs any more", name)
		}
	}
}

// frameworks may be used only where they belong.
var frameworks = []refusal{
	{"reference", "github.com/onsi", "test frameworks belong to the suites"},
	{"harness", "github.com/onsi", "test frameworks belong to the suites; the harness also serves the command line"},
}

func TestFrameworksStayInTheSuites(t *testing.T) {
	for _, f := range sources(t) {
		for _, imported := range f.imports() {
			for _, r := range frameworks {
				if under(f.dir, r.from) && strings.HasPrefix(imported, r.to) {
					t.Errorf("%s imports %s: %s", path.Join(f.dir, f.name), imported, r.why)
				}
			}
			if f.dir == "reference/wire" && strings.Contains(imported, ".") {
				t.Errorf("%s imports %s: the bottom needs the standard library only", f.name, imported)
			}
		}
	}
}

// Everything is built and tested without the many libraries of containers, but for the package that has them and the command.
func TestContainersAreApart(t *testing.T) {
	const apart = "harness/container"
	for _, f := range sources(t) {
		for _, imported := range f.imports() {
			library := strings.HasPrefix(imported, "github.com/testcontainers/") || strings.HasPrefix(imported, "github.com/moby/")
			if library && f.dir != apart || imported == module+apart && f.dir != "suites/cmd/gdoilab" {
				t.Errorf("%s imports %s: containers are reached through lab.Engine", path.Join(f.dir, f.name), imported)
			}
		}
	}
}

// cores are the packages that are told everything and do nothing.
var cores = []string{"reference/wire", "reference/keymat", "reference/rule", "reference/core", "reference/control", "reference/console",
	"reference/gdoimap", "reference/ike", "reference/group", "reference/keyserver", "reference/member", "reference/sadb",
	"reference/esp", "reference/gateway", "reference/reject", "reference/mib"}

// forbidden in cores: packages and single functions, with the reason.
var forbiddenPackages = map[string]string{
	"net": "no I/O", "net/http": "no I/O", "os": "no I/O", "os/exec": "no I/O", "syscall": "no I/O", "log": "no I/O",
	"crypto/rand": "randomness comes in as an io.Reader", "math/rand": "randomness comes in as an io.Reader",
	"context": "a core is never waited for",
}

var forbiddenCalls = map[string]string{
	"time.Now": "the time comes in", "time.Sleep": "cores do not wait", "time.After": "cores do not wait",
	"time.AfterFunc": "cores do not wait", "time.NewTimer": "cores do not wait", "time.Since": "the time comes in",
	"time.Until": "the time comes in", "time.Tick": "cores do not wait",
}

func TestCoresArePure(t *testing.T) {
	for _, f := range sources(t) {
		if !slices.ContainsFunc(cores, func(c string) bool { return under(f.dir, c) }) || under(f.dir, "reference/wire/wiretest") {
			continue
		}
		for _, imported := range f.imports() {
			if why := forbiddenPackages[imported]; why != "" {
				t.Errorf("%s imports %s: %s", path.Join(f.dir, f.name), imported, why)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: %s starts a goroutine", f.fset.Position(n.Pos()), f.dir)
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok {
					if why := forbiddenCalls[x.Name+"."+n.Sel.Name]; why != "" {
						t.Errorf("%s: %s.%s: %s", f.fset.Position(n.Pos()), x.Name, n.Sel.Name, why)
					}
				}
			}
			return true
		})
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	documented := make(map[string]bool)
	for _, f := range sources(t) {
		documented[f.dir] = documented[f.dir] || f.ast.Doc != nil
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

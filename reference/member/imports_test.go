package member_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A member meets the key server only in bytes: it imports neither the key server nor the group behind it, and it reads no
// clock, opens no socket and has no randomness of its own.
func TestImports(t *testing.T) {
	const ours = "github.com/gdoilab/gdoilab/reference/"
	forbidden := []string{ours + "keyserver", ours + "group", ours + "node", "net", "os", "crypto/rand", "math/rand", "math/rand/v2"}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			if slices.Contains(forbidden, path) && !(strings.HasSuffix(name, "_test.go") && path == "os") {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

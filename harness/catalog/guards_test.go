package catalog_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/reference/rule"

	// Every package of the reference that declares guards.
	_ "github.com/gdoilab/gdoilab/reference/console"
	_ "github.com/gdoilab/gdoilab/reference/esp"
	_ "github.com/gdoilab/gdoilab/reference/gateway"
	_ "github.com/gdoilab/gdoilab/reference/gdoimap"
	_ "github.com/gdoilab/gdoilab/reference/group"
	_ "github.com/gdoilab/gdoilab/reference/ike"
	_ "github.com/gdoilab/gdoilab/reference/keyserver"
	_ "github.com/gdoilab/gdoilab/reference/member"
	_ "github.com/gdoilab/gdoilab/reference/sadb"
	_ "github.com/gdoilab/gdoilab/reference/vrf"
)

const reference = "../../reference"

// Each guard enforces a requirement that exists. A duty has to be demanded of its role. A check, bound or timer may also
// stand for a demand on the other side: it refuses what a faulty peer sends, or holds to what a peer has announced.
func TestGuardsEnforceRequirements(t *testing.T) {
	c, err := catalog.LoadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range rule.All() {
		r, err := c.Find(string(g.ID))
		if err != nil {
			t.Errorf("%s: %v", g.Name, err)
			continue
		}
		if g.Kind == rule.KindDuty && g.Role != rule.Both && !r.Binds(g.Role.String()) {
			t.Errorf("%s is a duty of %s, but %s binds %s: %s", g.Name, g.Role, r.ID, r.Role, r.Summary)
		}
	}
}

// The test above speaks of all guards only if the packages that declare them are linked into it.
func TestAllGuardsAreLinked(t *testing.T) {
	var linked []string
	for _, g := range rule.All() {
		linked = append(linked, g.Name)
	}
	for name, file := range declared(t) {
		if !slices.Contains(linked, name) {
			t.Errorf("%s declares %s, which is not linked into this test: import its package", file, name)
		}
	}
}

var declaration = regexp.MustCompile(`rule\.(?:Check|Bound|Timer|Duty)\(\s*"([^"]+)"`)

// declared finds the guards in the sources of the reference: name to file.
func declared(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	err := filepath.WalkDir(reference, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range declaration.FindAllSubmatch(text, -1) {
			found[string(m[1])] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

package catalog

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/gdoilab/gdoilab/fixtures"
)

// FieldsFile is the name in fixtures.FS of the table of fields.
const FieldsFile = "fields.yaml"

// Fields says which requirements a field of a message touches. It is read-only.
type Fields struct{ entries []fieldEntry }

// fieldEntry is one line of the table.
type fieldEntry struct {
	Messages     []string `yaml:"messages"` // kinds, those of an exchange without their number, or "" for every one
	Field        string   `yaml:"field"`
	Requirements []string `yaml:"requirements"`
}

var loadFields = sync.OnceValues(func() (*Fields, error) {
	text, err := fs.ReadFile(fixtures.FS, FieldsFile)
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	c, err := Load()
	if err != nil {
		return nil, err
	}
	return parseFields(text, c)
})

// LoadFields returns the table that is built in. It is read once and shared.
func LoadFields() (*Fields, error) { return loadFields() }

// parseFields reads a table and refuses requirements that are not in the catalogue.
func parseFields(text []byte, c *Catalog) (*Fields, error) {
	var f Fields
	if err := yaml.UnmarshalWithOptions(text, &f.entries, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("catalog: table of fields: %w", err)
	}
	for i, e := range f.entries {
		if len(e.Messages) == 0 || len(e.Requirements) == 0 {
			return nil, fmt.Errorf("catalog: table of fields: entry %d: neither messages nor requirements may be missing", i+1)
		}
		for _, id := range e.Requirements {
			if _, err := c.Find(id); err != nil {
				return nil, fmt.Errorf("catalog: table of fields: entry %d: %w", i+1, err)
			}
		}
	}
	return &f, nil
}

// Touched returns the requirements of a field in a message of that kind: those of its own entry, else of its nearest ancestor
// that has one. The path is that of the field's names, joined by slashes.
func (f *Fields) Touched(kind, path string) []string {
	for {
		for _, e := range f.entries {
			if e.Field == path && e.fits(kind) {
				return e.Requirements
			}
		}
		if path == "" {
			return nil
		}
		path = path[:max(0, strings.LastIndex(path, "/"))]
	}
}

func (e *fieldEntry) fits(kind string) bool {
	exchange := strings.TrimRight(kind, "0123456789")
	return slices.ContainsFunc(e.Messages, func(m string) bool { return m == "" || m == kind || m == exchange })
}

package catalog

import (
	"fmt"
	"io/fs"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/gdoilab/gdoilab/fixtures"
)

// File is the catalogue's name in fixtures.FS.
const File = "requirements-gdoi.yaml"

// Requirement is one entry of the catalogue.
type Requirement struct {
	ID         string `yaml:"id" json:"id"`                         // RFC<number>-<section>-<running number>
	RFC        string `yaml:"rfc" json:"rfc"`                       // the number alone
	Section    string `yaml:"section" json:"section"`               // of that RFC
	Level      string `yaml:"level" json:"level"`                   // MUST, MUST NOT, SHOULD, SHOULD NOT, MAY
	Role       string `yaml:"role" json:"role"`                     // KS, GM or both
	Keyword    string `yaml:"keyword" json:"keyword"`               // explicit or implied
	Observable string `yaml:"observable" json:"observable"`         // wire, state, dataplane or none
	Summary    string `yaml:"summary" json:"summary"`               // what is demanded
	Test       string `yaml:"test" json:"test"`                     // stimulus and observation
	Source     string `yaml:"source" json:"source"`                 // rfc-text or memory
	Note       string `yaml:"note,omitempty" json:"note,omitempty"` // ambiguity, erratum, known deviation
}

// Catalog is a set of requirements in the order of its file. It is read-only after Load and Parse.
type Catalog struct {
	all  []Requirement
	byID map[string]int
}

var load = sync.OnceValues(func() (*Catalog, error) {
	text, err := fs.ReadFile(fixtures.FS, File)
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	return Parse(text)
})

// Load returns the catalogue that is built in. It is read once and shared.
func Load() (*Catalog, error) { return load() }

// Parse reads a catalogue. It refuses unknown fields, an entry without an id, and an id that occurs twice; the error of
// a YAML mistake has line and column.
func Parse(text []byte) (*Catalog, error) {
	all, err := unmarshal(text)
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	c := &Catalog{all: all, byID: make(map[string]int, len(all))}
	for i, r := range all {
		if r.ID == "" {
			return nil, fmt.Errorf("catalog: entry %d has no id", i+1)
		}
		if first, twice := c.byID[r.ID]; twice {
			return nil, fmt.Errorf("catalog: entries %d and %d are both %s", first+1, i+1, r.ID)
		}
		c.byID[r.ID] = i
	}
	return c, nil
}

// unmarshal reads the entries. The YAML decoder panics on some malformed documents, such as a tagged scalar in place of the list; to a reader
// of the error that is one more kind of malformed.
func unmarshal(text []byte) (all []Requirement, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("not readable as YAML: %v", p)
		}
	}()
	err = yaml.UnmarshalWithOptions(text, &all, yaml.Strict())
	return all, err
}

// All returns every requirement in the order of the catalogue. The slice is shared: do not change it.
func (c *Catalog) All() []Requirement { return c.all }

// Len is the number of requirements.
func (c *Catalog) Len() int { return len(c.all) }

// Find returns the requirement of that id. The error of an unknown id is an *UnknownError.
func (c *Catalog) Find(id string) (Requirement, error) {
	if i, ok := c.byID[id]; ok {
		return c.all[i], nil
	}
	return Requirement{}, &UnknownError{ID: id, Near: c.Suggest(id)}
}

// Binds reports whether the requirement binds a device in that role (KS or GM).
func (r Requirement) Binds(role string) bool { return r.Role == role || r.Role == "both" }

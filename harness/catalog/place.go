package catalog

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/gdoilab/gdoilab/fixtures"
)

// Class says how a requirement is accounted for.
type Class string

// The classes. Tested and Half follow from the specs, the next four are data (Places), and Unaccounted should not occur.
const (
	Tested      Class = "tested"       // specs test a device in each role that it binds
	Half        Class = "half-tested"  // it binds both roles, and specs test one
	Implied     Class = "implied"      // cannot be broken while those that it follows from hold
	Untestable  Class = "untestable"   // nobody outside can tell
	OutOfScope  Class = "out-of-scope" // no device that is tested here does this, or it binds no device
	Planned     Class = "planned"      // not built yet
	Unaccounted Class = "unaccounted"
)

// Classes are all classes, the best first.
var Classes = []Class{Tested, Half, Implied, Untestable, OutOfScope, Planned, Unaccounted}

// Place is why a requirement, or the half of it that binds one role, has no spec.
type Place struct {
	ID     string   `yaml:"id" json:"id"`
	Role   string   `yaml:"role,omitempty" json:"role,omitempty"` // the half that it speaks of, where specs test the other
	By     []string `yaml:"by,omitempty" json:"by,omitempty"`     // of an implied one: what it follows from
	Reason string   `yaml:"reason" json:"reason"`
}

// Places has the requirements of a catalogue that no spec tests, by class.
type Places struct {
	Implied    []Place `yaml:"implied" json:"implied"`
	Untestable []Place `yaml:"untestable" json:"untestable"`
	OutOfScope []Place `yaml:"out-of-scope" json:"out-of-scope"`
	Planned    []Place `yaml:"planned" json:"planned"`
}

// LoadPlaces returns the places of a catalogue that is built in.
func LoadPlaces(catalogue string) (*Places, error) {
	text, err := fs.ReadFile(fixtures.FS, "coverage-"+catalogue+".yaml")
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	c, err := Named(catalogue)
	if err != nil {
		return nil, err
	}
	return ParsePlaces(text, c)
}

// ParsePlaces reads places. It refuses unknown fields, ids that the catalogue does not have (an *UnknownError) or that occur twice, a
// place without a reason, and an implied one that does not say from what.
func ParsePlaces(text []byte, c *Catalog) (*Places, error) {
	var p Places
	if err := unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("catalog: places: %w", err)
	}
	seen := make(map[string]bool)
	for _, class := range []Class{Implied, Untestable, OutOfScope, Planned} {
		for _, place := range p.of(class) {
			if err := place.check(class, c); err != nil {
				return nil, fmt.Errorf("catalog: places: %s: %w", class, err)
			}
			if seen[place.ID] {
				return nil, fmt.Errorf("catalog: places: %s has two", place.ID)
			}
			seen[place.ID] = true
		}
	}
	return &p, nil
}

func (p *Places) of(class Class) []Place {
	switch class {
	case Implied:
		return p.Implied
	case Untestable:
		return p.Untestable
	case OutOfScope:
		return p.OutOfScope
	}
	return p.Planned
}

func (p Place) check(class Class, c *Catalog) error {
	r, err := c.Find(p.ID)
	switch {
	case err != nil:
		return err
	case p.Reason == "":
		return fmt.Errorf("%s has no reason", p.ID)
	case p.Role != "" && (r.Role != "both" || !slices.Contains(r.Halves(), p.Role)):
		return fmt.Errorf("%s binds %s: it has no half for %q", p.ID, r.Role, p.Role)
	case class == Implied && len(p.By) == 0:
		return fmt.Errorf("%s does not say what implies it", p.ID)
	case class != Implied && len(p.By) > 0:
		return fmt.Errorf("%s is implied by %v, and stands among the others", p.ID, p.By)
	}
	for _, id := range p.By {
		if _, err := find(id); err != nil {
			return fmt.Errorf("%s: %w", p.ID, err)
		}
	}
	return nil
}

// find looks an id up in every catalogue that is built in.
func find(id string) (Requirement, error) {
	all, err := LoadAll()
	if err != nil {
		return Requirement{}, err
	}
	return all.Find(id)
}

// unmarshal reads a document. The YAML decoder panics on some malformed documents, such as a tagged scalar in place of the list; to a reader
// of the error that is one more kind of malformed.
func unmarshal(text []byte, into any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("not readable as YAML: %v", p)
		}
	}()
	return yaml.UnmarshalWithOptions(text, into, yaml.Strict())
}

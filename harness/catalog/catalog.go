package catalog

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/gdoilab/gdoilab/fixtures"
)

// File is the name in fixtures.FS of the catalogue of GDOI.
const File = "requirements-gdoi.yaml"

// Names are the catalogues that are built in: what the RFCs demand, what the overview of IKE by one vendor says of version 1, and what another
// vendor's guides add to the RFCs: for its group VPN as a whole, and for the renewal of its KEK. The last is the base of IKEv2.
var Names = []string{"gdoi", "juniper", "getvpn", "pfs", "ikev2"}

// Requirement is one entry of the catalogue.
type Requirement struct {
	ID          string   `yaml:"id" json:"id"`                                       // RFC<number>-<section>-<running number>
	RFC         string   `yaml:"rfc" json:"rfc,omitempty"`                           // the number alone; "" if another document demands it
	Section     string   `yaml:"section" json:"section"`                             // of that RFC, or the title in another document
	Level       string   `yaml:"level" json:"level"`                                 // MUST, MUST NOT, SHOULD, SHOULD NOT, MAY; of a guide: required, recommended, restriction
	Role        string   `yaml:"role" json:"role"`                                   // KS, GM or both; COOP: key servers among themselves
	Keyword     string   `yaml:"keyword,omitempty" json:"keyword,omitempty"`         // explicit or implied; "" in a guide, which has no keywords
	Observable  string   `yaml:"observable,omitempty" json:"observable,omitempty"`   // wire, state, dataplane or none; "" if Testability says it
	Testability string   `yaml:"testability,omitempty" json:"testability,omitempty"` // of a guide: wire, dataplane, mgmt, state, platform or doc
	Summary     string   `yaml:"summary" json:"summary"`                             // what is demanded
	Test        string   `yaml:"test" json:"test"`                                   // stimulus and observation
	Source      string   `yaml:"source" json:"source"`                               // rfc-text, memory, overview or guide
	Vectors     any      `yaml:"vectors,omitempty" json:"vectors,omitempty"`         // numbers of the text: a table, or a list of them
	Ambiguity   string   `yaml:"ambiguity,omitempty" json:"ambiguity,omitempty"`     // where the text contradicts itself, and what a spec has to tolerate
	Related     []string `yaml:"related,omitempty" json:"related,omitempty"`         // other entries
	Note        string   `yaml:"note,omitempty" json:"note,omitempty"`               // erratum, known deviation
}

// Catalog is a set of requirements in the order of its file. It is read-only after Load and Parse.
type Catalog struct {
	all  []Requirement
	byID map[string]int
}

var loads = func() map[string]func() (*Catalog, error) {
	of := make(map[string]func() (*Catalog, error), len(Names))
	for _, name := range Names {
		of[name] = sync.OnceValues(func() (*Catalog, error) {
			text, err := fs.ReadFile(fixtures.FS, "requirements-"+name+".yaml")
			if err != nil {
				return nil, fmt.Errorf("catalog: %w", err)
			}
			return Parse(text)
		})
	}
	return of
}()

// Load returns the catalogue of GDOI. It is read once and shared.
func Load() (*Catalog, error) { return Named("gdoi") }

// LoadAll returns the entries of every catalogue in one, in the order of Names: what a spec, a guard or a filter may name. It is read once and
// shared.
func LoadAll() (*Catalog, error) { return loadAll() }

var loadAll = sync.OnceValues(func() (*Catalog, error) {
	var all []Requirement
	for _, name := range Names {
		c, err := Named(name)
		if err != nil {
			return nil, err
		}
		all = append(all, c.all...)
	}
	return newCatalog(all)
})

// Named returns the catalogue of that name, one of Names. It is read once and shared.
func Named(name string) (*Catalog, error) {
	if !slices.Contains(Names, name) {
		return nil, fmt.Errorf("catalog: there is no catalogue %q, only %s", name, strings.Join(Names, ", "))
	}
	return loads[name]()
}

// Parse reads a catalogue. It refuses unknown fields, an entry without an id, and an id that occurs twice; the error of
// a YAML mistake has line and column.
func Parse(text []byte) (*Catalog, error) {
	var all []Requirement
	if err := unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	return newCatalog(all)
}

func newCatalog(all []Requirement) (*Catalog, error) {
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

// All returns every requirement in the order of the catalogue. The slice is shared: do not change it.
func (c *Catalog) All() []Requirement { return c.all }

// Len is the number of requirements.
func (c *Catalog) Len() int { return len(c.all) }

// Has reports whether the catalogue has an entry of that id.
func (c *Catalog) Has(id string) bool {
	_, ok := c.byID[id]
	return ok
}

// Find returns the requirement of that id. The error of an unknown id is an *UnknownError.
func (c *Catalog) Find(id string) (Requirement, error) {
	if i, ok := c.byID[id]; ok {
		return c.all[i], nil
	}
	return Requirement{}, &UnknownError{ID: id, Near: c.Suggest(id)}
}

// Binds reports whether the requirement binds a device in that role (KS, GM or COOP).
func (r Requirement) Binds(role string) bool { return r.Role == role || r.Role == "both" }

// Area is what its id says it is about, without the number: "RFC6407-4.4", "GETVPN-REKEY".
func (r Requirement) Area() string { return r.ID[:max(0, strings.LastIndexByte(r.ID, '-'))] }

// Seen says where it can be seen whether a device meets the requirement: its Observable, or of a guide its Testability.
func (r Requirement) Seen() string { return cmp.Or(r.Observable, r.Testability) }

// Origin says where the requirement stands: "RFC 6407 §4.4".
func (r Requirement) Origin() string {
	if r.RFC == "" {
		return r.Section
	}
	return "RFC " + r.RFC + " §" + r.Section
}

package pcapdiff

import (
	"slices"
	"strings"
)

// Report is what two captures differ in.
type Report struct {
	Nodes       []NodePair   `json:"nodes"`
	Differences []Difference `json:"differences"`
	Compared    int          `json:"compared"`  // pairs of messages that were compared, ESP not counted
	SAs         int          `json:"sas"`       // pairs of ESP SAs whose use was compared
	Closed      int          `json:"closed"`    // pairs that no key opened in either capture: only their headers were compared
	Unmatched   int          `json:"unmatched"` // messages of neither key management nor ESP, which are not compared
}

// NodePair is a node of both captures, as they were matched up.
type NodePair struct {
	Role string `json:"role"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// Difference is one thing that is not the same. A place where only one capture has something has the other's value empty.
type Difference struct {
	Where        string   `json:"where"`        // the kind of message or "ESP", and the path of the field: "PULL2 SA/SAK/KEK_KEY_LENGTH"
	What         What     `json:"what"`         // in which respect
	A            string   `json:"a"`            // the value there
	B            string   `json:"b"`            //
	Frames       []Frames `json:"frames"`       // every place where it shows, in the order of A
	Requirements []string `json:"requirements"` // what it touches, as far as the table of fields knows

	path   string // without the kind of message: the same change may show in several
	moving bool   // its values change with the time of the message, so places with other values are the same difference
}

// Frames are the numbers of the frames, from 1; 0 where a capture has none.
type Frames struct {
	A      int    `json:"a"`
	B      int    `json:"b"`
	Kind   string `json:"kind"`
	ValueA string `json:"value_a,omitempty"` // where it is not that of the difference
	ValueB string `json:"value_b,omitempty"`
}

// What is the respect in which something differs.
type What string

// The respects.
const (
	Value    What = "value"    // a field has another value
	Length   What = "length"   // something random has another length
	Identity What = "identity" // an identifier names something else than in the other capture
	Presence What = "presence" // only one capture has it
	Order    What = "order"    // the same parts in another order
	Outcome  What = "outcome"  // a check or a decryption ends otherwise
	Usage    What = "usage"    // an SA is used in another way
)

// Same reports whether nothing differs.
func (r *Report) Same() bool { return len(r.Differences) == 0 }

// add enters a difference, or one more place of one that is known already.
func (r *Report) add(d Difference) {
	for i := range r.Differences {
		have := &r.Differences[i]
		alike := have.A == d.A && have.B == d.B
		if have.path == d.path && have.What == d.What && (alike || d.moving && have.moving) {
			if !alike {
				d.Frames[0].ValueA, d.Frames[0].ValueB = d.A, d.B
			}
			have.Frames = append(have.Frames, d.Frames...)
			for _, id := range d.Requirements {
				if !slices.Contains(have.Requirements, id) {
					have.Requirements = append(have.Requirements, id)
				}
			}
			return
		}
	}
	if d.Requirements == nil {
		d.Requirements = []string{}
	}
	r.Differences = append(r.Differences, d)
}

// Requirements finds the requirements that a field of a message touches. The path is that of the field's names, joined by
// slashes; a message itself has the empty path.
type Requirements func(kind, path string) []string

// last is the name at the end of a path.
func last(path string) string { return path[strings.LastIndex(path, "/")+1:] }

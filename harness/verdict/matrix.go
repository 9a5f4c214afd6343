package verdict

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"
)

// What a scene of a matrix may have come to beside the verdicts of specs.
const (
	Absent   Verdict = "absent"    // a peer is not on this machine
	NotTried Verdict = "not-tried" // no spec shows it
)

// Matrix is what every two peers came to beside each other.
type Matrix struct {
	Tool        string    `json:"tool"`
	Version     string    `json:"version"`
	Start       time.Time `json:"start"`
	Seconds     float64   `json:"seconds"`
	Seed        string    `json:"seed"` // decimal
	Filter      string    `json:"filter"`
	Interrupted bool      `json:"interrupted"` // ended before every pair had met
	Fabrics     []string  `json:"fabrics"`
	Peers       []Party   `json:"peers"`
	Cells       []Cell    `json:"cells"`
}

// Party is a peer of a matrix.
type Party struct {
	Peer
	Kind   PartyKind `json:"kind"`
	Roles  []string  `json:"roles"`
	Wanted bool      `json:"wanted,omitempty"` // somebody has named it, so it has to be there
	Absent string    `json:"absent,omitempty"` // what was looked for, if it is not there
}

// PartyKind says what a peer can stand beside.
type PartyKind string

// The kinds.
const (
	Device PartyKind = "device" // any other device
	Daemon PartyKind = "daemon" // our own side of an exchange that it knows; of GDOI it knows nothing
	Host   PartyKind = "host"   // a member and its host; it has ESP and is given the group's keys
)

// Cell is one pair on one fabric.
type Cell struct {
	KS      string        `json:"ks"`
	GM      string        `json:"gm"`
	Fabric  string        `json:"fabric"`
	Scenes  []SceneResult `json:"scenes"`           // one for each of Scenes
	Report  string        `json:"report,omitempty"` // page of the pair's run, relative to the matrix
	Repeat  string        `json:"repeat,omitempty"` // command that has the pair meet again
	Seconds float64       `json:"seconds"`

	Expectations []Expectation `json:"expectations,omitempty"` // the failures that the peers' manifests expect of this pair
}

// SceneResult is what a pair came to in one scene: the gravest of its specs.
type SceneResult struct {
	Scene   string          `json:"scene"`
	Verdict Verdict         `json:"verdict"`
	Reason  string          `json:"reason,omitempty"` // for everything but pass
	Counts  map[Verdict]int `json:"counts,omitempty"` // of its specs, those verdicts that there are
	Specs   []SceneSpec     `json:"specs,omitempty"`
}

// SceneSpec is a spec of a scene, with where its evidence is relative to the matrix.
type SceneSpec struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason,omitempty"`
	Report  string  `json:"report"`
	Capture string  `json:"capture,omitempty"`
	Log     string  `json:"log,omitempty"`
}

// NewCell is a pair of which nothing has been tried yet.
func NewCell(ks, gm, fabric string) Cell {
	c := Cell{KS: ks, GM: gm, Fabric: fabric}
	for _, scene := range Scenes {
		c.Scenes = append(c.Scenes, SceneResult{Scene: scene, Verdict: NotTried, Reason: "no spec shows it"})
	}
	return c
}

// Name is what the folder of the pair's run is called.
func (c *Cell) Name() string { return fmt.Sprintf("%s--%s--%s", c.KS, c.GM, c.Fabric) }

// Decide gives the scenes, or all if none is named, a verdict for which nothing was run.
func (c *Cell) Decide(v Verdict, reason string, scenes ...string) {
	for i := range c.Scenes {
		s := &c.Scenes[i]
		for _, name := range scenes {
			if name == s.Scene {
				s.Verdict, s.Reason = v, reason
			}
		}
		if len(scenes) == 0 {
			s.Verdict, s.Reason = v, reason
		}
	}
}

// Judge adds the specs of a run of the pair, whose report is in that folder relative to the matrix.
func (c *Cell) Judge(specs []Spec, folder string) {
	c.Report = path.Join(folder, ReportHTML)
	for i := range c.Scenes {
		for _, s := range specs {
			if s.Scene == c.Scenes[i].Scene {
				c.Scenes[i].add(s, folder)
			}
		}
	}
}

func (r *SceneResult) add(s Spec, folder string) {
	shown := SceneSpec{ID: s.ID, Name: s.Name, Verdict: s.Verdict, Reason: s.Reason, Report: path.Join(folder, ReportHTML) + "#spec-" + anchor(s.ID)}
	if s.Evidence != "" {
		evidence := path.Join(folder, s.Evidence)
		shown.Capture, shown.Log = path.Join(evidence, FileCapture), path.Join(evidence, FileSyslog)
	}
	r.Specs = append(r.Specs, shown)
	if r.Counts == nil {
		r.Counts = make(map[Verdict]int)
	}
	r.Counts[s.Verdict]++
	if severity[s.Verdict] > severity[r.Verdict] {
		r.Verdict, r.Reason = s.Verdict, s.Reason
	}
}

// Attention reports whether somebody has to look into the pair.
func (c *Cell) Attention() bool {
	for _, s := range c.Scenes {
		if s.Verdict.attention() {
			return true
		}
	}
	for _, e := range c.Expectations {
		if e.attention() {
			return true
		}
	}
	return false
}

// Complaints say, a line each, why somebody has to look into the pair.
func (c *Cell) Complaints() (lines []string) {
	add := func(format string, args ...any) {
		line := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
		if !slices.Contains(lines, line) { // scenes may share a reason
			lines = append(lines, line)
		}
	}
	for _, s := range c.Scenes {
		for _, spec := range s.Specs {
			if spec.Verdict.attention() {
				add("%s: %s: %s", spec.Verdict, spec.ID, spec.Reason)
			}
		}
		if len(s.Specs) == 0 && s.Verdict.attention() {
			add("%s: %s", s.Verdict, s.Reason)
		}
	}
	for _, e := range c.Expectations {
		if e.attention() {
			add("%s", e)
		}
	}
	return lines
}

// Exit is 0 if something passed, nothing calls for attention, every peer that was named is there, and every pair has met; else 1.
func (m *Matrix) Exit() int {
	passed := false
	for i := range m.Cells {
		if m.Cells[i].Attention() {
			return 1
		}
		for _, s := range m.Cells[i].Scenes {
			passed = passed || s.Counts[Pass] > 0
		}
	}
	for _, p := range m.Peers {
		if p.Wanted && p.Absent != "" {
			return 1
		}
	}
	if !passed || m.Interrupted {
		return 1
	}
	return 0
}

// ReadMatrix reads the JSON of a matrix.
func ReadMatrix(r io.Reader) (*Matrix, error) {
	var m Matrix
	if err := json.NewDecoder(r).Decode(&m); err != nil {
		return nil, fmt.Errorf("verdict: %w", err)
	}
	return &m, nil
}

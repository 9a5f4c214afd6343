package verdict

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Shard says which part of a whole a run was of.
type Shard struct {
	Index     int    `json:"index"` // from 1
	Of        int    `json:"of"`
	Specs     int    `json:"specs"`     // of the whole
	Selection string `json:"selection"` // SHA-256 of the ids of the whole, each with a line feed behind
}

// String is "2/4".
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// Part is the run of a shard and where it was found, for errors.
type Part struct {
	Name string
	Run  *Run
}

// Merge joins the shards of one run into that run. Its start is the first of theirs, its time that of the longest. What is expected of
// the device has yet to be settled for all of them together. Shards that are not of one run are refused, and so is one that is missing
// or there twice.
func Merge(parts []Part) (*Run, error) {
	if err := complete(parts); err != nil {
		return nil, err
	}
	first := parts[0].Run
	whole := *first
	whole.Shard, whole.Readings, whole.Specs = nil, nil, nil
	seen := make(map[string]string)
	for _, p := range parts {
		for _, s := range p.Run.Specs {
			if before, twice := seen[s.ID]; twice {
				return nil, fmt.Errorf("the spec %s is in %s and in %s; were they balanced by the same costs?", s.ID, before, p.Name)
			}
			seen[s.ID] = p.Name
		}
		whole.Specs = append(whole.Specs, p.Run.Specs...)
		whole.Interrupted = whole.Interrupted || p.Run.Interrupted
		whole.Seconds = max(whole.Seconds, p.Run.Seconds)
		if p.Run.Start.Before(whole.Start) {
			whole.Start = p.Run.Start
		}
	}
	if n := len(whole.Specs); n != first.Shard.Specs && !whole.Interrupted {
		return nil, fmt.Errorf("the shards have %d specs together, and the whole has %d; were they balanced by the same costs?", n, first.Shard.Specs)
	}
	slices.SortFunc(whole.Specs, func(a, b Spec) int { return strings.Compare(a.ID, b.ID) })
	whole.Summary = Tally(whole.Specs)
	return &whole, nil
}

// complete returns an error unless the parts are the shards of one run, each once.
func complete(parts []Part) error {
	if len(parts) == 0 {
		return errors.New("there is nothing to merge")
	}
	at := make(map[int]string)
	for _, p := range parts {
		if p.Run.Shard == nil {
			return fmt.Errorf("%s is no shard; it was run without --shard", p.Name)
		}
		if err := alike(parts[0], p); err != nil {
			return err
		}
		if before, twice := at[p.Run.Shard.Index]; twice {
			return fmt.Errorf("shard %s is there twice, in %s and in %s", p.Run.Shard, before, p.Name)
		}
		at[p.Run.Shard.Index] = p.Name
	}
	for i := range parts[0].Run.Shard.Of {
		if _, ok := at[i+1]; !ok {
			return fmt.Errorf("shard %d/%d is missing", i+1, parts[0].Run.Shard.Of)
		}
	}
	return nil
}

// alike returns an error that names the first thing in which two shards differ that belong together.
func alike(a, b Part) error {
	for _, c := range []struct {
		what     string
		one, two any
	}{
		{"versions", a.Run.Tool + " " + a.Run.Version, b.Run.Tool + " " + b.Run.Version},
		{"fabrics", a.Run.Fabric, b.Run.Fabric},
		{"seeds", a.Run.Seed, b.Run.Seed},
		{"devices", a.Run.DUT, b.Run.DUT},
		{"manifests", a.Run.Peer, b.Run.Peer},
		{"expected failures", a.Run.expected(), b.Run.expected()},
		{"kinds of redaction", a.Run.Redacted, b.Run.Redacted},
		{"numbers of shards", a.Run.Shard.Of, b.Run.Shard.Of},
		{"selections of specs", a.Run.Shard.Selection, b.Run.Shard.Selection},
	} {
		if !reflect.DeepEqual(c.one, c.two) {
			return fmt.Errorf("%s and %s are not of one run: their %s differ: %v and %v", a.Name, b.Name, c.what, legible(c.one), legible(c.two))
		}
	}
	return nil
}

// legible is what an error shows of something that differs.
func legible(v any) any {
	switch v := v.(type) {
	case *Peer:
		if v == nil {
			return "none"
		}
		return v.File + " " + v.Digest
	case []Expectation:
		return fmt.Sprintf("%d of them", len(v))
	}
	return v
}

// expected are the failures that the manifest expects, whatever became of them.
func (r *Run) expected() []Expectation {
	all := make([]Expectation, len(r.Expectations))
	for i, e := range r.Expectations {
		e.Outcome, e.Specs = "", nil
		all[i] = e
	}
	return all
}

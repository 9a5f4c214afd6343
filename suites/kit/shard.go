package kit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/verdict"
)

// Shard is a part of the specs that a run selects. Which they are depends on the selection and the costs alone, so that machines
// that know nothing of each other share it out alike.
type Shard struct {
	Index, Of int                // Index from 1; Of 0: the whole
	Costs     map[string]float64 // seconds that a spec is known to take, by id; nil: all alike
}

// ParseShard reads "2/4".
func ParseShard(text string) (s Shard, err error) {
	index, of, ok := strings.Cut(text, "/")
	if s.Index, err = strconv.Atoi(index); err == nil {
		s.Of, err = strconv.Atoi(of)
	}
	if !ok || err != nil || s.Index < 1 || s.Index > s.Of {
		return Shard{}, fmt.Errorf("%q is no shard; write one such as 2/4, the second of four", text)
	}
	return s, nil
}

// part returns what the shard has of the whole, which is in the order of its ids.
func (s Shard) part(whole []verdict.Spec) ([]verdict.Spec, error) {
	if s.Of == 0 {
		return whole, nil
	}
	if s.Of > len(whole) {
		return nil, fmt.Errorf("%w: of %d specs there are no %d shards", ErrNoSpec, len(whole), s.Of)
	}
	mine := s.deal(whole)
	sortByID(mine)
	return mine, nil
}

// deal gives the dearest spec that is left to whoever has the least so far, and of these to the first. Without costs that is one to each in
// turn, so that the rows of a table, which cost alike, are spread evenly.
func (s Shard) deal(whole []verdict.Spec) (mine []verdict.Spec) {
	cost, has := s.estimates(whole), make([]float64, s.Of)
	order := slices.Clone(whole)
	slices.SortStableFunc(order, func(a, b verdict.Spec) int {
		switch ca, cb := cost(a.ID), cost(b.ID); {
		case ca > cb:
			return -1
		case ca < cb:
			return 1
		}
		return 0
	})
	for _, spec := range order {
		least := slices.Index(has, slices.Min(has))
		has[least] += cost(spec.ID)
		if least == s.Index-1 {
			mine = append(mine, spec)
		}
	}
	return mine
}

// estimates is what each spec costs. One that nobody knows the cost of costs as much as the others do on the average.
func (s Shard) estimates(whole []verdict.Spec) func(id string) float64 {
	sum, known := 0.0, 0
	for _, spec := range whole {
		if c, ok := s.Costs[spec.ID]; ok {
			sum, known = sum+c, known+1
		}
	}
	average := 1.0
	if known > 0 {
		average = sum / float64(known)
	}
	return func(id string) float64 {
		if c, ok := s.Costs[id]; ok {
			return c
		}
		return average
	}
}

// shardOf says in a report which part of the selection a run has. It is nil if that is the whole.
func (o Options) shardOf() (*verdict.Shard, error) {
	if o.Shard.Of == 0 {
		return nil, nil
	}
	whole, err := list(o.Filter)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	for _, s := range whole {
		fmt.Fprintln(sum, s.ID)
	}
	return &verdict.Shard{Index: o.Shard.Index, Of: o.Shard.Of, Specs: len(whole), Selection: hex.EncodeToString(sum.Sum(nil))}, nil
}

// claimOthers takes the specs of the other shards, so that no worker of this one does.
func (o Options) claimOthers(c *Claims) error {
	others, err := o.others()
	for id := range others {
		c.take(id)
	}
	return err
}

// others are the ids of the specs that the filter selects and the shard has not.
func (o Options) others() (map[string]bool, error) {
	whole, err := list(o.Filter)
	if err != nil {
		return nil, err
	}
	mine, err := o.Shard.part(whole)
	others := make(map[string]bool)
	for _, s := range whole {
		others[s.ID] = true
	}
	for _, s := range mine {
		delete(others, s.ID)
	}
	return others, err
}

// leaveOut leaves out each spec that somebody else has.
func leaveOut(has func(id string) bool, why string) {
	ginkgo.BeforeEach(func() {
		r := ginkgo.CurrentSpecReport()
		if someoneElses = has(SpecID(first(labelled(r.Labels(), labelSubject)), r.LeafNodeText)); someoneElses {
			ginkgo.Skip(why)
		}
	})
}

// SettleMerged says of a run that was merged from shards what became of everything that the device's manifest expects.
func SettleMerged(run *verdict.Run) error {
	if _, err := List(""); err != nil { // claims has every spec then
		return err
	}
	for i, e := range run.Expectations {
		e.Specs = nil
		run.Expectations[i] = e.Settle(run.Specs, judgedAll(run.Specs, e.Requirement))
	}
	return nil
}

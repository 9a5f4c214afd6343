package kit

import (
	"errors"
	"fmt"
	"testing"

	"github.com/gdoilab/gdoilab/harness/verdict"
)

func TestParseShard(t *testing.T) {
	if s, err := ParseShard("2/4"); err != nil || s.Index != 2 || s.Of != 4 {
		t.Errorf("%+v, %v", s, err)
	}
	for _, text := range []string{"", "2", "0/4", "5/4", "-1/4", "1/0", "a/b", "1/2/3"} {
		if s, err := ParseShard(text); err == nil {
			t.Errorf("%q is %+v", text, s)
		}
	}
}

// specs are so many, with ids in order.
func specs(n int) (all []verdict.Spec) {
	for i := range n {
		all = append(all, verdict.Spec{ID: fmt.Sprintf("s/%03d", i)})
	}
	return all
}

// Each spec is in one shard, whatever is known of its cost.
func TestShardsAreAWhole(t *testing.T) {
	costs := map[string]float64{"s/003": 90, "s/050": 1, "s/099": 4, "s/of-another-run": 7}
	for _, known := range []map[string]float64{nil, costs} {
		whole := specs(100)
		for _, of := range []int{1, 2, 7, 100} {
			seen := make(map[string]int)
			for index := 1; index <= of; index++ {
				part, err := Shard{Index: index, Of: of, Costs: known}.part(whole)
				if err != nil || len(part) == 0 {
					t.Fatalf("%d/%d: %v, %v", index, of, part, err)
				}
				for _, s := range part {
					seen[s.ID]++
				}
			}
			for _, s := range whole {
				if seen[s.ID] != 1 {
					t.Errorf("%s is in %d of %d shards", s.ID, seen[s.ID], of)
				}
			}
		}
	}
	if _, err := (Shard{Index: 1, Of: 101}).part(specs(100)); !errors.Is(err, ErrNoSpec) {
		t.Errorf("more shards than specs: %v", err)
	}
}

// Without costs the specs go to each in turn; with them no shard costs more than the others by more than one spec.
func TestShardsAreEven(t *testing.T) {
	first, err := Shard{Index: 1, Of: 3}.part(specs(10))
	if err != nil || len(first) != 4 || first[1].ID != "s/003" {
		t.Errorf("%v, %v", first, err)
	}
	costs := make(map[string]float64)
	for i, s := range specs(60) {
		costs[s.ID] = float64(1 + i%10)
	}
	least, most := 1e9, 0.0
	for index := 1; index <= 4; index++ {
		part, _ := Shard{Index: index, Of: 4, Costs: costs}.part(specs(60))
		sum := 0.0
		for _, s := range part {
			sum += costs[s.ID]
		}
		least, most = min(least, sum), max(most, sum)
	}
	if most-least > 10 {
		t.Errorf("shards cost from %v to %v", least, most)
	}
}

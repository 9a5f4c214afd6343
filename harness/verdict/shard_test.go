package verdict_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/harness/verdict"
)

// shards are the parts of one run of so many specs, dealt in turn.
func shards(of, specs int) []verdict.Part {
	parts := make([]verdict.Part, of)
	for i := range parts {
		parts[i] = verdict.Part{Name: fmt.Sprintf("out/%d", i+1), Run: &verdict.Run{
			Tool: "gdoilab", Version: "1", Fabric: "memory", Seed: "7", DUT: "x", Peer: &verdict.Peer{File: "x.yaml", Digest: "d"},
			Start: time.Unix(int64(100-i), 0), Seconds: float64(i), Shard: &verdict.Shard{Index: i + 1, Of: of, Specs: specs, Selection: "s"},
			Expectations: []verdict.Expectation{{Spec: "a", Outcome: verdict.Outcome(fmt.Sprint(i))}},
		}}
	}
	for n := range specs {
		r := parts[n%of].Run
		r.Specs = append(r.Specs, verdict.Spec{ID: string(rune('a' + n)), Verdict: verdict.Pass})
	}
	return parts
}

func TestMerge(t *testing.T) {
	run, err := verdict.Merge(shards(3, 7))
	if err != nil {
		t.Fatal(err)
	}
	ids := ""
	for _, s := range run.Specs {
		ids += s.ID
	}
	if ids != "abcdefg" || run.Summary[verdict.Pass] != 7 || run.Shard != nil || run.Start.Unix() != 98 || run.Seconds != 2 || run.Interrupted {
		t.Errorf("%s: %+v", ids, run)
	}
	parts := shards(3, 7)
	parts[1].Run.Interrupted, parts[1].Run.Specs = true, nil
	if run, err := verdict.Merge(parts); err != nil || !run.Interrupted || len(run.Specs) != 5 {
		t.Errorf("one that was interrupted: %+v, %v", run, err)
	}
}

// What does not belong together is refused, with the folders and the thing in which they differ.
func TestMergeRefuses(t *testing.T) {
	for _, c := range []struct {
		alter func(p []verdict.Part) []verdict.Part
		want  string
	}{
		{func([]verdict.Part) []verdict.Part { return nil }, "there is nothing to merge"},
		{func(p []verdict.Part) []verdict.Part { return p[:2] }, "shard 3/3 is missing"},
		{func(p []verdict.Part) []verdict.Part { return append(p, p[1]) }, "shard 2/3 is there twice, in out/2 and in out/2"},
		{func(p []verdict.Part) []verdict.Part { p[2].Run.Shard = nil; return p }, "out/3 is no shard; it was run without --shard"},
		{func(p []verdict.Part) []verdict.Part { p[2].Run.Version = "2"; return p }, "out/1 and out/3 are not of one run: their versions differ: gdoilab 1 and gdoilab 2"},
		{func(p []verdict.Part) []verdict.Part { p[1].Run.Fabric = "netns"; return p }, "their fabrics differ: memory and netns"},
		{func(p []verdict.Part) []verdict.Part { p[1].Run.Seed = "8"; return p }, "their seeds differ: 7 and 8"},
		{func(p []verdict.Part) []verdict.Part { p[1].Run.DUT = "x with a mutant"; return p }, "their devices differ: x and x with a mutant"},
		{func(p []verdict.Part) []verdict.Part {
			p[1].Run.Peer = &verdict.Peer{File: "x.yaml", Digest: "e"}
			return p
		}, "their manifests differ: x.yaml d and x.yaml e"},
		{func(p []verdict.Part) []verdict.Part { p[1].Run.Peer = nil; return p }, "their manifests differ: x.yaml d and none"},
		{func(p []verdict.Part) []verdict.Part { p[1].Run.Expectations = nil; return p }, "their expected failures differ: 1 of them and 0 of them"},
		{func(p []verdict.Part) []verdict.Part { p[1].Run.Redacted = true; return p }, "their kinds of redaction differ"},
		{func(p []verdict.Part) []verdict.Part { p[1].Run.Shard.Of = 4; return p }, "their numbers of shards differ: 3 and 4"},
		{func(p []verdict.Part) []verdict.Part { p[1].Run.Shard.Selection = "r"; return p }, "their selections of specs differ: s and r"},
		{func(p []verdict.Part) []verdict.Part { p[1].Run.Specs = p[0].Run.Specs; return p }, "the spec a is in out/1 and in out/2"},
		{func(p []verdict.Part) []verdict.Part { p[1].Run.Specs = nil; return p }, "the shards have 5 specs together, and the whole has 7"},
	} {
		if run, err := verdict.Merge(c.alter(shards(3, 7))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, %v; want %s", run, err, c.want)
		}
	}
}

// A shard of which nothing passed has not failed by that; only of the whole something has to pass.
func TestShardExit(t *testing.T) {
	r := runOf(verdict.Unsupported)
	if r.Shard = (&verdict.Shard{Index: 1, Of: 2}); r.Exit() != 0 {
		t.Error("a shard that has nothing for the device")
	}
	if r.Specs[0].Verdict = verdict.Fail; r.Exit() == 0 {
		t.Error("a shard that failed")
	}
}

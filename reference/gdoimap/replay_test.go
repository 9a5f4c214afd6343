package gdoimap

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// The order in a fixture of anti-replay.
const (
	atTimed = iota
	atCounted
	atUnprotected
	atUnsaid
)

func timed() policy.AntiReplay {
	return policy.AntiReplay{Method: policy.ReplayTime, Window: 20 * time.Second, Tick: time.Second}
}

// replaySAs have each method.
func replaySAs() (sas []policy.TrafficSA) {
	for i, r := range []policy.AntiReplay{timed(), {Method: policy.ReplayCounter, Counter: 512}, {Method: policy.ReplayNone}, {}} {
		sa := gcmSA()
		sa.SPI += uint32(i)
		sa.Replay = &policy.ReplaySA{AntiReplay: r, Attributes: policy.DefaultReplayAttributes}
		if r.Method == policy.ReplayTime {
			sa.Replay.Tagged, sa.Replay.Pseudotime = true, 60000678
		}
		sas = append(sas, sa)
	}
	return sas
}

func newReplay(rules *rule.Switches) *fixture {
	return &fixture{sa: SAOf(nil, policy.Activation{}, replaySAs(), rules), kd: KDOf(nil, replaySAs(), nil, rules),
		vendor: &policy.ReplayAttributes{}}
}

// neglectedReplay are what refuses when a duty about anti-replay is neglected; nil: nothing.
var neglectedReplay = map[*rule.Guard]*rule.Guard{
	dutyWindow:     nil,
	dutyPseudotime: nil,
	dutyTick:       nil,
	dutyCounter:    nil,
	dutyOneMethod:  checkOneMethod,
	dutyTag:        nil,
}

var replayRefusals = []refusal{
	{"both windows", checkOneMethod, satWith(atTimed, wire.TV(policy.DefaultReplayAttributes.Counter, 64))},
	{"no pseudotime", checkReplayForm, satWithout(atTimed, policy.DefaultReplayAttributes.Pseudotime)},
	{"pseudotime of four octets", checkReplayForm, satWith(atTimed, wire.TLV32(policy.DefaultReplayAttributes.Pseudotime, 7))},
	{"pseudotime without a window", checkReplayForm, satWith(atCounted, wire.TLV(policy.DefaultReplayAttributes.Pseudotime, make([]byte, 8)))},
	{"tag of another method", checkSATValue, satWith(atTimed, wire.TV(policy.DefaultReplayAttributes.Tag, 2))},
	{"window of 0 s", checkReplayForm, satWith(atTimed, wire.TV(policy.DefaultReplayAttributes.Window, 0))},
}

// Each method comes back, and where nothing is said members count.
func TestReplayRoundTrip(t *testing.T) {
	p, _, err := newReplay(nil).receive(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range replaySAs() {
		if diff := cmp.Diff(want.Replay, p.SAs[i].Replay); diff != "" {
			t.Errorf("SA %d: -want +got\n%s", i, diff)
		}
	}
}

// The numbers are those of the configuration.
func TestReplayNumbers(t *testing.T) {
	numbers := policy.ReplayAttributes{Counter: 201, Window: 202, Tick: 203, Pseudotime: 204, Tag: 205}
	sa := replaySAs()[atTimed]
	sa.Replay.Attributes = numbers
	as := SATOf(sa, nil).ESP.Attributes
	for _, n := range []uint16{202, 203, 204} {
		if len(without(as, n)) != len(as)-1 {
			t.Errorf("no attribute %d in %+v", n, as)
		}
	}
	got, err := ReadVendorSA(SAOf(nil, policy.Activation{}, []policy.TrafficSA{sa}, nil), Vendor{Replay: numbers}, nil)
	if err != nil || got.SAs[0].Replay.Pseudotime != 60000678 {
		t.Errorf("%+v, %v", got, err)
	}
}

// To a member that follows RFC 6407 alone the attributes are unknown, and none is sent where the SA has none.
func TestReplayIsOfTheProfile(t *testing.T) {
	f := newReplay(nil)
	f.vendor = nil
	if _, _, err := f.receive(t, nil); err == nil || violated(t, err) != checkSATUnknown {
		t.Errorf("%v", err)
	}
	plain, unsaid := gcmSA(), replaySAs()[atUnsaid]
	plain.SPI = unsaid.SPI
	if diff := cmp.Diff(SATOf(plain, nil), SATOf(unsaid, nil)); diff != "" {
		t.Errorf("-plain +unsaid\n%s", diff)
	}
}

func TestReplayRefused(t *testing.T) {
	for _, c := range replayRefusals {
		f := newReplay(nil)
		c.alter(f)
		_, _, err := f.receive(t, nil)
		if err == nil || refusing(t, err) != c.guard {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, _, err = f.receive(t, altered(t, c.guard.Name, rule.Off)); err != nil {
			t.Errorf("%s, with the guard off: %v", c.name, err)
		}
	}
}

// A member that does not heed a size has its own.
func TestReplayHeeded(t *testing.T) {
	for duty, want := range map[*rule.Guard]policy.AntiReplay{
		dutyReadWindow: {Method: policy.ReplayTime, Tick: time.Second}, dutyReadTick: {Method: policy.ReplayTime, Window: 20 * time.Second},
	} {
		p, _, err := newReplay(nil).receive(t, altered(t, duty.Name, rule.Broken))
		if err != nil || p.SAs[atTimed].Replay.AntiReplay != want {
			t.Errorf("%v: %+v, %v", duty, p.SAs[atTimed].Replay, err)
		}
	}
}

// A member that does not heed the tag sends none.
func TestTagHeeded(t *testing.T) {
	p, _, err := newReplay(nil).receive(t, altered(t, dutyReadTag.Name, rule.Broken))
	if err != nil || p.SAs[atTimed].Replay.Tagged {
		t.Errorf("%+v, %v", p.SAs[atTimed].Replay, err)
	}
}

// Whatever the attributes hold, they are read or refused.
func FuzzReplay(f *testing.F) {
	off := lenient(f)
	for at := range replaySAs() {
		b, err := wire.AppendAttributes(nil, newReplay(nil).sa.Attributes[at].(gdoi.SAT).ESP.Attributes)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := wire.NewReader(b)
		as := wire.ParseAttributes(r)
		if r.Err() != nil {
			return
		}
		if _, _, err := takeReplay(as, &policy.ReplayAttributes{}, nil); err != nil {
			violated(t, err)
		}
		if _, got, err := takeReplay(as, &policy.ReplayAttributes{}, off); err != nil || got == nil {
			t.Errorf("with every check off: %+v, %v", got, err)
		}
	})
}

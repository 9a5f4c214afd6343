package policy

import (
	"math"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/pseudotime"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// replayMethods are the words for a method with the sizes that it has by itself.
var replayMethods = yamldoc.Names[ReplayMethod]{{"counter", ReplayCounter}, {"time", ReplayTime}, {"none", ReplayNone}}

// tagMethods are how packets carry the tag of their security group.
var tagMethods = yamldoc.Names[bool]{{"none", false}, {"cts-sgt", true}}

// metadataLengths are those of headers with a pseudotime.
var metadataLengths = []int{12, 16}

// The tick is told in milliseconds, in two octets.
const maxTick = math.MaxUint16 * time.Millisecond

// antiReplay reads the word for a method, or a method with its sizes.
func antiReplay(v yamldoc.Value) AntiReplay {
	if v.IsText() {
		return AntiReplay{Method: replayMethods.Read(v)}
	}
	var a AntiReplay
	ok := v.Fields(
		yamldoc.Optional("counter", &a.Counter, counterWindow),
		yamldoc.Optional("time", &a.Window, seconds(1, math.MaxUint16)),
		yamldoc.Optional("tick", &a.Tick, between(pseudotime.Unit, maxTick)),
	)
	counts, times := v.Has("counter"), v.Has("time")
	switch {
	case !ok:
	case counts == times:
		v.Problem("packets are counted or their times are looked at; write {counter: 64} or {time: 100s}")
	case counts && v.Has("tick"):
		v.Problem("only times have a tick; leave out the field \"tick\"")
	case counts && a.Counter == 0:
		a.Method = ReplayNone
	case counts:
		a.Method = ReplayCounter
	default:
		a.Method = ReplayTime
	}
	return a
}

// counterWindow reads a size that a SAT can tell in two octets, or 0 for none.
func counterWindow(v yamldoc.Value) int {
	n := int(v.Uint(0, math.MaxUint16))
	if n > 0 && n < 32 {
		v.Problem("%d is too small; it must be 32 or more, or 0 for no window", n)
	}
	return n
}

// checkReplay refuses what cannot be looked at together.
func checkReplay(v yamldoc.Value, s SAPolicy) {
	if s.Transform.ESN && v.Has("anti_replay") && s.AntiReplay.Packets() == 0 {
		v.Problem("extended sequence numbers need a window over them; take out esn or write anti_replay: counter")
	}
}

// checkReplayProfile refuses in a group what only members of the profile getvpn understand.
func checkReplayProfile(at yamldoc.Value, g Group, p Profile) {
	if p == ProfileGETVPN {
		return
	}
	for i, sa := range g.SAs {
		if sa.AntiReplay != (AntiReplay{}) {
			at.Problem("SA %d has anti_replay, which is for profile getvpn", i+1)
		}
		if sa.Tag {
			at.Problem("SA %d has a tag, which is for profile getvpn", i+1)
		}
	}
	if g.Rekey.Sync != 0 {
		at.Problem("the rekey has pseudotime_sync, which is for profile getvpn")
	}
}

func replayAttributes(v yamldoc.Value) ReplayAttributes {
	var a ReplayAttributes
	number := func(v yamldoc.Value) uint16 { return uint16(v.Uint(1, math.MaxInt16)) }
	ok := v.Fields(
		yamldoc.Optional("counter", &a.Counter, number),
		yamldoc.Optional("window", &a.Window, number),
		yamldoc.Optional("tick", &a.Tick, number),
		yamldoc.Optional("pseudotime", &a.Pseudotime, number),
		yamldoc.Optional("tag", &a.Tag, number),
	)
	all := a.Complete().list()
	slices.Sort(all)
	if ok && len(slices.Compact(all)) < len(a.list()) {
		v.Problem("two attributes have the same number; give each one of its own")
	}
	return a
}

func metadata(v yamldoc.Value) Metadata {
	var m Metadata
	length := func(v yamldoc.Value) int {
		n := int(v.Uint(0, math.MaxUint8))
		if !slices.Contains(metadataLengths, n) {
			v.Problem("%d is no length of a header with a pseudotime; it must be 12 or 16", n)
			return 0
		}
		return n
	}
	v.Fields(
		yamldoc.Optional("protocol", &m.Protocol, func(v yamldoc.Value) uint8 { return uint8(v.Uint(61, math.MaxUint8)) }),
		yamldoc.Optional("length", &m.Length, length),
		yamldoc.Optional("tag", &m.Tag, func(v yamldoc.Value) uint16 { return uint16(v.Uint(0, math.MaxUint16)) }),
		yamldoc.Optional("lacking", &m.Lacking, yamldoc.Value.Bool),
	)
	return m
}

// checkReplayMember refuses what only a member of the profile getvpn looks at.
func checkReplayMember(v yamldoc.Value, p Profile) {
	for _, field := range []string{"replay_attributes", "metadata"} {
		if v.Has(field) && p != ProfileGETVPN {
			v.Problem("the field %q is for profile getvpn", field)
		}
	}
}

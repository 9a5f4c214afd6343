package gdoimap

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/pseudotime"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
)

// What the key server owes in a SAT about anti-replay, under the profile getvpn.
var (
	dutyWindow = rule.Duty("gdoimap.make.sat.window", "GETVPN-TBAR-07", rule.KS,
		"a SAT tells the window around the pseudotime that is configured")
	dutyPseudotime = rule.Duty("gdoimap.make.sat.pseudotime", "GETVPN-TBAR-03", rule.KS,
		"a SAT of time-based anti-replay tells the pseudotime of the key server")
	dutyTick = rule.Duty("gdoimap.make.sat.tick", "GETVPN-TBAR-09", rule.KS,
		"a SAT of time-based anti-replay tells how long a tick is")
	dutyCounter = rule.Duty("gdoimap.make.sat.counter", "GETVPN-CBAR-02", rule.KS,
		"a SAT tells the window over sequence numbers that is configured, and that there is none")
	dutyTag = rule.Duty("gdoimap.make.sat.tag", "GETVPN-SGT-01", rule.KS,
		"a SAT says so if packets carry the tag of their security group")
	dutyOneMethod = rule.Duty("gdoimap.make.sat.onemethod", "GETVPN-TBAR-19", rule.KS,
		"a SAT never has both a window around the pseudotime and one over sequence numbers")
)

// What the member checks and heeds of it.
var (
	checkOneMethod = rule.Check("gdoimap.read.sat.onemethod", "GETVPN-TBAR-19", rule.GM,
		"a SAT never has both a window around the pseudotime and one over sequence numbers")
	checkReplayForm = rule.Check("gdoimap.read.sat.replay", "GETVPN-TBAR-03", rule.GM,
		"a window around the pseudotime is above 0, and comes with a pseudotime of eight octets")
	dutyReadWindow = rule.Duty("gdoimap.read.sat.window", "GETVPN-TBAR-06", rule.GM,
		"packets are judged by the window that the SAT tells")
	dutyReadTag = rule.Duty("gdoimap.read.sat.tag", "GETVPN-SGT-01", rule.GM,
		"packets carry the tag of their security group if the SAT says so")
	dutyReadTick = rule.Duty("gdoimap.read.sat.tick", "GETVPN-TBAR-09", rule.GM,
		"a tick is as long as the SAT tells")
)

// tagCTS is the one method there is of tagging packets.
const tagCTS = 1

// stampLen is the length of a pseudotime in an attribute.
const stampLen = 8

// replayOf builds the attributes that tell of anti-replay. There are none where nothing was said, and then members count.
func replayOf(r *policy.ReplaySA, rules *rule.Switches) (as []wire.Attribute) {
	if r == nil {
		return nil
	}
	n := r.Attributes.Complete()
	timed, counted := r.Method == policy.ReplayTime, r.Method == policy.ReplayCounter || r.Method == policy.ReplayNone
	if timed {
		as = timeOf(r, n, rules)
	}
	if r.Tagged && dutyTag.Kept(rules) {
		as = append(as, wire.TV(n.Tag, tagCTS))
	}
	if counted && dutyCounter.Kept(rules) || timed && !dutyOneMethod.Kept(rules) {
		as = append(as, wire.TV(n.Counter, uint16(r.Packets())))
	}
	return as
}

func timeOf(r *policy.ReplaySA, n policy.ReplayAttributes, rules *rule.Switches) (as []wire.Attribute) {
	window := r.Time()
	if !dutyWindow.Kept(rules) {
		window += time.Second
	}
	as = append(as, wire.TV(n.Window, uint16(min(window/time.Second, math.MaxUint16))))
	if dutyTick.Kept(rules) {
		as = append(as, wire.TV(n.Tick, uint16(min(r.Ticks()/time.Millisecond, math.MaxUint16))))
	}
	stamp := r.Pseudotime
	if !dutyPseudotime.Kept(rules) {
		stamp = 0
	}
	return append(as, wire.TLV(n.Pseudotime, binary.BigEndian.AppendUint64(nil, uint64(stamp))))
}

// takeReplay takes what tells of anti-replay out of a list of attributes, under the numbers of a node of the profile getvpn; nil
// leaves all there.
func takeReplay(as []wire.Attribute, numbers *policy.ReplayAttributes, rules *rule.Switches) (rest []wire.Attribute, r *policy.ReplaySA, err error) {
	if numbers == nil {
		return as, nil, nil
	}
	n := numbers.Complete()
	own := map[uint16]wire.Attribute{}
	for _, a := range as {
		if a.Type == n.Counter || a.Type == n.Window || a.Type == n.Tick || a.Type == n.Pseudotime || a.Type == n.Tag {
			own[a.Type] = a
		} else {
			rest = append(rest, a)
		}
	}
	r, err = readReplay(own, n, rules)
	return rest, r, err
}

func readReplay(as map[uint16]wire.Attribute, n policy.ReplayAttributes, rules *rule.Switches) (*policy.ReplaySA, error) {
	counter, counted := as[n.Counter]
	window, timed := as[n.Window]
	if !checkOneMethod.Holds(rules, !counted || !timed) {
		return nil, checkOneMethod.Violated("a SAT with a window of %d packets and one of %d s", number(counter), number(window))
	}
	stamp := as[n.Pseudotime].Value
	if timed != (len(stamp) > 0) || timed && (len(stamp) != stampLen || number(window) == 0) {
		if !checkReplayForm.Holds(rules, false) {
			return nil, checkReplayForm.Violated("a window of %d s and a pseudotime of %d octets", number(window), len(stamp))
		}
		timed, stamp = timed && number(window) > 0, fit(stamp, stampLen)
	}
	tag, tagged := as[n.Tag]
	if tagged && number(tag) != tagCTS && !checkSATValue.Holds(rules, false) {
		return nil, checkSATValue.Violated("packets are tagged by method %d", number(tag))
	}
	r := &policy.ReplaySA{Attributes: n, Tagged: tagged && dutyReadTag.Kept(rules)}
	switch {
	case timed:
		r.Method, r.Pseudotime = policy.ReplayTime, pseudotime.Stamp(binary.BigEndian.Uint64(stamp))
		r.AntiReplay.Window, r.Tick = seconds16(window, dutyReadWindow, rules), millis16(as[n.Tick], dutyReadTick, rules)
	case counted && number(counter) == 0:
		r.Method = policy.ReplayNone
	case counted:
		r.Method, r.Counter = policy.ReplayCounter, int(min(number(counter), math.MaxUint16))
	}
	return r, nil
}

// seconds16 is a number of seconds, or 0 by a member that does not heed it.
func seconds16(a wire.Attribute, heed *rule.Guard, rules *rule.Switches) time.Duration {
	if !heed.Kept(rules) {
		return 0
	}
	return time.Duration(min(number(a), math.MaxUint16)) * time.Second
}

// millis16 is a number of milliseconds; one that is missing or not heeded is 0.
func millis16(a wire.Attribute, heed *rule.Guard, rules *rule.Switches) time.Duration {
	if a.Type == 0 || !heed.Kept(rules) {
		return 0
	}
	return time.Duration(min(number(a), math.MaxUint16)) * time.Millisecond
}

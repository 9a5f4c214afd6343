package pseudotime

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/rule"
)

// What a member asks of the pseudotime in a rekey.
var (
	guardSkew = rule.Duty("pseudotime.rekey.skew", "GETVPN-TBAR-20", rule.GM,
		"a rekey may be behind by the window of packets, and by 30 s at most")
	guardTooOld = rule.Bound("pseudotime.rekey.old", "GETVPN-TBAR-23", rule.GM,
		"the pseudotime of a rekey is no further behind the member's own than the skew")
	guardLarge = rule.Bound("pseudotime.rekey.large", "GETVPN-TBAR-21", rule.GM,
		"a difference beyond the skew is told when a rekey is ahead")
	guardForward = rule.Duty("pseudotime.rekey.forward", "GETVPN-TBAR-21", rule.GM,
		"a member follows a rekey whose pseudotime is ahead of its own")
	guardBack = rule.Duty("pseudotime.rekey.back", "GETVPN-TBAR-22", rule.GM,
		"a member goes back to the pseudotime of a rekey that is a little behind its own")
)

// MostSkew is the largest skew, whatever the window.
const MostSkew = 30 * time.Second

// Skew is by how much a rekey may be behind a member: the window of packets, and 30 s at most.
func Skew(rules *rule.Switches, window Stamp) Stamp {
	if !guardSkew.Kept(rules) {
		return window + Span(MostSkew)
	}
	return min(window, Span(MostSkew))
}

// Judgement is what comes of the pseudotime in a rekey.
type Judgement struct {
	Own, Peer, Skew Stamp
	Follow          bool // the member takes over the pseudotime of the key server
	Large           bool // the key server is ahead by more than the skew
	Refused         *rule.Violation
}

// Rekey judges the pseudotime of a rekey by the member's own.
func Rekey(rules *rule.Switches, own, peer, window Stamp) Judgement {
	j := Judgement{Own: own, Peer: peer, Skew: Skew(rules, window)}
	switch {
	case peer >= own:
		j.Large = !guardLarge.AtMost(rules, uint64(peer-own), uint64(j.Skew))
		j.Follow = guardForward.Kept(rules)
	case !guardTooOld.AtMost(rules, uint64(own-peer), uint64(j.Skew)):
		j.Refused = guardTooOld.Violated("pseudotime %v, and it is %v; %v may be between them", peer, own, j.Skew)
	default:
		j.Follow = guardBack.Kept(rules)
	}
	return j
}

package group

import "time"

// The arithmetic of profile getvpn. A lead is how long before the end of a key the rekey that replaces it begins.
const (
	shortTEK   = 900 * time.Second // GETVPN-UCAST-05: below it the offset is fixed, and else a tenth
	fixedLead  = 90 * time.Second
	kekLead    = 200 * time.Second // GETVPN-KEK-04
	loopSize   = 50                // GETVPN-UCAST-03: members told at a time, and what that takes
	loopTime   = 5 * time.Second
	quietTime  = 120 * time.Second // GETVPN-REKEY-15
	mergeTime  = 60 * time.Second  // GETVPN-REKEY-16
	leastShare = 4                 // see bounded
)

// delivery is what takes time when a rekey goes out: its loops and its repetitions.
type delivery struct {
	unicast  bool
	members  int
	copies   int // after the first
	interval time.Duration
}

// tekOffset is how long before the end of a TEK the last copy of its rekey has left (GETVPN-MCAST-04, GETVPN-UCAST-05).
func tekOffset(lifetime time.Duration) time.Duration {
	if lifetime < shortTEK {
		return fixedLead
	}
	return lifetime / 10
}

// repeating is the time that repetitions take.
func (d delivery) repeating() time.Duration { return time.Duration(d.copies) * d.interval }

// loops is in how many loops the members are told one by one (GETVPN-UCAST-03). A multicast takes none.
func (d delivery) loops() int {
	if !d.unicast {
		return 0
	}
	return (d.members + loopSize - 1) / loopSize
}

// tekLead is the lead of a TEK (GETVPN-MCAST-04, GETVPN-UCAST-04).
func tekLead(lifetime time.Duration, d delivery) time.Duration {
	return tekOffset(lifetime) + time.Duration(d.loops())*loopTime + d.repeating()
}

// kekLeadOf is the lead of a KEK (GETVPN-KEK-04). It has a loop more than there can be members for, which is no slip: its formula
// counts so.
func kekLeadOf(d delivery) time.Duration {
	lead := kekLead + d.repeating()
	if d.unicast {
		lead += loopTime * time.Duration(1+d.members/loopSize)
	}
	return lead
}

// bounded keeps a lead within three quarters of the lifetime. The formulas ask for more where a key lives for few minutes, and the
// rekeys would chase each other; devices are seen to replace a TEK of 120 s each 30 s.
func bounded(lead, lifetime time.Duration) time.Duration {
	return min(lead, lifetime-lifetime/leastShare)
}

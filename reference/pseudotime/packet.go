package pseudotime

import "github.com/gdoilab/gdoilab/reference/rule"

// What a receiver asks of the stamp of a packet. The guide leaves open whether the edges of the window belong to it; here they do.
var (
	guardOld = rule.Bound("pseudotime.packet.old", "GETVPN-TBAR-06", rule.GM,
		"the stamp of a packet is no further behind the receiver's pseudotime than the window")
	guardAhead = rule.Bound("pseudotime.packet.ahead", "GETVPN-TBAR-06", rule.GM,
		"the stamp of a packet is no further ahead of the receiver's pseudotime than the window")
)

// Packet judges the stamp of a packet by the receiver's own pseudotime. A packet that comes again within the window is taken
// again.
func Packet(rules *rule.Switches, own, stamp, window Stamp) *rule.Violation {
	switch {
	case stamp < own && !guardOld.AtMost(rules, uint64(own-stamp), uint64(window)):
		return guardOld.Violated("pseudotime %v, and it is %v; the window is %v", stamp, own, window)
	case stamp > own && !guardAhead.AtMost(rules, uint64(stamp-own), uint64(window)):
		return guardAhead.Violated("pseudotime %v, and it is only %v; the window is %v", stamp, own, window)
	}
	return nil
}

// Refused reports whether a violation is one of Packet.
func Refused(v *rule.Violation) bool { return v.Guard == guardOld || v.Guard == guardAhead }

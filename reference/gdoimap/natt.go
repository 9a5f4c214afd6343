package gdoimap

import (
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// dutyNoUDP holds in front of a NAT too: all members of a group share its SAs, so that what is for one of them cannot be said in
// a SAT. Whether the group's traffic travels in UDP is for its policy to say, as the mode of the SA.
var dutyNoUDP = rule.Duty("gdoimap.make.sat.udp", "RFC3947-5.1-01", rule.KS,
	"a SAT asks for no encapsulation in UDP where the policy has none")

// The distance from tunnel and transport mode to their counterparts in UDP (RFC 3947 §5.1).
const udpEncapsulated = 2

// encapsulation is the Encapsulation Mode of a SAT.
func encapsulation(m policy.Mode, rules *rule.Switches) uint16 {
	if !m.UDP() && !dutyNoUDP.Kept(rules) {
		m += udpEncapsulated
	}
	return uint16(m)
}

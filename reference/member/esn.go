package member

import (
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var guardWindowed = rule.Check("member.policy.esn", "RFC2407-4.5.3-01", rule.GM,
	"an SA has extended sequence numbers only if the member has a replay window")

// window is the size of the replay window that the member has for an SA: its own, or what the SAT says.
func (m *membership) window(sa policy.TrafficSA) int {
	if sa.Replay != nil && (sa.Replay.Method != policy.ReplayUnsaid || m.cfg.ReplayWindow == 0) {
		return sa.Replay.Packets()
	}
	return m.cfg.ReplayWindow
}

// windowed refuses extended sequence numbers to a member without a replay window: it could not find their upper half, which
// the ICV covers, and RFC 4303 §3.4.3 wants them left out of such SAs.
func (m *membership) windowed(sas []policy.TrafficSA) error {
	for _, sa := range sas {
		if !guardWindowed.Holds(m.rules, !sa.Transform.ESN || m.window(sa) > 0) {
			return guardWindowed.Violated("SPI %08x has extended sequence numbers, and there is no replay window", sa.SPI)
		}
	}
	return nil
}

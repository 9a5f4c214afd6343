package member

import (
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var guardFlows = rule.Bound("member.policy.flows", "GETVPN-SYSLOG-03", rule.GM,
	"a policy has no more SAs than the member has room for")

// fits refuses a policy with more SAs than the hardware of a member of GET VPN has flows for.
func (m *membership) fits(sas []policy.TrafficSA) error {
	room := m.cfg.IPsecFlows
	if room == 0 || guardFlows.AtMost(m.rules, uint64(len(sas)), uint64(room)) {
		return nil
	}
	m.tell(getvpn.GMNoIPsecFlows)
	return guardFlows.Violated("%d SAs, and room for %d", len(sas), room)
}

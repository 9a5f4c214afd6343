package member

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var guardDemand = rule.Duty("member.register.demand", "RFC5374-4.1.1-05", rule.GM,
	"a packet that is to be protected has a member register that waits for one")

// waits reports whether the member has not begun to register, since no packet has asked for it.
func (m *membership) waits() bool {
	return m.cfg.OnDemand && m.exchange == nil && m.pull == nil && !m.registration.done && m.registration.at.IsZero()
}

// onWanted begins the first registration if a packet was dropped that the group would have protected (RFC 5374 §4.1.1).
func (m *membership) onWanted(now time.Time) {
	if m.gateway.Wanted() && m.waits() && guardDemand.Kept(m.rules) {
		m.log(core.Info, "REGISTRATION_WANTED", "a packet needs an SA", "group", m.groupText())
		m.register(now)
	}
}

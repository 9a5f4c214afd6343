package member

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// When a member of GET VPN that fails close goes back to where it was before it had registered.
var (
	guardRevert = rule.Duty("member.revert", "GETVPN-FAILCLOSE-17", rule.GM,
		"a member that reverts to fail-close forgets the policy of its group once it has lost it")
	guardRevertEnded = rule.Check("member.revert.ended", "GETVPN-FAILCLOSE-18", rule.GM,
		"a member reverts to fail-close only when all its SAs have come to their end")
	guardRevertLost = rule.Check("member.revert.lost", "GETVPN-FAILCLOSE-18", rule.GM,
		"a member reverts to fail-close only when it cannot register")
	guardRevertClear = rule.Duty("member.revert.clear", "GETVPN-FAILCLOSE-19", rule.GM,
		"a member that reverts to fail-close does so when the operator clears its group")
	guardRevertActive = rule.Check("member.revert.active", "GETVPN-FAILCLOSE-20", rule.GM,
		"a member reverts to fail-close only if that is activated")
)

// reverts reports whether the policy of the group is forgotten when it cannot be had any more.
func (m *membership) reverts() bool {
	return m.getvpn() && m.cfg.FailClose.Revert && guardRevertActive.Holds(m.rules, m.cfg.FailClose.Activate)
}

// lost reports whether every key server has been asked in vain.
func (m *membership) lost() bool { return m.registration.failed >= len(m.cfg.KeyServers) }

// revert forgets the policy of the group if all its SAs have come to their end and it cannot be registered with.
func (m *membership) revert(now time.Time) {
	if !m.reverts() || !m.gateway.Informed() || !guardRevert.Kept(m.rules) {
		return
	}
	_, any := m.gateway.Ends(now)
	if guardRevertLost.Holds(m.rules, m.lost()) && guardRevertEnded.Holds(m.rules, !any) {
		m.leave("no key server has renewed the SAs, and they have ended")
	}
}

// leave forgets the policy of the group, as if it had never been registered with.
func (m *membership) leave(why string) {
	m.gateway.Leave()
	m.directions = directions{}
	m.log(core.Notice, "POLICY_REMOVED", why, groupField, m.groupText())
}

// modes is what an operator of GET VPN sees, and nothing with another profile.
func (m *membership) modes(now time.Time) control.Modes {
	if !m.getvpn() {
		return control.Modes{}
	}
	f := m.cfg.FailClose
	s := control.Modes{Direction: m.usage().String(), FailClose: f.Activate, Closed: f.Activate && !m.gateway.Informed(), Revert: f.Revert,
		ActiveSA: m.activeSA(now)}
	if end, any := m.gateway.Ends(now); any && m.reverts() && m.lost() {
		s.Removal = end
	}
	return s
}

// clearPolicy ends what the operator said of directions before, and the policy of the group if the member reverts.
func (m *membership) clearPolicy() {
	m.directions.commanded, m.directions.spis = nil, nil
	if m.reverts() && guardRevertClear.Kept(m.rules) {
		m.leave("the operator has cleared the group")
		return
	}
	m.gateway.Use(m.usage())
}

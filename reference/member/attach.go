package member

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

const noAttachment = "only a member of the profile getvpn has a policy that can be taken off an interface"

var guardListRemoved = rule.Duty("member.detach.list", "GETVPN-ACL-07", rule.GM,
	"the access list of a group goes when the member is taken out of it")

// onAttachment puts the policies of the groups that a command names on the interface, or takes them off.
func (m *Member) onAttachment(now time.Time, c *core.Command) {
	if m.cfg.Profile != policy.ProfileGETVPN {
		m.emit(&core.Reply{ID: c.ID, Err: noAttachment})
		return
	}
	m.toGroups(c, func(g *membership) {
		if c.Name == control.Attach {
			g.attach(now)
		} else {
			g.detach(now)
		}
	})
}

// attach has the member register that has left its group. Until it has, what counts is what does before a first registration.
func (m *membership) attach(now time.Time) {
	m.attached()
	if !m.gateway.Keyed(now) {
		m.gateway.Leave()
	}
	m.register(now)
}

// detach has the member leave its group: it forgets its keys, and traffic passes as if there were no policy.
func (m *membership) detach(now time.Time) {
	m.tell(getvpn.GMCMDetach)
	m.forget(now)
	if guardListRemoved.Kept(m.rules) {
		m.gateway.Order(nil)
	}
	m.tell(getvpn.GMUnregister)
	m.log(core.Notice, "SA_REMOVED", "the operator took the policy off the interface", "group", m.groupText())
}

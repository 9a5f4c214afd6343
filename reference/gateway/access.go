package gateway

import (
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/sadb"
)

// The ordered policy of a group of profile getvpn.
var (
	guardAccessFirst = rule.Duty("gateway.access.first", "GETVPN-ACL-05", rule.GM,
		"the first entry of the group's access list that takes a packet decides")
	guardAccessDeny = rule.Duty("gateway.access.deny", "GETVPN-ACL-11", rule.GM,
		"what a deny entry of the group's access list takes leaves in clear")
	guardAccessMirror = rule.Duty("gateway.access.mirror", "GETVPN-ACL-11", rule.GM,
		"what comes back of a flow that is denied is accepted in clear")
	guardAccessAnother = rule.Duty("gateway.access.another", "GETVPN-POLICY-56", rule.GM,
		"another access list decides at once about what leaves")
)

// Order gives the group an access list as its policy, in the place of the one before: what no entry takes is not the group's. The SAs
// of the entries come by Install; those that no entry names any more are not sent with, and go on to receive.
func (m *Group) Order(list []policy.ACE) {
	if m.ordered && !guardAccessAnother.Kept(m.gateway.rules) {
		return
	}
	m.ordered, m.informed = true, true
	m.access = slices.Clone(list)
	if !guardAccessFirst.Kept(m.gateway.rules) {
		slices.Reverse(m.access)
	}
}

// decides finds the entry that takes a packet. In doubt, about what a fragment hides, a permit entry takes it and a deny entry does
// not.
func (m *Group) decides(f sadb.Flow) (e policy.ACE, ok bool) {
	for i := range m.access {
		e := &m.access[i]
		if source := e.Selector.Source; source.IsValid() && !source.Contains(f.Source) {
			continue // most entries end here, for little
		}
		if e.Deny && sadb.Match(e.Selector, f, m.gateway.rules) || !e.Deny && sadb.MayMatch(e.Selector, f, m.gateway.rules) {
			return *e, true
		}
	}
	return policy.ACE{}, false
}

// keeps reports whether a list protects a packet that is about to leave.
func (m *Group) keeps(f sadb.Flow) bool {
	e, ok := m.decides(f)
	return ok && !(e.Deny && guardAccessDeny.Kept(m.gateway.rules))
}

// expects reports whether a packet should have come protected. A deny entry is good for the packets that come back, too.
func (m *Group) expects(f sadb.Flow) bool {
	if !m.ordered {
		return m.protects(f)
	}
	rules := m.gateway.rules
	for _, e := range m.access {
		switch {
		case !e.Deny && sadb.MayMatch(e.Selector, f, rules):
			return true
		case e.Deny && (sadb.Match(e.Selector, f, rules) || sadb.Match(e.Selector.Mirrored(), f, rules) && guardAccessMirror.Kept(rules)):
			return false
		}
	}
	return false
}

// selectOutbound finds the SA under which a packet is to be sent: of a group with an access list the newest that is active and has the
// selector of the entry which decides.
func (g *Gateway) selectOutbound(now time.Time, f sadb.Flow) (*sadb.Entry, bool) {
	ordered := false
	for _, m := range g.groups {
		if m.ordered {
			ordered = true
			m.decided, m.decision = m.permits(f)
		}
	}
	if !ordered {
		return g.db.SelectOutbound(now, f)
	}
	return g.db.Select(now, func(e *sadb.Entry) bool {
		if m := g.groups[e.Group]; m.ordered {
			return m.decided && sadb.Same(e.Policy.Selector, m.decision)
		}
		return sadb.Match(e.Policy.Selector, f, g.rules)
	})
}

// permits finds the flow of the list that a packet belongs to for certain.
func (m *Group) permits(f sadb.Flow) (ok bool, flow policy.Selector) {
	e, ok := m.decides(f)
	return ok && !e.Deny && sadb.Match(e.Selector, f, m.gateway.rules), e.Selector
}

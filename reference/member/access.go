package member

import (
	"slices"

	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// The access list of a member of profile getvpn, which stands ahead of that of its group.
var (
	guardLocalDeny = rule.Duty("member.access.deny", "GETVPN-ACL-04", rule.GM,
		"what the member's own list denies leaves in clear, whatever the group protects")
	guardLocalMirror = rule.Duty("member.access.mirror", "GETVPN-ACL-11", rule.GM,
		"what comes back of a flow that the member's own list denies is accepted in clear")
	guardLocalPermit = rule.Duty("member.access.permit", "GETVPN-ACL-03", rule.GM,
		"what the member's own list permits is dropped, as only a key server may permit")
)

// ownEntries are a member's access list as entries of its own policy. A list is written as its packets leave.
func ownEntries(list []policy.ACE, rules *rule.Switches) (entries []policy.OwnEntry) {
	for _, e := range list {
		out := policy.OwnEntry{Selector: e.Selector, Action: policy.OwnDiscard, Direction: policy.DirectionSenderOnly}
		if !e.Deny {
			if guardLocalPermit.Kept(rules) {
				entries = append(entries, out)
			}
			continue
		}
		out.Action = policy.OwnBypass
		back := policy.OwnEntry{Selector: e.Selector.Mirrored(), Action: policy.OwnBypass, Direction: policy.DirectionReceiverOnly}
		if guardLocalDeny.Kept(rules) {
			entries = append(entries, out)
		}
		if guardLocalMirror.Kept(rules) {
			entries = append(entries, back)
		}
	}
	return entries
}

// takeAccess has what a message says be the policy of the group as a whole, as it is in profile getvpn. A message without SATs says
// nothing of it.
func (m *membership) takeAccess(access policy.AccessList) {
	if len(access.Entries) == 0 {
		return
	}
	m.gateway.Order(slices.DeleteFunc(slices.Clone(access.Entries), func(e policy.ACE) bool {
		return !e.Deny && !m.authorises(policy.TrafficSA{Selector: e.Selector})
	}))
	if len(m.cfg.AccessList) > 0 {
		m.tell(getvpn.GMACLMerge)
	}
}

// tellLists tells of entries of the member's own list that it cannot have.
func (m *membership) tellLists() {
	if slices.ContainsFunc(m.cfg.AccessList, func(e policy.ACE) bool { return !e.Deny }) {
		m.tell(getvpn.GMACLPermit)
	}
}

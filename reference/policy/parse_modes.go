package policy

import "github.com/gdoilab/gdoilab/reference/yamldoc"

var aclActions = yamldoc.Names[ACLAction]{{"deny", ACLDeny}, {"permit", ACLPermit}}

// groupModes and memberModes are the fields of directions, modes and authorization, which only GET VPN has.
var (
	groupModes  = []string{"receive_only", "authorization", "packet_rate"}
	memberModes = []string{"passive", "fail_close", "packet_rate"}
)

func groupModeFields(g *Group) []yamldoc.Field {
	return []yamldoc.Field{
		yamldoc.Optional("receive_only", &g.ReceiveOnly, yamldoc.Value.Bool),
		yamldoc.Optional("authorization", &g.Authorization, authorization),
		yamldoc.Optional("packet_rate", &g.PacketRate, within(1, maxRate)),
	}
}

func memberModeFields(m *Member, ofOne *places) []yamldoc.Field {
	return []yamldoc.Field{
		yamldoc.Optional("passive", &m.Passive, noted(ofOne, yamldoc.Value.Bool)),
		yamldoc.Optional("fail_close", &m.FailClose, failClose),
		yamldoc.Optional("packet_rate", &m.PacketRate, within(1, maxRate)),
	}
}

func authorization(v yamldoc.Value) *Authorization {
	var a Authorization
	v.Fields(
		yamldoc.Optional("addresses", &a.Addresses, given(yamldoc.List(network))),
		yamldoc.Optional("identities", &a.Identities, given(yamldoc.List(memberIdentity))),
	)
	return &a
}

// given makes a reader tell a list that is empty from one that is not there.
func given[T any](read func(yamldoc.Value) []T) func(yamldoc.Value) *[]T {
	return func(v yamldoc.Value) *[]T {
		list := read(v)
		return &list
	}
}

func memberIdentity(v yamldoc.Value) Identity {
	id := identity(v)
	if id.Kind == IdentityAddress {
		v.Problem("%s is an address; write it into the field \"addresses\"", id.Value)
	}
	return id
}

func failClose(v yamldoc.Value) FailClose {
	var f FailClose
	v.Fields(
		yamldoc.Optional("activate", &f.Activate, yamldoc.Value.Bool),
		yamldoc.Optional("access_list", &f.AccessList, yamldoc.List(failCloseEntry)),
		yamldoc.Optional("revert", &f.Revert, yamldoc.Value.Bool),
	)
	return f
}

func failCloseEntry(v yamldoc.Value) FailCloseEntry {
	var e FailCloseEntry
	if v.Fields(append(selectorFields(&e.Selector), yamldoc.Required("action", &e.Action, aclActions.Read))...) {
		checkSelector(v, e.Selector)
	}
	return e
}

// checkGroupModes refuses what the profile does not have, and asks for a list of those who may register: of members, or GET VPN's.
func checkGroupModes(p Profile, g place[Group]) {
	checkProfile(p, g.at, groupModes...)
	authorized := g.at.Has("authorization")
	switch listed := g.at.Has("members"); {
	case !listed && !authorized:
		g.at.Problem("the field \"members\" is missing")
	case listed && authorized:
		g.at.Problem("the field \"authorization\" takes the place of \"members\"; leave one of them out")
	}
	for _, sa := range g.value.SAs {
		if d := sa.Transform.Direction; g.value.ReceiveOnly && (d == DirectionSenderOnly || sa.Transform.Protocol == ProtocolIEC61850) {
			g.at.Problem("receive_only is of all SAs of the group, and the one of %s is for senders or no SA of packets", sa.Selector)
		}
	}
}

// checkMemberModes refuses what the profile does not have.
func checkMemberModes(root yamldoc.Value, m Member, groups []place[groupMember]) {
	checkProfile(m.Profile, root, memberModes...)
	for _, g := range groups {
		checkProfile(m.Profile, g.at, "passive")
	}
	if m.FailOpen && m.FailClose.Activate {
		root.Problem("fail_open lets pass what fail_close drops; take one of them out")
	}
}

// checkProfile refuses fields that mean nothing but with the profile getvpn.
func checkProfile(p Profile, at yamldoc.Value, fields ...string) {
	for _, name := range fields {
		if p != ProfileGETVPN && at.Has(name) {
			at.Problem("the field %q is for profile getvpn", name)
		}
	}
}

package policy

import (
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// groupMember is a Membership as it stands in a file, with the places of what the rest of the file decides about.
type groupMember struct {
	Membership
	servers []place[netip.AddrPort]
	track   place[*Track]
}

func memberGroups(v yamldoc.Value) []place[groupMember] {
	ids := make(map[uint32]string)
	return yamldoc.Some("group", placed(func(item yamldoc.Value) groupMember { return membership(item, ids) }))(v)
}

func membership(v yamldoc.Value, ids map[uint32]string) groupMember {
	var g groupMember
	v.Fields(
		yamldoc.Required("id", &g.Group, func(v yamldoc.Value) uint32 {
			id := groupID(v)
			once(v, ids, id)
			return id
		}),
		yamldoc.Optional("name", &g.GroupName, nodeName),
		yamldoc.Optional("oid", &g.GroupOID, oidName),
		yamldoc.Optional("key_servers", &g.servers, keyServers),
		yamldoc.Optional("authorised", &g.Authorised, yamldoc.List(flow)),
		yamldoc.Optional("sid_request", &g.SIDRequest, within(0, 65535)),
		yamldoc.Optional("passive", &g.Passive, yamldoc.Value.Bool),
		yamldoc.Optional("track", &g.track, placed(track)),
	)
	return g
}

// stream reads a multicast stream that is joined by hand.
func stream(v yamldoc.Value) (s Stream) {
	v.Fields(
		yamldoc.Required("group", &s.Group, multicast),
		yamldoc.Required("interface", &s.Interface, nodeName),
		yamldoc.Optional("source", &s.Source, unicast),
	)
	if differ(s.Group, s.Source) {
		v.Problem("source %s and group %s are of different IP versions", s.Source, s.Group)
	}
	return s
}

// places are where fields stand.
type places []yamldoc.Value

// noted makes a reader note the place.
func noted[T any](all *places, read func(yamldoc.Value) T) func(yamldoc.Value) T {
	return func(v yamldoc.Value) T {
		*all = append(*all, v)
		return read(v)
	}
}

// checkGroups checks that a member names one group or several, and for each a key server. Of one are the fields of a member of
// one group.
func checkGroups(root yamldoc.Value, groups []place[groupMember], ofOne places, p Profile) {
	several := root.Has("groups")
	if !several && p == ProfileGETVPN {
		return // what is missing the member tells when it is to register
	}
	if !several {
		for _, name := range []string{"group", "key_servers"} {
			if !root.Has(name) {
				root.Problem("the field %q is missing", name)
			}
		}
		return
	}
	for _, v := range ofOne {
		v.Problem("is for a member of one group; write it into each of groups that it is for")
	}
	for _, g := range groups {
		if !root.Has("key_servers") && !g.at.Has("key_servers") {
			g.at.Problem("the field \"key_servers\" is missing, here and in the member itself")
		}
	}
}

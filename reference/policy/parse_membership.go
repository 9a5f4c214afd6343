package policy

import (
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// groupMember is a Membership as it stands in a file, with the places of its key servers.
type groupMember struct {
	Membership
	servers []place[netip.AddrPort]
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
		yamldoc.Optional("key_servers", &g.servers, keyServers),
		yamldoc.Optional("authorised", &g.Authorised, yamldoc.List(selector)),
		yamldoc.Optional("sid_request", &g.SIDRequest, within(0, 65535)),
	)
	return g
}

// checkGroups checks that a member names one group or several, and for each a key server.
func checkGroups(root yamldoc.Value, groups []place[groupMember]) {
	several := root.Has("groups")
	switch {
	case !several && !root.Has("group"):
		root.Problem("the field \"group\" is missing")
	case several:
		for _, name := range []string{"group", "authorised", "sid_request"} {
			if root.Has(name) {
				root.Problem("the field %q is of a member of one group; with \"groups\" it belongs to each of them", name)
			}
		}
	}
	if root.Has("key_servers") {
		return
	}
	if !several {
		root.Problem("the field \"key_servers\" is missing")
	}
	for _, g := range groups {
		if len(g.value.servers) == 0 && !g.at.Has("key_servers") {
			g.at.Problem("the field \"key_servers\" is missing here and in the member itself")
		}
	}
}

package capture

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Node is one address of a conversation and whose it is.
type Node struct {
	Address string `json:"address"`
	Name    string `json:"name"`
	Role    Role   `json:"role"`
}

// Role is what a node does in a conversation.
type Role string

// The roles.
const (
	RoleKS   Role = "KS"
	RoleGM   Role = "GM"
	RoleHost Role = "host"
)

// roles is what the messages of an address say about it.
type roles struct{ keyServer, member, host bool }

// Nodes names the addresses of the conversation: as known says (address to name), else by what they do. Who answers
// Phase 1 or sends a PUSH is a key server, who begins Phase 1 a group member, whose packets are carried a host. Key
// servers come first, then members, then hosts, each in the order of their names or addresses. Multicast groups are no
// nodes, and neither are the addresses of a link, from which nodes report their groups.
func Nodes(messages []Message, known map[string]string) []Node {
	seen := make(map[netip.Addr]roles)
	mark := func(a netip.AddrPort, r roles) {
		if !a.IsValid() || a.Addr().IsMulticast() || a.Addr().IsLinkLocalUnicast() || a.Addr().IsUnspecified() {
			return
		}
		have := seen[a.Addr()]
		seen[a.Addr()] = roles{have.keyServer || r.keyServer, have.member || r.member, have.host || r.host}
	}
	for _, m := range messages {
		from, to := m.roles()
		mark(m.From, from)
		mark(m.To, to)
	}
	addresses := make([]netip.Addr, 0, len(seen))
	for a := range seen {
		addresses = append(addresses, a)
	}
	slices.SortFunc(addresses, func(a, b netip.Addr) int {
		return cmp.Or(cmp.Compare(seen[a].rank(), seen[b].rank()), strings.Compare(known[a.String()], known[b.String()]), a.Compare(b))
	})
	return name(addresses, seen, known)
}

// roles says what a message tells about its sender and its receiver.
func (m *Message) roles() (from, to roles) {
	ks, gm := roles{keyServer: true}, roles{member: true}
	switch m.Kind {
	case "MM1", "MM3", "MM5", "AM1", "AM3", "PULL1", "PULL3", "PUSH-ACK":
		return gm, ks
	case "MM2", "MM4", "MM6", "AM2", "PULL2", "PULL4", "PUSH":
		return ks, gm
	case KindESP, KindAH, KindClear:
		return roles{host: true}, roles{host: true}
	}
	return roles{}, roles{}
}

func (r roles) rank() int {
	switch {
	case r.keyServer:
		return 0
	case r.member:
		return 1
	}
	return 2
}

// name numbers those of one role when there are several.
func name(addresses []netip.Addr, seen map[netip.Addr]roles, known map[string]string) []Node {
	byRank := [...]Role{RoleKS, RoleGM, RoleHost}
	var total, used [len(byRank)]int
	for _, a := range addresses {
		total[seen[a].rank()]++
	}
	nodes := make([]Node, 0, len(addresses))
	for _, a := range addresses {
		rank := seen[a].rank()
		used[rank]++
		n := Node{Address: a.String(), Name: known[a.String()], Role: byRank[rank]}
		switch {
		case n.Name != "":
		case n.Role == RoleKS && total[rank] == 1:
			n.Name = string(n.Role)
		default:
			n.Name = fmt.Sprintf("%s%d", n.Role, used[rank])
		}
		nodes = append(nodes, n)
	}
	return nodes
}

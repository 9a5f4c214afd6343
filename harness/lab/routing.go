package lab

import (
	"errors"
	"net/netip"
	"slices"
)

// Router is a Net whose routing can be told which of two gateways it prefers.
type Router interface {
	// Prefer has everybody on the WAN, and the host itself, find the way between h1 and the others through member 1 or 2.
	Prefer(member int) error
}

var (
	errNoRouter  = errors.New("lab: the routing of this fabric cannot be changed")
	errNoGateway = errors.New("lab: only members 1 and 2 stand before LAN 1, and the second one only if the setup asks for it")
)

// Prefer has routing prefer member 1 or 2 as the gateway of h1 (Setup.SecondGateway).
func (l *Lab) Prefer(member int) error {
	r, ok := l.Net.(Router)
	if !ok {
		return errNoRouter
	}
	return r.Prefer(member)
}

// secondGateway is the address of member 2 on the LAN of member 1.
func secondGateway() netip.Addr { return HostAddr(1).Next() }

// AsideName is the second interface on the WAN of the members that Setup.Aside names. The first is that of their address.
const AsideName = "wan1"

// carriesMulticast reports whether the WAN carries multicast to a node on a link.
func (p Plan) carriesMulticast(node, link string) bool {
	return slices.Contains(p.multicastLinks(node), link)
}

// multicastLinks are those of a node on which the WAN carries multicast to it.
func (p Plan) multicastLinks(node string) []string {
	is := func(i int) bool { return MemberName(i) == node }
	switch {
	case slices.ContainsFunc(p.Aside, is):
		return asideLinks
	case slices.ContainsFunc(p.NoMulticast, is):
		return nil
	}
	return wanLinks
}

// Where members listen to groups, never changed.
var wanLinks, asideLinks = []string{wanInterface}, []string{AsideName}

// standsBefore reports whether a member may be the gateway of h1.
func (p Plan) standsBefore(member int) bool { return member == 1 || member == 2 && p.SecondGateway }

// inFront are the networks behind member i.
func (s Setup) inFront(i int) []netip.Prefix {
	networks := []netip.Prefix{MemberLAN(i)}
	if s.IPv6 {
		networks = LANs(i)
	}
	if i == 2 && s.SecondGateway {
		networks = append(networks, MemberLAN(1))
	}
	return networks
}

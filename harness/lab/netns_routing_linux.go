package lab

import (
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/vishvananda/netlink"
)

var _ Router = (*kernelNet)(nil)

// preferred is the gateway that routing prefers for h1, and the ways out that the host has.
type preferred struct {
	member atomic.Int32 // 0: the first
	links  [3]*link     // of h1, by members
}

// buildSecond makes a link between member 2 and h1. The host has its one address on both.
func (n *kernelNet) buildSecond() error {
	if !n.plan.SecondGateway {
		return nil
	}
	gateway, host := MemberName(2), HostName(1)
	if err := n.veth(gateway, "lan1", host, "eth1"); err != nil {
		return err
	}
	var there, here net.HardwareAddr
	err := n.inside(gateway, func() (err error) {
		if there, err = hardware("lan1"); err != nil {
			return err
		}
		return address("lan1", netip.PrefixFrom(secondGateway(), MemberLAN(1).Bits()))
	})
	if err != nil {
		return err
	}
	err = n.inside(host, func() (err error) {
		if here, err = hardware("eth1"); err != nil {
			return err
		}
		if err := onLink("eth1", secondGateway()); err != nil {
			return err
		}
		if err := n.neighbour("eth1", there, secondGateway()); err != nil {
			return err
		}
		n.prefers.links[1] = n.hosts[host].link
		n.prefers.links[2], err = openLink("eth1", there)
		return err
	})
	if err != nil {
		return err
	}
	return n.inside(gateway, func() error {
		if err := n.neighbour("lan1", here, HostAddr(1)); err != nil {
			return err
		}
		s, err := newSniffer(n, "lan1", LANName(1))
		if err == nil {
			n.taps = append(n.taps, s)
		}
		return err
	})
}

// asidePort is the second port of a member on the WAN.
func asidePort(i int) *port {
	return &port{name: MemberName(i) + "b", node: MemberName(i), own: AsideName}
}

// turnAside has what the key server and a member send each other take the member's second link.
func (n *kernelNet) turnAside(member string) error {
	first, second, ks := n.wire.ports[member], n.wire.ports[member+"b"], n.wire.ports[KeyServerName]
	if err := n.inside(KeyServerName, func() error { return n.neighbour(ks.own, second.mac, first.addrs...) }); err != nil {
		return err
	}
	return n.inside(member, func() error {
		for _, a := range ks.addrs {
			if a.Is6() && !n.plan.IPv6 {
				continue
			}
			if err := onLink(AsideName, a); err != nil {
				return err
			}
		}
		return n.neighbour(AsideName, ks.mac, ks.addrs...)
	})
}

// insides are the interfaces of a member towards its hosts.
func (n *kernelNet) insides(node string) []string {
	if node == MemberName(2) && n.plan.standsBefore(2) {
		return []string{lanInterface, "lan1"}
	}
	return []string{lanInterface}
}

// hardware is the link address of an interface.
func hardware(name string) (net.HardwareAddr, error) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return nil, err
	}
	return ifi.HardwareAddr, nil
}

// onLink makes a route to one neighbour.
func onLink(name string, to netip.Addr) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.RouteAdd(&netlink.Route{Dst: ipNet(netip.PrefixFrom(to, to.BitLen())), LinkIndex: link.Attrs().Index, Scope: netlink.SCOPE_LINK})
}

// Prefer replaces the routes to LAN 1 of those who are not before it, and the host's way out.
func (n *kernelNet) Prefer(member int) error {
	if n.hosts[HostName(1)] == nil || !n.plan.standsBefore(member) {
		return errNoGateway
	}
	for i := 3; i <= n.plan.Members; i++ {
		if err := n.inside(MemberName(i), func() error { return replaceRoute(MemberLAN(1), MemberAddr(member)) }); err != nil {
			return fmt.Errorf("lab: the way to %s of %s: %w", LANName(1), MemberName(i), err)
		}
	}
	gateway := [...]netip.Addr{1: LANGateway(1), 2: secondGateway()}[member]
	if err := n.inside(HostName(1), func() error { return replaceRoute(IPv4Family.Anywhere(), gateway) }); err != nil {
		return fmt.Errorf("lab: the way out of %s: %w", HostName(1), err)
	}
	n.prefers.member.Store(int32(member))
	return nil
}

func replaceRoute(to netip.Prefix, via netip.Addr) error {
	return netlink.RouteReplace(&netlink.Route{Dst: ipNet(to), Gw: via.AsSlice()})
}

// gatewayOf is the member through which packets from the WAN reach the LAN of member i.
func (n *kernelNet) gatewayOf(i int) int {
	if chosen := int(n.prefers.member.Load()); i == 1 && chosen > 0 {
		return chosen
	}
	return i
}

// wayOut is the raw way out of a host.
func (n *kernelNet) wayOut(h *kernelHost) *link {
	if chosen := n.prefers.member.Load(); h.name == HostName(1) && chosen > 0 {
		return n.prefers.links[chosen]
	}
	return h.link
}

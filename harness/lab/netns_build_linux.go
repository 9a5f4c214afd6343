package lab

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// switchName is the namespace in which the WAN's ports end; the wire carries frames between them.
const switchName = "wan"

// build makes the namespaces, then the links, then the wire between the WAN ports.
func (n *kernelNet) build() error {
	n.hosts = make(map[string]*kernelHost)
	nodes := []string{switchName, KeyServerName}
	for i := 1; i <= n.plan.Members; i++ {
		nodes = append(nodes, MemberName(i))
		if n.plan.Hosts {
			nodes = append(nodes, HostName(i))
		}
	}
	if err := n.hold(); err != nil {
		return err
	}
	for _, node := range nodes {
		if n.isRouter(node) {
			continue // it is somewhere else
		}
		if err := n.makeSpace(node); err != nil {
			return err
		}
	}
	n.wire = newWire(n)
	if err := n.connect(KeyServerName, KeyServerAddr, KeyServerAddr6); err != nil {
		return err
	}
	for i := 1; i <= n.plan.Members; i++ {
		if err := n.buildMember(i); err != nil {
			return err
		}
	}
	if err := n.buildSecond(); err != nil {
		return fmt.Errorf("lab: second gateway: %w", err)
	}
	if err := n.buildNAT(); err != nil {
		return err
	}
	for _, i := range n.plan.Aside {
		if err := n.plug(asidePort(i)); err != nil {
			return err
		}
	}
	if err := n.acquaint(); err != nil {
		return fmt.Errorf("lab: neighbours on the WAN: %w", err)
	}
	for _, i := range n.plan.Aside {
		if err := n.turnAside(MemberName(i)); err != nil {
			return fmt.Errorf("lab: the second link of %s: %w", MemberName(i), err)
		}
	}
	if err := n.awaitLinks(); err != nil {
		return err
	}
	return n.wire.start()
}

// acquaint tells every node the link addresses of the others on its segment. If the kernel had to ask for one, the packets that
// wait for the answer could be overtaken by the next.
func (n *kernelNet) acquaint() error {
	for _, p := range n.wire.ports {
		if n.isRouter(p.node) {
			continue
		}
		err := n.inside(p.node, func() error {
			for _, other := range n.wire.ports {
				if other == p || other.inside != p.inside || n.isRouter(other.node) {
					continue
				}
				if err := n.neighbour(p.own, other.mac, other.addrs...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// neighbour enters the link address of other nodes' addresses for good, of IPv6 only if the lab has it.
func (n *kernelNet) neighbour(name string, mac net.HardwareAddr, addrs ...netip.Addr) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	for _, a := range addrs {
		if a.Is6() && !n.plan.IPv6 {
			continue
		}
		err := netlink.NeighSet(&netlink.Neigh{LinkIndex: link.Attrs().Index, State: unix.NUD_PERMANENT, IP: a.AsSlice(), HardwareAddr: mac})
		if err != nil {
			return fmt.Errorf("%s: %w", a, err)
		}
	}
	return nil
}

func (n *kernelNet) buildMember(i int) error {
	if err := n.connect(MemberName(i), MemberAddr(i), MemberAddr6(i)); err != nil {
		return err
	}
	if !n.plan.Hosts {
		return nil
	}
	if err := n.buildLAN(i); err != nil {
		return fmt.Errorf("lab: %s: %w", LANName(i), err)
	}
	if n.isRouter(MemberName(i)) {
		return nil // its routes are of its configuration
	}
	return n.inside(MemberName(i), func() error {
		for j := 1; j <= n.plan.Members; j++ {
			if j == i || i == 2 && n.plan.standsBefore(2) && j == 1 {
				continue
			}
			if err := n.routeTo(j); err != nil {
				return err
			}
		}
		return nil
	})
}

// routeTo makes the routes to the LAN of member i.
func (n *kernelNet) routeTo(i int) error {
	if err := route(MemberLAN(i), MemberAddr(i)); err != nil || !n.plan.IPv6 {
		return err
	}
	return route(MemberLAN6(i), MemberAddr6(i))
}

// makeSpace makes a named namespace, so that a person can look into it with "ip netns exec", and switches off what would
// only make noise in it.
func (n *kernelNet) makeSpace(node string) error {
	name := n.spaceName(node)
	made := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread is left in the new namespace, and ends with it
		handle, err := n.newSpace(node, name)
		if err == nil {
			n.spaces[name] = handle
			n.order = append(n.order, name)
			err = quiet(n.plan.IPv6)
		}
		made <- err
	}()
	if err := <-made; err != nil {
		return fmt.Errorf("lab: namespace %s: %w", name, err)
	}
	return nil
}

// quiet switches IPv6 off, or as much of it as nobody has asked for; it brings up the loopback and lets packets with
// foreign addresses through. Nobody forwards by itself, also where the machine does, whose settings new namespaces begin with.
func quiet(ipv6 bool) error {
	settings := map[string]string{
		"ipv6/conf/%s/disable_ipv6": "1",
		"ipv4/conf/%s/rp_filter":    "0",
		"ipv4/conf/%s/forwarding":   "0",
	}
	if ipv6 {
		settings["ipv6/conf/%s/disable_ipv6"] = "0"
		settings["ipv6/conf/%s/accept_dad"] = "0" // addresses can be used at once
		settings["ipv6/conf/%s/accept_ra"] = "0"
		settings["ipv6/conf/%s/router_solicitations"] = "0"
	}
	for path, value := range settings {
		for _, which := range []string{"all", "default"} {
			name := filepath.Join("/proc/sys/net", fmt.Sprintf(path, which))
			if err := os.WriteFile(name, []byte(value), 0o644); err != nil && (ipv6 || !os.IsNotExist(err)) {
				return err
			}
		}
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(lo)
}

// connect gives a node its WAN interface.
func (n *kernelNet) connect(node string, addr, addr6 netip.Addr) error {
	p := &port{name: node, node: node, own: wanInterface, addrs: []netip.Addr{addr, addr6}, inside: n.nat.Hides(addr)}
	if n.isRouter(node) {
		return n.wireRouter(p)
	}
	if err := n.plug(p); err != nil {
		return err
	}
	err := n.inside(node, func() error {
		return n.addresses("wan0", netip.PrefixFrom(addr, WAN.Bits()), netip.PrefixFrom(addr6, WAN6.Bits()))
	})
	if err != nil {
		return fmt.Errorf("lab: WAN address of %s: %w", node, err)
	}
	if err := n.inside(node, multicastRoute); err != nil {
		return fmt.Errorf("lab: multicast route of %s: %w", node, err)
	}
	return nil
}

// plug makes a veth between an interface of a node and a port of the wire.
func (n *kernelNet) plug(p *port) error {
	name := "p-" + p.name
	if err := n.veth(switchName, name, p.node, p.own); err != nil {
		return fmt.Errorf("lab: %s of %s: %w", p.own, p.node, err)
	}
	err := n.inside(p.node, func() error {
		link, err := netlink.LinkByName(p.own)
		if err == nil {
			p.mac = link.Attrs().HardwareAddr
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("lab: %s of %s: %w", p.own, p.node, err)
	}
	return n.inside(switchName, func() error { return n.wire.attach(p, name) })
}

// addresses gives an interface its address, and that of IPv6 if the lab has it.
func (n *kernelNet) addresses(name string, v4, v6 netip.Prefix) error {
	if err := address(name, v4); err != nil || !n.plan.IPv6 {
		return err
	}
	if err := address(name, v6); err != nil {
		return err
	}
	return awaitLocal(v6.Addr())
}

// awaitLocal waits until the kernel takes packets to an address of the namespace as its own: with IPv6 that comes a moment
// after the address.
func awaitLocal(a netip.Addr) error {
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(Patience); time.Now().Before(end); <-again.C {
		routes, err := netlink.RouteGet(a.AsSlice())
		if err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL {
			return nil
		}
	}
	return fmt.Errorf("%s is still no local address", a)
}

// linkEnd is an interface in the namespace of a node.
type linkEnd struct{ node, name string }

// awaitLinks waits until the ends of links that were brought up before the other end carry packets: the kernel hears of the
// other end in its own time, and drops what it is given until then.
func (n *kernelNet) awaitLinks() error {
	for _, e := range n.early {
		if err := n.inside(e.node, func() error { return awaitUp(e.name) }); err != nil {
			return fmt.Errorf("lab: link of %s: %w", e.node, err)
		}
	}
	return nil
}

func awaitUp(name string) error {
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(Patience); time.Now().Before(end); <-again.C {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		if link.Attrs().OperState == netlink.OperUp {
			return nil
		}
	}
	return fmt.Errorf("%s is still down", name)
}

func (n *kernelNet) buildLAN(i int) error {
	member, host := MemberName(i), HostName(i)
	if n.isRouter(member) {
		return n.wireHost(i)
	}
	if err := n.veth(member, "lan0", host, "eth0"); err != nil {
		return err
	}
	var gateway, own net.HardwareAddr
	err := n.inside(member, func() error {
		ifi, err := net.InterfaceByName("lan0")
		if err != nil {
			return err
		}
		gateway = ifi.HardwareAddr
		return n.addresses("lan0", netip.PrefixFrom(LANGateway(i), 24), netip.PrefixFrom(LANGateway6(i), 64))
	})
	if err != nil {
		return err
	}
	h := &kernelHost{net: n, name: host, addr: HostAddr(i)}
	if n.plan.IPv6 {
		h.addr6 = HostAddr6(i)
	}
	err = n.inside(host, func() (err error) {
		if err := n.settle(i, "eth0"); err != nil {
			return err
		}
		if err := n.neighbour("eth0", gateway, LANGateway(i), LANGateway6(i)); err != nil {
			return err
		}
		ifi, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		own = ifi.HardwareAddr
		h.link, err = openLink("eth0", gateway)
		return err
	})
	if err != nil {
		return err
	}
	n.hosts[host] = h
	return n.inside(member, func() error {
		if err := n.neighbour("lan0", own, HostAddr(i), HostAddr6(i)); err != nil {
			return err
		}
		s, err := newSniffer(n, "lan0", LANName(i))
		if err == nil {
			n.taps = append(n.taps, s)
		}
		return err
	})
}

// settle gives the host behind member i, on its interface, its addresses and its ways out.
func (n *kernelNet) settle(i int, name string) error {
	if err := n.addresses(name, netip.PrefixFrom(HostAddr(i), 24), netip.PrefixFrom(HostAddr6(i), 64)); err != nil {
		return err
	}
	if err := route(IPv4Family.Anywhere(), LANGateway(i)); err != nil || !n.plan.IPv6 {
		return err
	}
	return route(IPv6Family.Anywhere(), LANGateway6(i))
}

// veth makes a link between two namespaces, brings both ends up and has both send whole packets with whole checksums:
// otherwise a veth hands over segments of up to 64 KiB whose checksums nobody has computed.
func (n *kernelNet) veth(a, aName, b, bName string) error {
	other := n.spaces[n.spaceName(b)]
	err := n.inside(a, func() error {
		link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: aName, MTU: MTU}, PeerName: bName,
			PeerNamespace: netlink.NsFd(other)}
		if err := netlink.LinkAdd(link); err != nil {
			return err
		}
		return ready(aName)
	})
	if err != nil {
		return err
	}
	n.early = append(n.early, linkEnd{a, aName})
	return n.inside(b, func() error { return ready(bName) })
}

func ready(name string) error {
	tool, err := ethtool.NewEthtool()
	if err != nil {
		return err
	}
	defer tool.Close()
	off := map[string]bool{
		"tx-checksum-ip-generic": false, "tx-generic-segmentation": false, "tx-tcp-segmentation": false,
		"rx-gro": false, "tx-udp-segmentation": false, "tx-scatter-gather": false,
	}
	have, err := tool.Features(name)
	if err != nil {
		return fmt.Errorf("offloads of %s: %w", name, err)
	}
	for feature := range off {
		if _, ok := have[feature]; !ok {
			delete(off, feature)
		}
	}
	if err := tool.Change(name, off); err != nil {
		return fmt.Errorf("offloads of %s: %w", name, err)
	}
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(link)
}

func address(name string, p netip.Prefix) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	addr := &netlink.Addr{IPNet: ipNet(p)}
	if p.Addr().Is6() {
		addr.Flags = unix.IFA_F_NODAD
	}
	return netlink.AddrAdd(link, addr)
}

func route(to netip.Prefix, via netip.Addr) error {
	return netlink.RouteAdd(&netlink.Route{Dst: ipNet(to), Gw: via.AsSlice()})
}

// multicastRoute sends multicast out of the WAN interface; nodes have no default route. IPv6 has such a route for each
// interface from the start.
func multicastRoute() error {
	link, err := netlink.LinkByName("wan0")
	if err != nil {
		return err
	}
	return netlink.RouteAdd(&netlink.Route{Dst: ipNet(netip.MustParsePrefix("224.0.0.0/4")), LinkIndex: link.Attrs().Index,
		Scope: netlink.SCOPE_LINK})
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

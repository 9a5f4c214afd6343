package lab

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"

	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
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
	for _, node := range nodes {
		if err := n.makeSpace(node); err != nil {
			return err
		}
	}
	n.wire = newWire(n)
	if err := n.connect(KeyServerName, KeyServerAddr); err != nil {
		return err
	}
	for i := 1; i <= n.plan.Members; i++ {
		if err := n.buildMember(i); err != nil {
			return err
		}
	}
	return n.wire.start()
}

func (n *kernelNet) buildMember(i int) error {
	if err := n.connect(MemberName(i), MemberAddr(i)); err != nil {
		return err
	}
	if !n.plan.Hosts {
		return nil
	}
	if err := n.buildLAN(i); err != nil {
		return fmt.Errorf("lab: %s: %w", LANName(i), err)
	}
	return n.inside(MemberName(i), func() error {
		for j := 1; j <= n.plan.Members; j++ {
			if j == i {
				continue
			}
			if err := route(MemberLAN(j), MemberAddr(j)); err != nil {
				return err
			}
		}
		return nil
	})
}

// makeSpace makes a named namespace, so that a person can look into it with "ip netns exec", and switches off what would
// only make noise in it.
func (n *kernelNet) makeSpace(node string) error {
	name := n.spaceName(node)
	made := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: NewNamed leaves the thread in the new namespace, and it ends with it
		handle, err := netns.NewNamed(name)
		if err == nil {
			n.spaces[name] = handle
			n.order = append(n.order, name)
			err = quiet()
		}
		made <- err
	}()
	if err := <-made; err != nil {
		return fmt.Errorf("lab: namespace %s: %w", name, err)
	}
	return nil
}

// quiet switches IPv6 off, brings up the loopback and lets packets with foreign addresses through.
func quiet() error {
	for path, value := range map[string]string{
		"/proc/sys/net/ipv6/conf/all/disable_ipv6":     "1",
		"/proc/sys/net/ipv6/conf/default/disable_ipv6": "1",
		"/proc/sys/net/ipv4/conf/all/rp_filter":        "0",
		"/proc/sys/net/ipv4/conf/default/rp_filter":    "0",
	} {
		if err := os.WriteFile(path, []byte(value), 0o644); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(lo)
}

// connect gives a node its WAN interface: a veth whose other end is a port of the wire.
func (n *kernelNet) connect(node string, addr netip.Addr) error {
	port := "p-" + node
	if err := n.veth(switchName, port, node, "wan0"); err != nil {
		return fmt.Errorf("lab: WAN link of %s: %w", node, err)
	}
	var mac net.HardwareAddr
	err := n.inside(node, func() error {
		link, err := netlink.LinkByName("wan0")
		if err != nil {
			return err
		}
		mac = link.Attrs().HardwareAddr
		return address("wan0", netip.PrefixFrom(addr, WAN.Bits()))
	})
	if err != nil {
		return fmt.Errorf("lab: WAN address of %s: %w", node, err)
	}
	if err := n.inside(node, multicastRoute); err != nil {
		return fmt.Errorf("lab: multicast route of %s: %w", node, err)
	}
	return n.inside(switchName, func() error { return n.wire.attach(node, port, addr, mac) })
}

func (n *kernelNet) buildLAN(i int) error {
	member, host := MemberName(i), HostName(i)
	if err := n.veth(member, "lan0", host, "eth0"); err != nil {
		return err
	}
	var gateway net.HardwareAddr
	err := n.inside(member, func() error {
		ifi, err := net.InterfaceByName("lan0")
		if err != nil {
			return err
		}
		gateway = ifi.HardwareAddr
		return address("lan0", netip.PrefixFrom(LANGateway(i), 24))
	})
	if err != nil {
		return err
	}
	h := &kernelHost{net: n, name: host, addr: HostAddr(i)}
	err = n.inside(host, func() (err error) {
		if err := address("eth0", netip.PrefixFrom(HostAddr(i), 24)); err != nil {
			return err
		}
		if err := route(netip.MustParsePrefix("0.0.0.0/0"), LANGateway(i)); err != nil {
			return err
		}
		h.link, err = openLink(gateway)
		return err
	})
	if err != nil {
		return err
	}
	n.hosts[host] = h
	return n.inside(member, func() error {
		s, err := newSniffer(n, "lan0", LANName(i))
		if err == nil {
			n.taps = append(n.taps, s)
		}
		return err
	})
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
	return netlink.AddrAdd(link, &netlink.Addr{IPNet: ipNet(p)})
}

func route(to netip.Prefix, via netip.Addr) error {
	return netlink.RouteAdd(&netlink.Route{Dst: ipNet(to), Gw: via.AsSlice()})
}

// multicastRoute sends multicast out of the WAN interface; nodes have no default route.
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

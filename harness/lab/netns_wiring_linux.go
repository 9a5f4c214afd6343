package lab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/gdoilab/gdoilab/harness/peer"
)

// lent is an interface of this machine that is in a namespace of the lab for as long as that is there.
type lent struct {
	space, name string
	made        bool // a VLAN, which goes with the lab
	up          bool // it was
}

// isRouter reports whether a node is there already.
func (n *kernelNet) isRouter(node string) bool {
	_, ok := n.plan.Routers[node]
	return ok
}

// notThere is why a router cannot be talked to: something of its manifest that this machine has yet to tell, or a port that is not there.
func notThere(one *peer.Router) string {
	w, err := wiring(one)
	if err == nil {
		_, err = one.Reach()
	}
	if err != nil {
		return err.Error()
	}
	for _, j := range []Jack{w.WAN, w.LAN} {
		if j.Interface == "" {
			continue
		}
		if _, err := net.InterfaceByName(j.Interface); err != nil {
			return fmt.Sprintf("this machine has no interface %s, to which the router should be wired (%s)", j.Interface, one.At)
		}
	}
	return ""
}

// borrow brings an interface of this machine into the namespace of a node. One that has addresses is in use, and stays where it is.
func (n *kernelNet) borrow(j Jack, node string) (string, error) {
	link, err := netlink.LinkByName(j.Interface)
	if err != nil {
		return "", &Lacking{fmt.Sprintf("this machine has no interface %s: %v", j.Interface, err)}
	}
	l := lent{space: node, name: j.Interface, up: link.Attrs().Flags&net.FlagUp != 0}
	if j.VLAN > 0 {
		l.made, l.name = true, fmt.Sprintf("%s.%d", j.Interface, j.VLAN)
		vlan := &netlink.Vlan{LinkAttrs: netlink.LinkAttrs{Name: l.name, ParentIndex: link.Attrs().Index}, VlanId: j.VLAN}
		if err := netlink.LinkAdd(vlan); err != nil {
			return "", &Lacking{fmt.Sprintf("this machine makes no VLAN %d on %s: %v", j.VLAN, j.Interface, err)}
		}
		link = vlan
	}
	addrs, err := netlink.AddrList(link, netlink.FAMILY_V4)
	if err == nil && len(addrs) > 0 {
		err = fmt.Errorf("it has the address %s; a port to a device under test has none", addrs[0].IPNet)
	}
	if err == nil {
		err = netlink.LinkSetNsFd(link, int(n.spaces[n.spaceName(node)]))
	}
	if err != nil {
		return "", fmt.Errorf("lab: the interface %s: %w", l.name, err)
	}
	n.lent = append(n.lent, l)
	return l.name, n.inside(node, func() error {
		if err := ready(l.name); err != nil {
			return err
		}
		return netlink.SetPromiscOn(link)
	})
}

// giveBack returns what was borrowed to the namespace that it came from.
func (n *kernelNet) giveBack() error {
	var errs []error
	for _, l := range n.lent {
		err := n.inside(l.space, func() error {
			link, err := netlink.LinkByName(l.name)
			if err != nil {
				return err
			}
			if l.made {
				return netlink.LinkDel(link)
			}
			return errors.Join(netlink.SetPromiscOff(link), netlink.LinkSetNsFd(link, int(n.home)))
		})
		if err == nil && !l.made && l.up {
			err = n.raise(l.name)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("lab: giving back the interface %s: %w", l.name, err))
		}
	}
	n.lent = nil
	return errors.Join(errs...)
}

// raise brings an interface of this machine up again.
func (n *kernelNet) raise(name string) error {
	return within(n.home, func() error {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		return netlink.LinkSetUp(link)
	})
}

// wireRouter makes the port of the wire that a router is at.
func (n *kernelNet) wireRouter(p *port) error {
	name, err := n.borrow(n.plan.Routers[p.node].WAN, switchName)
	if err != nil {
		return err
	}
	n.early = append(n.early, linkEnd{switchName, name})
	return n.inside(switchName, func() error { return n.wire.attach(p, name) })
}

// wireHost makes the host behind a router. Where its gateway is it learns once the router has its configuration.
func (n *kernelNet) wireHost(i int) error {
	host := HostName(i)
	name, err := n.borrow(n.plan.Routers[MemberName(i)].LAN, host)
	if err != nil {
		return err
	}
	n.early = append(n.early, linkEnd{host, name})
	h := &kernelHost{net: n, name: host, addr: HostAddr(i)}
	if n.plan.IPv6 {
		h.addr6 = HostAddr6(i)
	}
	err = n.inside(host, func() (err error) {
		if err := n.settle(i, name); err != nil {
			return err
		}
		if h.link, err = openLink(name, net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}); err != nil {
			return err
		}
		s, err := newSniffer(n, name, LANName(i))
		if err == nil {
			n.taps = append(n.taps, s)
		}
		return err
	})
	n.hosts[host] = h
	return err
}

// meet has everybody know where a router is that has its configuration. A router that does not answer is not wired where its manifest says.
func (n *kernelNet) meet(node string) error {
	p := n.wire.ports[node]
	for _, other := range n.wire.ports {
		if other == p || other.inside != p.inside || n.isRouter(other.node) {
			continue
		}
		if err := n.inside(other.node, func() error { return n.find(other.own, p.addrs...) }); err != nil {
			return fmt.Errorf("lab: from %s: %w", other.node, err)
		}
	}
	for i := 1; i <= n.plan.Members && n.plan.Hosts; i++ {
		if MemberName(i) != node {
			continue
		}
		h := n.hosts[HostName(i)]
		err := n.inside(h.name, func() error {
			if err := n.find(h.link.name, LANGateway(i), LANGateway6(i)); err != nil {
				return err
			}
			via, err := n.resolve(h.link.name, LANGateway(i))
			h.link.via = via
			return err
		})
		if err != nil {
			return fmt.Errorf("lab: from %s: %w", h.name, err)
		}
	}
	return nil
}

// find asks for the link addresses of a router and keeps them for good, of IPv6 only if the lab has it.
func (n *kernelNet) find(name string, addrs ...netip.Addr) error {
	for _, a := range addrs {
		if a.Is6() && !n.plan.IPv6 {
			continue
		}
		mac, err := n.resolve(name, a)
		if err != nil {
			return err
		}
		if err := n.neighbour(name, mac, a); err != nil {
			return err
		}
	}
	return nil
}

// resolve has the kernel ask for a link address (RFC 826, RFC 4861).
func (n *kernelNet) resolve(name string, a netip.Addr) (net.HardwareAddr, error) {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return nil, err
	}
	index := link.Attrs().Index
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(Patience); time.Now().Before(end); <-again.C {
		all, err := netlink.NeighList(index, 0)
		if err != nil {
			return nil, err
		}
		asking := false
		for _, entry := range all {
			if !entry.IP.Equal(a.AsSlice()) {
				continue
			}
			if len(entry.HardwareAddr) > 0 && entry.State&(unix.NUD_REACHABLE|unix.NUD_STALE|unix.NUD_PERMANENT|unix.NUD_DELAY|unix.NUD_PROBE) != 0 {
				return entry.HardwareAddr, nil
			}
			asking = entry.State&unix.NUD_INCOMPLETE != 0
		}
		if !asking {
			ask := &netlink.Neigh{LinkIndex: index, IP: a.AsSlice(), Flags: unix.NTF_USE, State: unix.NUD_NONE}
			if err := netlink.NeighSet(ask); err != nil {
				return nil, fmt.Errorf("asking for %s: %w", a, err)
			}
		}
	}
	return nil, fmt.Errorf("nobody answers for %s on %s; is the router wired there, and has it that address?", a, name)
}

package dataplane

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// Found is the interfaces of a gateway by their addresses.
type Found struct{ Inside, Outside []string }

// Find looks through the interfaces of the calling thread's network namespace: outside is the one that has the gateway's
// own address, inside are the others that have an address within the networks.
func Find(own netip.Addr, networks []netip.Prefix) (Found, error) {
	links, err := net.Interfaces()
	if err != nil {
		return Found{}, fmt.Errorf("dataplane: %w", err)
	}
	var f Found
	for _, link := range links {
		addrs, err := addresses(link)
		if err != nil {
			return Found{}, err
		}
		switch {
		case slices.Contains(addrs, own):
			f.Outside = append(f.Outside, link.Name)
		case slices.ContainsFunc(addrs, func(a netip.Addr) bool { return within(networks, a) }):
			f.Inside = append(f.Inside, link.Name)
		}
	}
	return f, nil
}

// Addresses are those of a gateway's interfaces that others can reach, in the network namespace of the calling thread.
func Addresses(cfg Config) ([]netip.Addr, error) {
	var all []netip.Addr
	for _, name := range slices.Concat(cfg.Outside, cfg.Inside) {
		link, err := net.InterfaceByName(name)
		if err != nil {
			return nil, fmt.Errorf("dataplane: interface %s: %w", name, err)
		}
		own, err := addresses(*link)
		if err != nil {
			return nil, err
		}
		all = append(all, own...)
	}
	return slices.DeleteFunc(all, func(a netip.Addr) bool { return !a.IsGlobalUnicast() }), nil
}

func within(networks []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a) })
}

// addresses returns the addresses of an interface.
func addresses(link net.Interface) ([]netip.Addr, error) {
	list, err := link.Addrs()
	if err != nil {
		return nil, fmt.Errorf("dataplane: addresses of %s: %w", link.Name, err)
	}
	var addrs []netip.Addr
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(n.IP); ok {
				addrs = append(addrs, addr.Unmap())
			}
		}
	}
	return addrs, nil
}

package lab

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// The NAT of a kernelNet is a router in a namespace of its own, which masquerades with the kernel's nftables. It stands between two
// segments of the wire: nodes behind it keep their addresses, but to them the link address of everybody on the WAN is the NAT's.

// The NAT's interfaces.
const natOutside, natInside = "wan0", "lan0"

// kernelNAT is the NAT of a kernelNet. What comes in keeps a mapping too (RFC 4787 §4.3 leaves that open).
type kernelNAT struct {
	hidden
	net *kernelNet
}

// buildNAT makes the NAT, if somebody is behind it.
func (n *kernelNet) buildNAT() error {
	if len(n.nat.hidden) == 0 {
		return nil
	}
	if err := n.makeSpace(NATName); err != nil {
		return err
	}
	outside := &port{name: NATName, node: NATName, own: natOutside, addrs: []netip.Addr{NATAddr}}
	inside := &port{name: NATName + "-in", node: NATName, own: natInside, addrs: n.beyondNAT(), inside: true}
	for _, p := range []*port{outside, inside} {
		if err := n.plug(p); err != nil {
			return err
		}
	}
	return n.inside(NATName, n.routeNAT)
}

// beyondNAT are the addresses of the nodes on the WAN, for which the NAT stands inside.
func (n *kernelNet) beyondNAT() (addrs []netip.Addr) {
	all := []netip.Addr{KeyServerAddr}
	for i := 1; i <= n.plan.Members; i++ {
		all = append(all, MemberAddr(i))
	}
	for _, a := range all {
		if !n.nat.Hides(a) {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// routeNAT has the namespace of the calling thread route between both sides, and masquerade.
func (n *kernelNet) routeNAT() error {
	if err := address(natOutside, netip.PrefixFrom(NATAddr, WAN.Bits())); err != nil {
		return fmt.Errorf("lab: address of the NAT: %w", err)
	}
	link, err := netlink.LinkByName(natInside)
	if err != nil {
		return fmt.Errorf("lab: inside of the NAT: %w", err)
	}
	for _, a := range n.nat.hidden {
		to := ipNet(netip.PrefixFrom(a, a.BitLen()))
		if err := netlink.RouteAdd(&netlink.Route{Dst: to, LinkIndex: link.Attrs().Index, Scope: netlink.SCOPE_LINK}); err != nil {
			return fmt.Errorf("lab: the NAT's route to %s: %w", a, err)
		}
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return fmt.Errorf("lab: forwarding of the NAT: %w", err)
	}
	return masquerades(n.plan.HideKeyServer)
}

// masquerades makes the rules of the NAT. That it cannot is for want of something in the kernel.
func masquerades(forward bool) error {
	err := masquerade(forward)
	if err == nil {
		err = forget()
	}
	if err != nil {
		return &Lacking{"the NAT of the netns fabric needs nftables in the kernel (nf_tables, nft_chain_nat, nft_nat, nft_ct, nf_conntrack_netlink): " + err.Error()}
	}
	return nil
}

// NATUsable returns nil if the kernel has what the NAT needs, and otherwise says what it lacks. It tries in a namespace that
// nobody else has.
func (f Namespaces) NATUsable() error {
	if err := f.Usable(); err != nil {
		return err
	}
	tried := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the namespace ends with the thread
		fresh, err := netns.New()
		if err == nil {
			defer fresh.Close()
			err = masquerades(true)
		}
		tried <- err
	}()
	return <-tried
}

// forget ends all mappings of the namespace of the calling thread.
func forget() error { return netlink.ConntrackTableFlush(netlink.ConntrackTable) }

// Forget ends all mappings.
func (k *kernelNAT) Forget() error {
	if err := k.net.inside(NATName, forget); err != nil {
		return fmt.Errorf("lab: forgetting the NAT's mappings: %w", err)
	}
	return nil
}

// Expire has mappings end when nothing was sent through them for so long, in whole seconds; 0 means a day.
func (k *kernelNAT) Expire(after time.Duration) error {
	if after == 0 {
		after = 24 * time.Hour
	}
	seconds := strconv.Itoa(int(after / time.Second))
	return k.net.inside(NATName, func() error {
		for _, setting := range []string{"nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"} {
			if err := os.WriteFile("/proc/sys/net/netfilter/"+setting, []byte(seconds), 0o644); err != nil {
				return fmt.Errorf("lab: mappings of the NAT: %w", err)
			}
		}
		return nil
	})
}

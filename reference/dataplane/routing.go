package dataplane

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/gdoilab/gdoilab/reference/core"
)

// The rules stand together in front of the main table.
const (
	firstPriority = 8480
	lastResort    = 0xffffffff // metric of the route that refuses: any other is better
	rulesProtocol = 84         // marks what is ours in "ip rule" and "ip route"
)

// family is a version of IP as far as routing is concerned.
type family struct {
	number   int
	anywhere *net.IPNet
	icmp     int // its protocol number
}

var (
	ipv4Family = family{unix.AF_INET, ipNet(netip.PrefixFrom(netip.IPv4Unspecified(), 0)), unix.IPPROTO_ICMP}
	ipv6Family = family{unix.AF_INET6, ipNet(netip.PrefixFrom(netip.IPv6Unspecified(), 0)), unix.IPPROTO_ICMPV6}
)

// has reports whether a network is of the family.
func (f family) has(p netip.Prefix) bool { return p.Addr().Is4() == (f.number == unix.AF_INET) }

// families are the versions of IP that the kernel has. IPv6 is closed off even where no interface has it yet.
func families() []family {
	if !hasIPv6() {
		return []family{ipv4Family}
	}
	return []family{ipv4Family, ipv6Family}
}

// routing is the rules and routing tables of one daemon. The handle belongs to the namespace in which it was made.
type routing struct {
	handle *netlink.Handle
	cfg    Config
	tables [2]int // into the devices, by core.Side
	direct int    // table of routes through inside interfaces
	ours   bool   // there may be rules and routes of this device, not of another daemon that holds the name
}

func newRouting(handle *netlink.Handle, cfg Config) *routing {
	base := int(0x47440000 | number(cfg.Name)&0x3fff<<2)
	return &routing{handle: handle, cfg: cfg, tables: [2]int{base, base + 1}, direct: base + 2}
}

func (r *routing) all() []int { return []int{r.tables[0], r.tables[1], r.direct} }

// install replaces what is there: first nothing gets through, then the devices are put in the way.
func (r *routing) install(devices [2]string) error {
	r.ours = true
	if err := r.clear(); err != nil {
		return err
	}
	for _, f := range families() {
		if err := r.closeOff(f); err != nil {
			return err
		}
	}
	for side, name := range devices {
		if err := r.bring(name, r.tables[side]); err != nil {
			return fmt.Errorf("device %s: %w", name, err)
		}
	}
	return nil
}

// closeOff makes the rules of a family, and the tables that refuse everything but what stays inside.
func (r *routing) closeOff(f family) error {
	refuse := [2]int{core.Inside: unix.RTN_UNREACHABLE, core.Outside: unix.RTN_BLACKHOLE}
	for side, table := range r.tables {
		route := &netlink.Route{Table: table, Dst: f.anywhere, Type: refuse[side], Priority: lastResort, Protocol: rulesProtocol}
		if err := r.handle.RouteAdd(route); err != nil {
			return fmt.Errorf("route of last resort: %w", err)
		}
	}
	if err := r.copyDirect(f); err != nil {
		return err
	}
	for _, rule := range r.rules(f) {
		if err := r.handle.RuleAdd(rule); err != nil {
			return fmt.Errorf("%s: %w", rule, err)
		}
	}
	return nil
}

// bring sets a device up and makes it the way out of a table. Its MTU is the largest there is, so that packets that are
// too big for the path reach the gateway, which knows what to do about them.
func (r *routing) bring(name string, table int) error {
	link, err := r.handle.LinkByName(name)
	if err != nil {
		return err
	}
	if err := r.handle.LinkSetMTU(link, maxPacket); err != nil {
		return err
	}
	if err := r.handle.LinkSetTxQLen(link, 1000); err != nil {
		return err
	}
	if err := r.handle.LinkSetUp(link); err != nil {
		return err
	}
	for _, f := range families() {
		if f.number == unix.AF_INET6 && !speaksIPv6(name) {
			continue
		}
		err := r.handle.RouteAdd(&netlink.Route{
			Table: table, Dst: f.anywhere, LinkIndex: link.Attrs().Index, Scope: f.linkScope(), Protocol: rulesProtocol,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// linkScope is the scope of routes without a gateway, which IPv6 does not tell apart.
func (f family) linkScope() netlink.Scope {
	if f.number == unix.AF_INET6 {
		return netlink.SCOPE_UNIVERSE
	}
	return netlink.SCOPE_LINK
}

// copyDirect fills the table of routes that stay inside.
func (r *routing) copyDirect(f family) error {
	for _, name := range r.cfg.Inside {
		link, err := r.handle.LinkByName(name)
		if err != nil {
			return fmt.Errorf("inside interface %s: %w", name, err)
		}
		routes, err := r.handle.RouteList(link, f.number)
		if err != nil {
			return err
		}
		for _, route := range routes {
			if err := r.copyRoute(route); err != nil {
				return fmt.Errorf("copying the route %s: %w", route, err)
			}
		}
	}
	return nil
}

// copyRoute leaves out a default route, since what is inside has to be named, and that of a link's own addresses.
func (r *routing) copyRoute(route netlink.Route) error {
	if route.Dst == nil || route.Dst.IP.IsUnspecified() || route.Dst.IP.IsLinkLocalUnicast() || route.Type != unix.RTN_UNICAST {
		return nil
	}
	return r.handle.RouteAdd(&netlink.Route{
		Table: r.direct, Dst: route.Dst, LinkIndex: route.LinkIndex, Gw: route.Gw, Scope: route.Scope, Protocol: rulesProtocol,
	})
}

// rules returns the rules in their order. Rules of the local table come before them, so what is for the host itself is
// delivered; a direct route is taken before the way through the gateway. What the kernel itself sends to its neighbours,
// such as neighbour discovery, takes no rule.
func (r *routing) rules(f family) []*netlink.Rule {
	var rules []*netlink.Rule
	add := func(table int, from string, source *net.IPNet) {
		rule := netlink.NewRule()
		rule.Priority, rule.Family, rule.Protocol = firstPriority+len(rules), f.number, rulesProtocol
		rule.Table, rule.IifName, rule.Src = table, from, source
		rules = append(rules, rule)
	}
	for _, link := range r.cfg.Outside {
		add(r.tables[core.Outside], link, nil)
	}
	for _, link := range r.cfg.Inside {
		add(r.direct, link, nil)
		add(r.tables[core.Inside], link, nil)
	}
	for _, network := range r.cfg.Networks {
		if !f.has(network) {
			continue
		}
		add(r.direct, "lo", ipNet(network))
		add(r.tables[core.Inside], "lo", ipNet(network))
	}
	for _, table := range []int{r.direct, r.tables[core.Inside]} {
		add(table, "lo", nil)
		rules[len(rules)-1].IPProto = f.icmp
	}
	return rules
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// clear removes every rule and route of our tables, whoever made them.
func (r *routing) clear() error {
	var errs []error
	for _, f := range families() {
		errs = append(errs, r.clearFamily(f))
	}
	return errors.Join(errs...)
}

func (r *routing) clearFamily(f family) error {
	rules, err := r.handle.RuleList(f.number)
	if err != nil {
		return fmt.Errorf("listing rules: %w", err)
	}
	var errs []error
	for _, rule := range rules {
		if slices.Contains(r.all(), rule.Table) {
			errs = append(errs, r.handle.RuleDel(&rule))
		}
	}
	for _, table := range r.all() {
		routes, err := r.handle.RouteListFiltered(f.number, &netlink.Route{Table: table}, netlink.RT_FILTER_TABLE)
		errs = append(errs, err)
		for _, route := range routes {
			errs = append(errs, r.handle.RouteDel(&route))
		}
	}
	return errors.Join(errs...)
}

// remove ends the routing into the devices.
func (r *routing) remove() error {
	defer r.handle.Close()
	if !r.ours {
		return nil
	}
	return r.clear()
}

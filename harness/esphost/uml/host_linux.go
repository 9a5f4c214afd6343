package uml

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"github.com/gdoilab/gdoilab/harness/esphost"
)

// wan is what the kernel calls its interface.
const wan = "vec0"

// host is the kernel with its ESP.
type host struct {
	place esphost.Place
	link  netlink.Link
	conn  *ipv4.PacketConn
}

var _ esphost.Host = (*host)(nil)

// Place sets up addresses, routes and neighbours, and begins to listen.
func (h *host) Place(p esphost.Place, received func(esphost.Datagram)) (err error) {
	h.place = p
	if err := plain(); err != nil {
		return err
	}
	if h.link, err = netlink.LinkByName(wan); err != nil {
		return fmt.Errorf("%s: %w", wan, err)
	}
	for _, address := range []netip.Prefix{p.WAN, netip.PrefixFrom(p.Inside, 32)} {
		if err := netlink.AddrAdd(h.link, &netlink.Addr{IPNet: ipNet(address)}); err != nil {
			return fmt.Errorf("address %s: %w", address, err)
		}
	}
	if err := netlink.LinkSetUp(h.link); err != nil {
		return fmt.Errorf("%s: %w", wan, err)
	}
	if err := h.acquaint(); err != nil {
		return err
	}
	return h.listen(received)
}

// plain switches off what would drop packets whose addresses are not those of the link.
func plain() error {
	for _, which := range []string{"all", "default", wan} {
		if err := os.WriteFile("/proc/sys/net/ipv4/conf/"+which+"/rp_filter", []byte("0"), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// acquaint makes the ways to the others.
func (h *host) acquaint() error {
	index := h.link.Attrs().Index
	for _, r := range h.place.Remotes {
		mac, err := net.ParseMAC(r.Link)
		if err != nil {
			return fmt.Errorf("link address of %s: %w", r.Via, err)
		}
		neighbour := &netlink.Neigh{LinkIndex: index, State: unix.NUD_PERMANENT, IP: r.Via.AsSlice(), HardwareAddr: mac}
		if err := netlink.NeighSet(neighbour); err != nil {
			return fmt.Errorf("neighbour %s: %w", r.Via, err)
		}
		route := &netlink.Route{Dst: ipNet(netip.PrefixFrom(r.Host, 32)), Gw: r.Via.AsSlice(), Src: h.place.Inside.AsSlice()}
		if err := netlink.RouteAdd(route); err != nil {
			return fmt.Errorf("route to %s: %w", r.Host, err)
		}
	}
	multicast := &netlink.Route{Dst: ipNet(netip.MustParsePrefix("224.0.0.0/4")), LinkIndex: index, Scope: netlink.SCOPE_LINK}
	if err := netlink.RouteAdd(multicast); err != nil {
		return fmt.Errorf("multicast route: %w", err)
	}
	return nil
}

// listen takes datagrams to the host's own address and to its groups.
func (h *host) listen(received func(esphost.Datagram)) error {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{Port: esphost.Port})
	if err != nil {
		return err
	}
	h.conn = ipv4.NewPacketConn(conn)
	errs := []error{h.conn.SetControlMessage(ipv4.FlagDst, true), h.conn.SetMulticastLoopback(false), h.conn.SetMulticastTTL(64)}
	for _, g := range h.place.Groups {
		errs = append(errs, h.conn.JoinGroup(&net.Interface{Index: h.link.Attrs().Index}, &net.UDPAddr{IP: g.AsSlice()}))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	go h.read(received)
	return nil
}

func (h *host) read(received func(esphost.Datagram)) {
	buffer := make([]byte, 1<<16)
	for {
		length, to, from, err := h.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		sender, ok1 := netip.AddrFromSlice(from.(*net.UDPAddr).IP)
		own, ok2 := netip.AddrFromSlice(to.Dst)
		if ok1 && ok2 {
			received(esphost.Datagram{From: sender.Unmap(), To: own.Unmap(), Data: buffer[:length]})
		}
	}
}

// Send sends a datagram.
func (h *host) Send(d esphost.Datagram) error {
	control := &ipv4.ControlMessage{Src: d.From.AsSlice(), IfIndex: h.link.Attrs().Index}
	_, err := h.conn.WriteTo(d.Data, control, &net.UDPAddr{IP: d.To.AsSlice(), Port: esphost.Port})
	return err
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

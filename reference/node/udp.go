package node

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"github.com/gdoilab/gdoilab/reference/core"
)

// defaultTTL is that of multicast datagrams: enough to cross a routed network.
const defaultTTL = 64

// maxDatagram is the size of the largest UDP datagram.
const maxDatagram = 1 << 16

// sockets are the UDP sockets of a node: one for each of its own addresses, some for port 4500 if it takes part in NAT traversal, and one
// for each multicast group. A socket that is bound
// to a group's address sees nothing but the group, so the address on which a datagram arrived is that of its socket, and
// several nodes can share a host.
type sockets struct {
	local   netip.AddrPort
	unicast *net.UDPConn
	also    []shared // of its further addresses
	shared  []shared // of port 4500, that of its own address first; none without NAT traversal
	link    int      // index of the interface for multicast; 0 leaves it to the routing table
	space   *space

	mu     sync.Mutex
	groups map[core.Stream]*net.UDPConn
	closed bool
}

func openSockets(cfg Config) (*sockets, error) {
	s := &sockets{groups: make(map[core.Stream]*net.UDPConn)}
	var err error
	if s.link, err = findLink(cfg.Interface, cfg.Listen.Addr()); err != nil {
		return nil, err
	}
	if s.unicast, err = net.ListenUDP(network(cfg.Listen.Addr()), net.UDPAddrFromAddrPort(cfg.Listen)); err != nil {
		return nil, err
	}
	if err := s.listenAlso(cfg.Also); err != nil {
		return nil, errors.Join(err, s.closeUnicast())
	}
	if cfg.NATT {
		if err := s.share([]netip.Addr{cfg.Listen.Addr()}); err != nil {
			return nil, errors.Join(err, s.closeUnicast())
		}
	}
	s.local = netip.AddrPortFrom(cfg.Listen.Addr(), uint16(s.unicast.LocalAddr().(*net.UDPAddr).Port))
	ttl := cfg.TTL
	if ttl == 0 {
		ttl = defaultTTL
	}
	if err = s.sendGroups(ttl); err == nil {
		s.space, err = currentSpace()
	}
	if err != nil {
		return nil, errors.Join(err, s.closeUnicast())
	}
	return s, nil
}

// closeUnicast closes the sockets of the own addresses.
func (s *sockets) closeUnicast() error {
	err := ignoreClosed(s.unicast.Close())
	for _, one := range slices.Concat(s.also, s.shared) {
		err = errors.Join(err, ignoreClosed(one.conn.Close()))
	}
	return err
}

// listenAlso opens the sockets of further addresses.
func (s *sockets) listenAlso(addresses []netip.AddrPort) error {
	for _, at := range addresses {
		conn, err := net.ListenUDP(network(at.Addr()), net.UDPAddrFromAddrPort(at))
		if err != nil {
			return err
		}
		s.also = append(s.also, shared{conn, at})
	}
	return nil
}

// network is the one whose sockets have addresses of that IP version only.
func network(a netip.Addr) string {
	if a.Is4() {
		return "udp4"
	}
	return "udp6"
}

// findLink returns the index of the named interface, or else of the one that has the address.
func findLink(name string, own netip.Addr) (int, error) {
	if name != "" {
		link, err := net.InterfaceByName(name)
		if err != nil {
			return 0, fmt.Errorf("interface %s: %w", name, err)
		}
		return link.Index, nil
	}
	links, err := net.Interfaces()
	if err != nil {
		return 0, err
	}
	for _, link := range links {
		addrs, _ := link.Addrs() // an interface that has just gone has no addresses
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(own.WithZone("").AsSlice()) {
				return link.Index, nil
			}
		}
	}
	return 0, nil
}

// sendGroups says how multicast datagrams leave.
func (s *sockets) sendGroups(ttl int) error {
	setHops, setInterface := ipv4.NewPacketConn(s.unicast).SetMulticastTTL, ipv4.NewPacketConn(s.unicast).SetMulticastInterface
	if s.local.Addr().Is6() {
		setHops, setInterface = ipv6.NewPacketConn(s.unicast).SetMulticastHopLimit, ipv6.NewPacketConn(s.unicast).SetMulticastInterface
	}
	if err := setHops(ttl); err != nil {
		return err
	}
	if s.link == 0 {
		return nil
	}
	return setInterface(&net.Interface{Index: s.link})
}

func (s *sockets) send(d *core.Send) error {
	_, err := s.from(d).WriteToUDPAddrPort(d.Data, d.To)
	return err
}

// join opens the socket of a stream and returns it with the address at which its datagrams arrive. It returns nothing if
// the stream has one already.
func (s *sockets) join(of core.Stream) (*net.UDPConn, netip.AddrPort, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := netip.AddrPortFrom(of.Group, s.local.Port())
	if !of.Group.IsMulticast() || of.Group.Is4In6() {
		return nil, at, fmt.Errorf("%s is not a multicast group", of.Group)
	}
	if s.closed || s.groups[of] != nil {
		return nil, at, nil
	}
	var conn *net.UDPConn
	err := s.space.do(func() (err error) {
		conn, err = s.listenTo(of, at)
		return err
	})
	if err != nil {
		return nil, at, err
	}
	s.groups[of] = conn
	return conn, at, nil
}

// listenTo opens the socket of a stream, in the network namespace of the node.
func (s *sockets) listenTo(of core.Stream, at netip.AddrPort) (*net.UDPConn, error) {
	link := s.link
	if of.Interface != "" {
		ifi, err := net.InterfaceByName(of.Interface)
		if err != nil {
			return nil, fmt.Errorf("interface %s: %w", of.Interface, err)
		}
		link = ifi.Index
	}
	return listenGroup(at, link, of.Source)
}

// listenGroup binds a socket to a group and joins it, or what one source sends to it, which the kernel tells the link by IGMP or
// MLD. Other nodes of the host may do the same; it sees only what it has joined itself. Package net would bind it to every address.
func listenGroup(at netip.AddrPort, link int, source netip.Addr) (*net.UDPConn, error) {
	domain, enter := unix.AF_INET, enterGroup4
	if at.Addr().Is6() {
		domain, enter = unix.AF_INET6, enterGroup6
	}
	fd, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	file := os.NewFile(uintptr(fd), at.String())
	defer file.Close() // FilePacketConn makes a copy
	err = errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1), enter(fd, at, link))
	if err != nil {
		return nil, fmt.Errorf("listening at %s: %w", at, err)
	}
	conn, err := net.FilePacketConn(file)
	if err != nil {
		return nil, fmt.Errorf("listening at %s: %w", at, err)
	}
	if err := joinGroup(conn, at.Addr(), link, source); err != nil {
		return nil, errors.Join(fmt.Errorf("listening at %s: %w", at, err), conn.Close())
	}
	return conn.(*net.UDPConn), nil
}

// joinGroup joins a group on a link, or if the source is valid, what that sends to it.
func joinGroup(conn net.PacketConn, group netip.Addr, link int, source netip.Addr) error {
	var on *net.Interface // nil: the routing table decides
	if link != 0 {
		on = &net.Interface{Index: link}
	}
	to, from := &net.UDPAddr{IP: group.AsSlice()}, &net.UDPAddr{IP: source.AsSlice()}
	if group.Is4() {
		p := ipv4.NewPacketConn(conn)
		if source.IsValid() {
			return p.JoinSourceSpecificGroup(on, to, from)
		}
		return p.JoinGroup(on, to)
	}
	p := ipv6.NewPacketConn(conn)
	if source.IsValid() {
		return p.JoinSourceSpecificGroup(on, to, from)
	}
	return p.JoinGroup(on, to)
}

func enterGroup4(fd int, at netip.AddrPort, _ int) error {
	group := at.Addr().As4()
	return errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0),
		unix.Bind(fd, &unix.SockaddrInet4{Addr: group, Port: int(at.Port())}))
}

// enterGroup6 binds the socket to its interface too: of IPv6 the kernel takes to it whatever comes to the group, on whichever interface the
// host has joined it.
func enterGroup6(fd int, at netip.AddrPort, link int) error {
	group := at.Addr().As16()
	return errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, link),
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL, 0),
		unix.Bind(fd, &unix.SockaddrInet6{Addr: group, Port: int(at.Port()), ZoneId: uint32(link)}))
}

// leave closes the socket of a stream, which ends its reader.
func (s *sockets) leave(of core.Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if conn := s.groups[of]; conn != nil {
		_ = conn.Close()
		delete(s.groups, of)
	}
}

func (s *sockets) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, conn := range s.groups {
		_ = conn.Close()
	}
	clear(s.groups)
	return errors.Join(s.closeUnicast(), s.space.close())
}

// ignoreClosed makes closing a thing twice no error.
func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// over reports whether a socket can no longer be read; the node fails unless the socket was closed.
func (n *Node) over(at netip.AddrPort, err error) bool {
	if err != nil && !errors.Is(err, net.ErrClosed) {
		n.fail(fmt.Errorf("reading %s: %w", at, err))
	}
	return err != nil
}

// receive gives the core what arrives on a socket until it is closed.
func (p *place) receive(conn *net.UDPConn, at netip.AddrPort) {
	buffer := make([]byte, maxDatagram)
	for {
		size, from, err := conn.ReadFromUDPAddrPort(buffer)
		if p.over(at, err) {
			return
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		p.handle(p.in(&core.Datagram{From: from, To: at, Data: buffer[:size]}))
	}
}

package node

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/dataplane"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// shared is a socket beside the first: of another address, or of port 4500, where key management, ESP and keepalives arrive (RFC 3948 §2).
type shared struct {
	conn *net.UDPConn
	at   netip.AddrPort
}

// nattAddr is where a node at that address listens for what passes NATs.
func nattAddr(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, natt.Port) }

// openShared opens port 4500 of an address. The kernel tells DSCP and ECN of what arrives there, which ESP has to know. An IPv6
// address that is not in use yet, since the kernel still asks for others who have it, may be bound to.
func openShared(a netip.Addr) (shared, error) {
	at := nattAddr(a)
	lc := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		failed := raw.Control(func(fd uintptr) { err = askTOS(int(fd), a.Is6()) })
		return errors.Join(err, failed)
	}}
	conn, err := lc.ListenPacket(context.Background(), network(a), at.String())
	if err != nil {
		return shared{}, err
	}
	return shared{conn.(*net.UDPConn), at}, nil
}

func askTOS(fd int, v6 bool) error {
	if v6 {
		return errors.Join(unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS, 1),
			unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_FREEBIND, 1))
	}
	return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_RECVTOS, 1)
}

// share opens port 4500 of the other addresses that a gateway has, where ESP in UDP arrives for it: with address preservation those
// that hosts reach it by.
func (s *sockets) share(others []netip.Addr) error {
	for _, a := range others {
		if slices.ContainsFunc(s.shared, func(have shared) bool { return have.at.Addr() == a }) {
			continue
		}
		one, err := openShared(a)
		if err != nil {
			return err
		}
		s.shared = append(s.shared, one)
	}
	return nil
}

// shareWithDevice opens port 4500 of every address that the data plane has.
func (n *Node) shareWithDevice() error {
	if !n.cfg.NATT {
		return nil
	}
	others, err := dataplane.Addresses(n.cfg.DataPlane.Device)
	if err != nil {
		return err
	}
	return n.udp.share(others)
}

// from is the socket that a datagram leaves by.
func (s *sockets) from(d *core.Send) *net.UDPConn {
	if d.From.Port() == natt.Port && len(s.shared) > 0 {
		return s.shared[0].conn
	}
	for _, one := range s.also {
		if one.at == d.From {
			return one.conn
		}
	}
	return s.unicast
}

// receiveShared gives the core what arrives on port 4500 until the socket is closed.
func (n *Node) receiveShared(s shared) {
	buffer, control := make([]byte, maxDatagram), make([]byte, 64)
	for {
		size, told, _, from, err := s.conn.ReadMsgUDPAddrPort(buffer, control)
		if n.over(s.at, err) {
			return
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		n.handle(&core.Datagram{From: from, To: s.at, Data: buffer[:size], TOS: tosOf(control[:told])})
	}
}

// tosOf finds DSCP and ECN in what the kernel tells of a datagram: an octet of IPv4, a number of IPv6.
func tosOf(control []byte) uint8 {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return 0
	}
	for _, m := range messages {
		of4 := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_TOS
		of6 := m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_TCLASS
		switch {
		case of4 && len(m.Data) > 0:
			return m.Data[0]
		case of6 && len(m.Data) >= 4:
			return uint8(binary.NativeEndian.Uint32(m.Data))
		}
	}
	return 0
}

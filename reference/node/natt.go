package node

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
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

// openShared opens port 4500 of an address. The kernel tells DSCP and ECN of what arrives there, which ESP has to know, and may hand over
// several datagrams of a flow at once. An IPv6
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

// receiveRoom is for what comes faster than it is decrypted for a while. The kernel's own would hold two reads.
const receiveRoom = 4 << 20

func askTOS(fd int, v6 bool) error {
	_ = unix.SetsockoptInt(fd, unix.SOL_UDP, unix.UDP_GRO, 1) // without it they come one by one
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveRoom)
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
func (p *place) shareWithDevice(natt bool) error {
	if !natt {
		return nil
	}
	others, err := dataplane.Addresses(p.plane.Device)
	if err != nil {
		return err
	}
	return p.udp.share(others)
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

// maxReads is how many times in a row a socket is read before what was kept back of it is sent.
const maxReads = 64

// receiveShared gives the data path and the core what arrives on port 4500 until the socket is closed.
func (p *place) receiveShared(s shared) {
	emit, flush := p.outlet()
	d := &core.Datagram{To: s.at}
	p.over(s.at, s.read(func(data []byte, from netip.AddrPort, t told) {
		d.From, d.TOS = from, t.tos
		turn{p.Node}.Lock()
		defer turn{p.Node}.Unlock()
		eachOf(data, t.size, func(one []byte) {
			d.Data = one
			p.datagram(d, emit)
		})
	}, flush))
}

// read calls each with what it reads until the socket can no longer be read. It calls idle before it waits, and again and again when there is
// always something to read: what becomes of several reads can leave together, since the segments of a stream come in other portions
// than they were sent in.
func (s shared) read(each func([]byte, netip.AddrPort, told), idle func()) error {
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return err
	}
	buffer, control := make([]byte, maxDatagram), make([]byte, 128)
	var failed error
	some := func(fd uintptr) (done bool) {
		defer idle()
		for range maxReads {
			size, told, _, from, err := unix.Recvmsg(int(fd), buffer, control, 0)
			switch {
			case err == unix.EINTR:
			case err == unix.EAGAIN:
				return false
			case err != nil:
				failed = os.NewSyscallError("recvmsg", err)
				return true
			default:
				each(buffer[:size], addrPort(from), readTold(control[:told]))
			}
		}
		return true // and so sees whether the socket is closed
	}
	for failed == nil && err == nil {
		err = raw.Read(some)
	}
	return errors.Join(failed, err)
}

// addrPort is the address that a datagram came from; the zone of one of a link is the number of its interface.
func addrPort(from unix.Sockaddr) netip.AddrPort {
	switch from := from.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(from.Addr), uint16(from.Port))
	case *unix.SockaddrInet6:
		a := netip.AddrFrom16(from.Addr).Unmap()
		if a.IsLinkLocalUnicast() && a.Is6() {
			a = a.WithZone(strconv.FormatUint(uint64(from.ZoneId), 10))
		}
		return netip.AddrPortFrom(a, uint16(from.Port))
	}
	return netip.AddrPort{}
}

// outlet is how what a socket brings leaves by the data plane.
func (p *place) outlet() (emit func(core.Side, []byte), flush func()) {
	if p.device == nil {
		return nil, func() {}
	}
	o := p.device.NewOutlet()
	return o.Emit, o.Flush
}

// eachOf calls f with the datagrams that were received at once, which have that size but for the last; 0: there is one.
func eachOf(data []byte, size int, f func([]byte)) {
	for size > 0 && len(data) > size {
		f(data[:size])
		data = data[size:]
	}
	f(data)
}

// told is what the kernel tells of what it hands over.
type told struct {
	tos  uint8
	size int // of each of several datagrams; 0: there is one
}

// readTold reads it: DSCP and ECN are an octet of IPv4, a number of IPv6.
func readTold(control []byte) (t told) {
	for len(control) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			return t
		}
		switch control = rest; {
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_TOS && len(data) > 0:
			t.tos = data[0]
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_TCLASS && len(data) >= 4:
			t.tos = uint8(binary.NativeEndian.Uint32(data))
		case h.Level == unix.SOL_UDP && h.Type == unix.UDP_GRO && len(data) >= 4:
			t.size = int(binary.NativeEndian.Uint32(data))
		}
	}
	return t
}

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

// receiveShared gives the data path and the core what arrives on port 4500 until the socket is closed. Segments of a stream that the
// sender's datagrams have spread over several reads are put together again, as long as there is something to read.
func (p *place) receiveShared(s shared) {
	buffer, control := make([]byte, maxDatagram), make([]byte, 128)
	emit, flush := p.outlet()
	d := &core.Datagram{To: s.at}
	more := s.readable()
	for reads := 1; ; reads++ {
		size, told, _, from, err := s.conn.ReadMsgUDPAddrPort(buffer, control)
		if p.over(s.at, err) {
			return
		}
		t := readTold(control[:told])
		d.From, d.TOS = netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), t.tos
		turn{p.Node}.Lock()
		eachOf(buffer[:size], t.size, func(data []byte) {
			d.Data = data
			p.datagram(d, emit)
		})
		turn{p.Node}.Unlock()
		if reads >= maxReads || !more() {
			flush()
			reads = 0
		}
	}
}

// readable returns what reports whether something has come that can be read at once.
func (s shared) readable() func() bool {
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return func() bool { return false }
	}
	var n int
	look := func(fd uintptr) { n, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0) }
	return func() bool {
		n = 0
		return raw.Control(look) == nil && n > 0
	}
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

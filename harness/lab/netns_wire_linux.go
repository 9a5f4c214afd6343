package lab

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/gdoilab/gdoilab/harness/capture"
)

// wire is the WAN of a kernelNet: a learning switch in user space between the ports, so that every frame can be seen and
// interfered with, and the kernel needs no queueing discipline for it. Its namespace has no addresses, so the kernel
// itself forwards nothing. A lab with a NAT has another segment behind it (port.inside), on which nobody interferes.
type wire struct {
	net     *kernelNet
	ports   map[string]*port
	byMAC   sync.Map // [6]byte -> *port
	readers sync.WaitGroup
	delayed sync.WaitGroup
	mu      sync.Mutex
	closed  bool
}

type port struct {
	name   string // that of the node, but for further ports of one node
	node   string
	own    string // the node's own end
	addrs  []netip.Addr
	inside bool             // behind the NAT
	mac    net.HardwareAddr // of the node's own end; nil: of a router, that is learnt
	learnt atomic.Pointer[net.HardwareAddr]
	conn   *packet.Conn
}

// hardware is the link address of the node's own end; that of a router which has said nothing yet is the one of everybody.
func (p *port) hardware() net.HardwareAddr {
	switch learnt := p.learnt.Load(); {
	case p.mac != nil:
		return p.mac
	case learnt != nil:
		return *learnt
	}
	return net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
}

func newWire(n *kernelNet) *wire { return &wire{net: n, ports: make(map[string]*port)} }

// attach opens a port in the namespace of the calling thread.
func (w *wire) attach(p *port, name string) (err error) {
	if p.conn, err = rawSocket(name, true); err != nil {
		return err
	}
	w.ports[p.name] = p
	if p.mac != nil {
		w.byMAC.Store([6]byte(p.mac), p)
	}
	return nil
}

// rawBuffer is the room for frames that nobody has read yet: a burst of TCP must not be lost in the lab.
const rawBuffer = 32 << 20

// rawSocket opens a packet socket on an interface; incoming leaves out what the interface itself sends.
func rawSocket(name string, incoming bool) (*packet.Conn, error) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return nil, err
	}
	conn, err := packet.Listen(ifi, packet.Raw, unix.ETH_P_ALL, nil)
	if err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, rawBuffer)
		if incoming {
			set = errors.Join(set, unix.SetsockoptInt(int(fd), unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1))
		}
	})
	if err = errors.Join(err, set); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func (w *wire) start() error {
	for _, p := range w.ports {
		w.readers.Add(1)
		go w.read(p)
	}
	return nil
}

func (w *wire) read(p *port) {
	defer w.readers.Done()
	frame := make([]byte, 1<<16)
	for {
		length, _, err := p.conn.ReadFrom(frame)
		if err != nil {
			return // closed
		}
		if length >= ethernetHeader {
			w.learn(p, frame[6:12])
			w.carry(p, slices.Clone(frame[:length]))
		}
	}
}

const ethernetHeader = 14

// learn remembers where a router is by what it sends.
func (w *wire) learn(p *port, source []byte) {
	if p.mac != nil || p.learnt.Load() != nil {
		return
	}
	mac := net.HardwareAddr(slices.Clone(source))
	p.learnt.Store(&mac)
	w.byMAC.Store([6]byte(mac), p)
}

// etherType is what a frame calls the packet in it.
func etherType(p Packet) []byte {
	if p.Source.Is6() {
		return []byte{0x86, 0xdd}
	}
	return []byte{0x08, 0x00}
}

// holdsPacket reports whether a frame holds an IP packet that is of concern. Neighbour discovery is none: like ARP it
// belongs to the link.
func holdsPacket(frame []byte) bool {
	switch binary.BigEndian.Uint16(frame[12:]) {
	case unix.ETH_P_IP:
		return true
	case unix.ETH_P_IPV6:
		return !neighbourDiscovery(frame[ethernetHeader:])
	}
	return false
}

// neighbourDiscovery reports whether an IPv6 packet belongs to the protocol of RFC 4861.
func neighbourDiscovery(packet []byte) bool {
	const first, last = 133, 137
	p, ok := ParseIPv6(packet)
	return ok && p.Protocol == protocolICMPv6 && !p.Fragment && len(p.Payload) > 0 && first <= p.Payload[0] && p.Payload[0] <= last
}

// carry takes a frame through the interceptor, if it holds a packet, and on to its port.
func (w *wire) carry(from *port, frame []byte) {
	if !holdsPacket(frame) {
		w.forward(from, frame)
		return
	}
	w.net.catchUp() // what it may have come from is older
	if from.inside {
		w.net.record(capture.Frame{At: time.Now(), Link: NATLink, Ethernet: frame, Packet: frame[ethernetHeader:]})
		w.forward(from, frame)
		return
	}
	c := Crossing{At: time.Now(), From: from.node, Packet: frame[ethernetHeader:]}
	w.net.mu.Lock()
	intercept := w.net.intercept
	w.net.mu.Unlock()
	if intercept != nil {
		intercept(&c)
	}
	if c.Drop {
		w.net.record(wanFrame(frame[:ethernetHeader], c.Packet, note(c.Note, "withheld on the wire")))
		return
	}
	for copies := 0; copies <= c.Copies; copies++ {
		w.later(c.Delay, func() {
			f := wanFrame(frame[:ethernetHeader], c.Packet, c.Note)
			w.net.record(f)
			w.forward(from, f.Ethernet)
		})
	}
}

func wanFrame(header, packet []byte, note string) capture.Frame {
	frame := append(slices.Clone(header), packet...)
	return capture.Frame{At: time.Now(), Link: "wan", Ethernet: frame, Packet: frame[ethernetHeader:], Note: note}
}

// later does it now or after the delay, unless the wire is closed by then.
func (w *wire) later(delay time.Duration, do func()) {
	if delay == 0 {
		do()
		return
	}
	w.delayed.Add(1)
	time.AfterFunc(delay, func() {
		defer w.delayed.Done()
		w.mu.Lock()
		closed := w.closed
		w.mu.Unlock()
		if !closed {
			do()
		}
	})
}

// forward sends to the port of the same segment that has the destination address, or to all others.
func (w *wire) forward(from *port, frame []byte) {
	if known, ok := w.byMAC.Load([6]byte(frame[:6])); ok {
		if p := known.(*port); p != from && p.inside == from.inside {
			w.write(p, frame)
		}
		return
	}
	for _, p := range w.ports {
		if p != from && p.inside == from.inside && (!isMulticast(frame) || w.net.plan.carriesMulticast(p.node, p.own)) {
			w.write(p, frame)
		}
	}
}

// isMulticast reports whether a frame is for a group of IPv4 or IPv6, and not for everybody.
func isMulticast(frame []byte) bool { return frame[0] == 0x01 || frame[0] == 0x33 }

// write puts a frame on a port. A port whose node is gone loses it, as a cable would.
func (w *wire) write(p *port, frame []byte) {
	_, _ = p.conn.WriteTo(frame, &packet.Addr{HardwareAddr: net.HardwareAddr(frame[:6])})
}

// inject makes a frame around the packet as if the node had sent it to whoever has, or routes to, its destination.
func (w *wire) inject(node string, p []byte) {
	from := w.ports[node]
	ip, ok := Parse(p)
	if from == nil || !ok {
		return
	}
	header := slices.Concat(w.nextHop(from, ip.Destination), from.hardware(), etherType(ip))
	w.carry(from, append(header, p...))
}

// nextHop is the link address at which a node finds whoever has, or routes to, an address.
func (w *wire) nextHop(from *port, to netip.Addr) net.HardwareAddr {
	if to.IsMulticast() {
		return multicastMAC(to)
	}
	for i := 1; i <= w.net.plan.Members; i++ {
		if p := w.ports[MemberName(w.net.gatewayOf(i))]; p != nil && slices.Contains(LANs(i), lanOf(to)) {
			return p.hardware()
		}
	}
	for _, p := range w.ports {
		if p.inside == from.inside && slices.Contains(p.addrs, to) {
			return p.hardware()
		}
	}
	return net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
}

// multicastMAC is the Ethernet address of a group (RFC 1112 §6.4, RFC 2464 §7).
func multicastMAC(group netip.Addr) net.HardwareAddr {
	a := group.AsSlice()
	last := a[len(a)-4:]
	if group.Is6() {
		return net.HardwareAddr{0x33, 0x33, last[0], last[1], last[2], last[3]}
	}
	return net.HardwareAddr{0x01, 0x00, 0x5e, last[1] & 0x7f, last[2], last[3]}
}

func (w *wire) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	for _, p := range w.ports {
		_ = p.conn.Close()
	}
	w.readers.Wait()
	w.delayed.Wait()
}

// sniffer records what crosses a LAN, in both directions.
type sniffer struct {
	net    *kernelNet
	link   string
	conn   *packet.Conn
	socket syscall.RawConn
	done   chan struct{}

	mu    sync.Mutex // held from reading a frame until it is recorded
	frame []byte
}

func newSniffer(n *kernelNet, ifName, link string) (*sniffer, error) {
	conn, err := rawSocket(ifName, false)
	if err != nil {
		return nil, err
	}
	s := &sniffer{net: n, link: link, conn: conn, done: make(chan struct{}), frame: make([]byte, 1<<16)}
	if s.socket, err = conn.SyscallConn(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	go func() {
		defer close(s.done)
		_ = s.socket.Read(func(fd uintptr) bool { // until it is closed
			s.take(fd)
			return false
		})
	}()
	return s, nil
}

// take records whatever stands in the socket.
func (s *sniffer) take(fd uintptr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		length, _, err := unix.Recvfrom(int(fd), s.frame, unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return
		case length >= ethernetHeader && holdsPacket(s.frame[:length]):
			kept := slices.Clone(s.frame[:length])
			s.net.record(capture.Frame{At: time.Now(), Link: s.link, Ethernet: kept, Packet: kept[ethernetHeader:]})
		}
	}
}

// catchUp records what has crossed until now: the kernel has it in the socket before anybody else gets it.
func (s *sniffer) catchUp() { _ = s.socket.Control(s.take) }

func (s *sniffer) close() {
	_ = s.conn.Close()
	<-s.done
}

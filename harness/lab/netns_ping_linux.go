package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// kernelProbe sends echo requests through the IP stack of a host's namespace and counts the answers. The ping command
// would not do: at its end it waits for hardly longer than the answers before took, and once interrupted not at all.
type kernelProbe struct {
	net     *kernelNet
	conn    *net.IPConn
	to      netip.Addr
	id      uint16
	options Ping
	stop    chan struct{} // closed to end sending
	sent    chan struct{} // closed when sending has ended
	read    chan struct{} // closed when reading has ended
	once    sync.Once

	mu       sync.Mutex
	result   PingResult
	answered map[uint16]bool
	lastSent time.Time
}

// Ping sends the first request at once and the others at the interval, 20 ms unless said.
func (h *kernelHost) Ping(_ context.Context, to netip.Addr, o Ping) (Probe, error) {
	if o.Interval == 0 {
		o.Interval = 20 * time.Millisecond
	}
	if o.Size == 0 {
		o.Size = 56
	}
	if to.Is6() && !h.addr6.IsValid() {
		return nil, errNoIPv6
	}
	p := &kernelProbe{net: h.net, to: to, options: o, answered: make(map[uint16]bool),
		stop: make(chan struct{}), sent: make(chan struct{}), read: make(chan struct{})}
	if err := h.net.inside(h.name, p.open); err != nil {
		return nil, fmt.Errorf("lab: ping from %s: %w", h.name, err)
	}
	h.mu.Lock()
	h.probes = append(h.probes, p)
	p.id = uint16(len(h.probes))
	h.mu.Unlock()
	go p.send()
	go p.receive()
	return p, nil
}

// open makes the socket in the namespace of the calling thread.
func (p *kernelProbe) open() error {
	network := "ip4:icmp"
	if p.to.Is6() {
		network = "ip6:ipv6-icmp"
	}
	conn, err := net.ListenIP(network, nil)
	if err != nil {
		return err
	}
	raw, err := conn.SyscallConn()
	if err == nil {
		var set error
		err = raw.Control(func(fd uintptr) { set = p.setFragmentation(int(fd)) })
		err = errors.Join(err, set)
	}
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	p.conn = conn
	return nil
}

// setFragmentation has a socket fragment what is too long for its link, or refuse it: then DF is set, and every size is
// tried whatever the kernel has learnt of the path.
func (p *kernelProbe) setFragmentation(fd int) error {
	discovery, dontFragment := unix.IP_PMTUDISC_DONT, 0
	if p.options.DontFragment {
		discovery, dontFragment = unix.IP_PMTUDISC_PROBE, 1
	}
	if p.to.Is4() {
		return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, discovery)
	}
	return errors.Join(unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, discovery),
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG, dontFragment))
}

func (p *kernelProbe) send() {
	defer close(p.sent)
	ticker := time.NewTicker(p.options.Interval)
	defer ticker.Stop()
	for n := 1; p.options.Count == 0 || n <= p.options.Count; n++ {
		p.request(uint16(n))
		if n == p.options.Count {
			return
		}
		select {
		case <-ticker.C:
		case <-p.stop:
			return
		}
	}
}

func (p *kernelProbe) request(seq uint16) {
	echo := make([]byte, 8+p.options.Size)
	echo[0] = icmpEchoRequest
	if p.to.Is6() {
		echo[0] = icmpv6EchoRequest
	}
	binary.BigEndian.PutUint16(echo[4:], p.id)
	binary.BigEndian.PutUint16(echo[6:], seq)
	for i := range echo[8:] {
		echo[8+i] = byte(i)
	}
	if p.to.Is4() { // the kernel does it for ICMPv6
		binary.BigEndian.PutUint16(echo[2:], Checksum(echo))
	}
	p.mu.Lock()
	p.result.Sent++
	p.lastSent = time.Now()
	p.mu.Unlock()
	if _, err := p.conn.WriteToIP(echo, &net.IPAddr{IP: p.to.AsSlice()}); errors.Is(err, unix.EMSGSIZE) {
		p.count(func() { p.result.TooBig++ })
	}
}

// receive reads every ICMP message that the host gets, until the socket is closed.
func (p *kernelProbe) receive() {
	defer close(p.read)
	message := make([]byte, 1<<16)
	for {
		n, _, err := p.conn.ReadFromIP(message)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil && n >= 8 { // the kernel reports ICMP errors about what was sent as errors of the socket
			p.take(message[:n])
		}
	}
}

func (p *kernelProbe) take(icmp []byte) {
	protocol := uint8(protocolICMP)
	if p.to.Is6() {
		protocol = protocolICMPv6
	}
	switch kindOf(protocol, icmp) {
	case echoReply:
		if binary.BigEndian.Uint16(icmp[4:]) == p.id {
			p.answer(binary.BigEndian.Uint16(icmp[6:]))
		}
	case tooBig:
		if quotedID(icmp) == p.id {
			p.count(func() { p.result.TooBig++ })
		}
	}
}

func (p *kernelProbe) answer(seq uint16) {
	p.count(func() {
		if p.answered[seq] {
			p.result.Duplicates++
			return
		}
		p.answered[seq] = true
		p.result.Received++
	})
}

func (p *kernelProbe) count(change func()) {
	p.mu.Lock()
	change()
	p.mu.Unlock()
	p.net.event()
}

func (p *kernelProbe) Done() bool {
	select {
	case <-p.sent:
	default:
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.result.Received == p.result.Sent || time.Since(p.lastSent) >= patience
}

// Stop ends sending and gives answers under way as long as a probe has patience.
func (p *kernelProbe) Stop() PingResult {
	p.once.Do(func() {
		close(p.stop)
		<-p.sent
		p.net.Wait(context.Background(), patience, p.Done)
		_ = p.conn.Close()
		<-p.read
	})
	return p.Result()
}

func (p *kernelProbe) Result() PingResult {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.result
}

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
	conn, err := net.ListenIP("ip4:icmp", nil)
	if err != nil {
		return err
	}
	discovery := unix.IP_PMTUDISC_DONT
	if p.options.DontFragment {
		discovery = unix.IP_PMTUDISC_PROBE // DF, and every size is tried whatever the kernel has learnt
	}
	raw, err := conn.SyscallConn()
	if err == nil {
		var set error
		err = raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, discovery) })
		err = errors.Join(err, set)
	}
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	p.conn = conn
	return nil
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
	binary.BigEndian.PutUint16(echo[4:], p.id)
	binary.BigEndian.PutUint16(echo[6:], seq)
	for i := range echo[8:] {
		echo[8+i] = byte(i)
	}
	binary.BigEndian.PutUint16(echo[2:], Checksum(echo))
	p.mu.Lock()
	p.result.Sent++
	p.lastSent = time.Now()
	p.mu.Unlock()
	if _, err := p.conn.WriteToIP(echo, &net.IPAddr{IP: p.to.AsSlice()}); errors.Is(err, unix.EMSGSIZE) {
		p.count(func() { p.result.TooBig++ })
	}
}

// The ICMP types that a probe knows (RFC 792).
const (
	icmpEchoReply   = 0
	icmpUnreachable = 3
	icmpEchoRequest = 8

	icmpFragmentationNeeded = 4 // a code
)

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
	const quotedICMP = 8 + ipv4Header
	switch {
	case icmp[0] == icmpEchoReply && p.own(icmp):
		seq := binary.BigEndian.Uint16(icmp[6:])
		p.count(func() {
			if p.answered[seq] {
				p.result.Duplicates++
				return
			}
			p.answered[seq] = true
			p.result.Received++
		})
	case icmp[0] == icmpUnreachable && icmp[1] == icmpFragmentationNeeded && len(icmp) >= quotedICMP+8 && p.own(icmp[quotedICMP:]):
		p.count(func() { p.result.TooBig++ })
	}
}

// own reports whether an echo request or reply carries the probe's identifier.
func (p *kernelProbe) own(echo []byte) bool { return binary.BigEndian.Uint16(echo[4:]) == p.id }

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

package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"time"
)

// memoryHost is a machine with just enough IP to send pings and answer them.
type memoryHost struct {
	net    *memoryNet
	name   string
	lan    string
	member int // that it is behind
	addr   netip.Addr
	addr6  netip.Addr // not valid without IPv6
	probes []*memoryProbe
	parts  Reassembler
	sent   uint16 // packets, and so the identification of the last
}

func (h *memoryHost) Addr() netip.Addr  { return h.addr }
func (h *memoryHost) Addr6() netip.Addr { return h.addr6 }

// own is the host's address of the version of the other one.
func (h *memoryHost) own(other netip.Addr) netip.Addr {
	if other.Is6() {
		return h.addr6
	}
	return h.addr
}

var (
	errNoIP   = errors.New("lab: a host sends whole IP packets only")
	errNoIPv6 = errors.New("lab: the lab has no IPv6; its setup has to ask for it")
)

// patience is how long a probe waits for its last answer.
const patience = time.Second

// Ping sends the first request at once and the others at the interval.
func (h *memoryHost) Ping(_ context.Context, to netip.Addr, o Ping) (Probe, error) {
	if !h.own(to).IsValid() {
		return nil, errNoIPv6
	}
	if o.Interval == 0 {
		o.Interval = 100 * time.Millisecond
	}
	if o.Size == 0 {
		o.Size = 56
	}
	p := &memoryProbe{host: h, to: to, options: o, id: uint16(len(h.probes) + 1), answered: make(map[uint16]bool)}
	h.probes = append(h.probes, p)
	p.send()
	return p, nil
}

// Send puts the packet on the LAN.
func (h *memoryHost) Send(packet []byte) error {
	if _, ok := Parse(packet); !ok {
		return errNoIP
	}
	h.net.fromLAN(h, slices.Clone(packet))
	return nil
}

// transmit sends a packet as an IP stack does: numbered, and in fragments if it is longer than the link allows. It
// reports false if it must not be fragmented.
func (h *memoryHost) transmit(packet []byte, dontFragment bool) bool {
	if len(packet) > MTU && dontFragment {
		return false
	}
	h.sent++
	if ip, ok := ParseIPv4(packet); ok {
		ip.ID = h.sent
		packet = ip.Bytes()
	}
	for _, piece := range h.pieces(packet) {
		h.net.fromLAN(h, piece)
	}
	return true
}

// pieces cuts a packet for the link. Only fragments of IPv6 have a number.
func (h *memoryHost) pieces(packet []byte) [][]byte {
	if ip, ok := ParseIPv6(packet); ok && len(packet) > MTU {
		ip.ID = uint32(h.sent)
		return fragment6(ip, MTU)
	}
	return Fragment(packet, MTU)
}

// receive answers echo requests and hands replies and errors to the probes.
func (h *memoryHost) receive(packet []byte) {
	ip, ok := h.parts.Complete(packet)
	if !ok || ip.Destination != h.own(ip.Destination) {
		return
	}
	icmp, ok := ip.icmp()
	if !ok {
		return
	}
	id, seq := binary.BigEndian.Uint16(icmp[4:]), binary.BigEndian.Uint16(icmp[6:])
	switch kindOf(ip.Protocol, icmp) {
	case echoRequest:
		dontFragment := mustNotFragment(packet)
		if reply, err := EchoPacket(ip.Destination, ip.Source, true, id, seq, dontFragment, icmp[8:]); err == nil {
			h.transmit(reply, dontFragment)
		}
	case echoReply:
		if int(id) <= len(h.probes) && id > 0 {
			h.probes[id-1].answer(seq)
		}
	case tooBig:
		h.tooBig(icmp)
	}
}

// mustNotFragment reports whether an IPv4 packet says so of itself, as the answer to it then does.
func mustNotFragment(packet []byte) bool {
	ip, ok := ParseIPv4(packet)
	return ok && ip.DontFragment
}

// tooBig counts an ICMP error for the probe whose request it quotes.
func (h *memoryHost) tooBig(icmp []byte) {
	if id := int(quotedID(icmp)); id > 0 && id <= len(h.probes) {
		h.probes[id-1].result.TooBig++
	}
}

type memoryProbe struct {
	host     *memoryHost
	to       netip.Addr
	options  Ping
	id       uint16
	result   PingResult
	answered map[uint16]bool
	lastSent time.Time
	stopped  bool
}

func (p *memoryProbe) send() {
	if p.stopped || (p.options.Count > 0 && p.result.Sent == p.options.Count) {
		return
	}
	n := p.host.net
	p.result.Sent++
	p.lastSent = n.now
	data := make([]byte, p.options.Size)
	for i := range data {
		data[i] = byte(i)
	}
	packet, err := EchoPacket(p.host.own(p.to), p.to, false, p.id, uint16(p.result.Sent), p.options.DontFragment, data)
	if err == nil && !p.host.transmit(packet, p.options.DontFragment) {
		p.result.TooBig++
	}
	n.at(n.now.Add(p.options.Interval), p.send)
}

func (p *memoryProbe) answer(seq uint16) {
	if p.answered[seq] {
		p.result.Duplicates++
		return
	}
	p.answered[seq] = true
	p.result.Received++
}

func (p *memoryProbe) Done() bool {
	sent := p.stopped || (p.options.Count > 0 && p.result.Sent == p.options.Count)
	over := p.host.net.now.Sub(p.lastSent) >= patience
	return sent && (p.result.Received == p.result.Sent || over)
}

func (p *memoryProbe) Stop() PingResult {
	p.stopped = true
	p.host.net.Wait(context.Background(), patience, p.Done)
	return p.result
}

func (p *memoryProbe) Result() PingResult { return p.result }

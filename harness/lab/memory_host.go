package lab

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/google/gopacket/layers"
)

// memoryHost is a machine with just enough IP to send pings and answer them.
type memoryHost struct {
	net    *memoryNet
	name   string
	lan    string
	addr   netip.Addr
	probes []*memoryProbe
	parts  Reassembler
	sent   uint16 // packets, and so the identification of the last
}

func (h *memoryHost) Addr() netip.Addr { return h.addr }

var errNoIPv4 = errors.New("lab: a host sends whole IPv4 packets only")

// patience is how long a probe waits for its last answer.
const patience = time.Second

// Ping sends the first request at once and the others at the interval.
func (h *memoryHost) Ping(_ context.Context, to netip.Addr, o Ping) (Probe, error) {
	if !to.Is4() {
		return nil, errors.New("lab: the memory fabric's hosts speak IPv4")
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
	if _, ok := ParseIPv4(packet); !ok {
		return errNoIPv4
	}
	h.net.fromLAN(h, slices.Clone(packet))
	return nil
}

// transmit sends a packet as an IP stack does: numbered, and in fragments if it is longer than the link allows. It
// reports false if it must not be fragmented.
func (h *memoryHost) transmit(packet []byte) bool {
	ip, ok := ParseIPv4(packet)
	if !ok || len(packet) > MTU && ip.DontFragment {
		return false
	}
	h.sent++
	ip.ID = h.sent
	for _, piece := range Fragment(ip.Bytes(), MTU) {
		h.net.fromLAN(h, piece)
	}
	return true
}

// receive answers echo requests and hands replies and errors to the probes.
func (h *memoryHost) receive(packet []byte) {
	ip, ok := ParseIPv4(packet)
	if !ok || ip.Destination != h.addr {
		return
	}
	if ip, ok = h.parts.Add(ip); !ok || ip.Protocol != 1 || len(ip.Payload) < 8 || Checksum(ip.Payload) != 0 {
		return
	}
	id, seq := uint16(ip.Payload[4])<<8|uint16(ip.Payload[5]), uint16(ip.Payload[6])<<8|uint16(ip.Payload[7])
	switch ip.Payload[0] {
	case layers.ICMPv4TypeEchoRequest:
		if reply, err := EchoPacket(h.addr, ip.Source, true, id, seq, ip.DontFragment, ip.Payload[8:]); err == nil {
			h.transmit(reply)
		}
	case layers.ICMPv4TypeEchoReply:
		if int(id) <= len(h.probes) && id > 0 {
			h.probes[id-1].answer(seq)
		}
	case layers.ICMPv4TypeDestinationUnreachable:
		h.tooBig(ip.Payload)
	}
}

// tooBig counts an ICMP "fragmentation needed" for the probe whose request it quotes.
func (h *memoryHost) tooBig(icmp []byte) {
	const quoted, icmpID = 8, 20 + 4
	if icmp[1] != layers.ICMPv4CodeFragmentationNeeded || len(icmp) < quoted+icmpID+2 {
		return
	}
	id := int(icmp[quoted+icmpID])<<8 | int(icmp[quoted+icmpID+1])
	if id > 0 && id <= len(h.probes) {
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
	packet, err := EchoPacket(p.host.addr, p.to, false, p.id, uint16(p.result.Sent), p.options.DontFragment, data)
	if err == nil && !p.host.transmit(packet) {
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

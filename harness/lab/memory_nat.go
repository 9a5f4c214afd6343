package lab

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

// memoryNAT is the NAT of the memory fabric. The time comes in.
type memoryNAT struct {
	hidden
	forward  bool // to a key server behind it
	mappings []*natMapping
	next     uint16
	timeout  time.Duration
}

// natMapping is a port of the NAT and what it stands for.
type natMapping struct {
	inner, peer netip.AddrPort
	port        uint16
	used        time.Time // by a packet from inside, the only ones that keep it (RFC 4787 §4.3)
}

// newMemoryNAT makes the NAT of a plan.
func newMemoryNAT(p Plan) *memoryNAT {
	return &memoryNAT{hidden: p.hidden(), forward: p.HideKeyServer, next: natFirst}
}

// Expire has mappings end when nothing was sent through them for so long; 0 means never.
func (n *memoryNAT) Expire(after time.Duration) error {
	n.timeout = after
	return nil
}

// Forget ends all mappings.
func (n *memoryNAT) Forget() error {
	n.mappings = nil
	return nil
}

// out translates a packet from inside; it reports false for one that does not pass.
func (n *memoryNAT) out(now time.Time, packet []byte) ([]byte, bool) {
	ip, from, to, ok := natUDP(packet)
	if !ok || to.Addr().IsMulticast() {
		return nil, false
	}
	n.expire(now)
	m := n.mapping(func(m *natMapping) bool { return m.inner == from && m.peer == to })
	if m == nil {
		m = n.add(from, to, n.next)
		n.next++
	}
	m.used = now
	ip.Source = NATAddr
	return retarget(ip, 0, m.port), true
}

// in translates a packet from the WAN; it reports false for one that nobody inside has asked for.
func (n *memoryNAT) in(now time.Time, packet []byte) ([]byte, bool) {
	ip, from, to, ok := natUDP(packet)
	if !ok {
		return nil, false
	}
	n.expire(now)
	m := n.mapping(func(m *natMapping) bool { return m.port == to.Port() && m.peer == from })
	if m == nil && n.forward && slices.Contains(natForwarded, to.Port()) {
		m = n.add(netip.AddrPortFrom(KeyServerAddr, to.Port()), from, to.Port())
		m.used = now
	}
	if m == nil {
		return nil, false
	}
	ip.Destination = m.inner.Addr()
	return retarget(ip, 2, m.inner.Port()), true
}

// mapping is the one of which that is true, or nil.
func (n *memoryNAT) mapping(is func(*natMapping) bool) *natMapping {
	if at := slices.IndexFunc(n.mappings, is); at >= 0 {
		return n.mappings[at]
	}
	return nil
}

func (n *memoryNAT) add(inner, peer netip.AddrPort, port uint16) *natMapping {
	m := &natMapping{inner: inner, peer: peer, port: port}
	n.mappings = append(n.mappings, m)
	return m
}

func (n *memoryNAT) expire(now time.Time) {
	n.mappings = slices.DeleteFunc(n.mappings, func(m *natMapping) bool { return n.timeout > 0 && now.Sub(m.used) >= n.timeout })
}

// natUDP reads a packet that can be translated.
func natUDP(packet []byte) (ip IPv4, from, to netip.AddrPort, ok bool) {
	if ip, ok = ParseIPv4(packet); !ok {
		return ip, from, to, false
	}
	from, to, _, ok = ip.UDP()
	return ip, from, to, ok
}

// retarget writes a port into the UDP header at that place, and what the checksum is then. A packet without one stays without.
func retarget(ip IPv4, at int, port uint16) []byte {
	const checksum = 6
	u := slices.Clone(ip.Payload)
	had := binary.BigEndian.Uint16(u[checksum:]) != 0
	binary.BigEndian.PutUint16(u[at:], port)
	binary.BigEndian.PutUint16(u[checksum:], 0)
	ip.Payload = u
	if had {
		sum := ip.Packet().checksum()
		if sum == 0 {
			sum = 0xffff // 0 says that there is none (RFC 768)
		}
		binary.BigEndian.PutUint16(u[checksum:], sum)
	}
	return ip.Bytes()
}

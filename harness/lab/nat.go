package lab

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// NATAddr is the address on the WAN of the NAT that members may be behind.
var NATAddr = netip.MustParseAddr("192.0.2.254")

// NATLink is the name of the links between members and their NAT in a capture. What crosses the WAN has the NAT's address there.
const NATLink = "nat"

// natMAC is the NAT's address on the Ethernet of the netns fabric.
var natMAC = net.HardwareAddr{0x02, 0, 0, 0, 0x0a, 0x7a}

// natFirst is the first port that a NAT hands out: none that a member uses itself, so that every mapping shows.
const natFirst = 40000

// NAT is a masquerading NAT for UDP over IPv4, between members and the WAN: everything that they send leaves with its address and
// a port of its own choice, another for each peer, and only that peer's packets come in there (RFC 4787 §4 and §5 call that
// address and port-dependent). Other packets do not pass. It is the same on all fabrics: the time comes in.
type NAT struct {
	mu       sync.Mutex
	behind   map[netip.Addr]bool
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

// newNAT makes a NAT in front of these members.
func newNAT(members []int) *NAT {
	n := &NAT{behind: make(map[netip.Addr]bool), next: natFirst}
	for _, i := range members {
		n.behind[MemberAddr(i)] = true
	}
	return n
}

// Hides reports whether a node of that address is behind the NAT.
func (n *NAT) Hides(a netip.Addr) bool { return n.behind[a] }

// Expire has mappings end when nothing was sent through them for so long; 0 means never.
func (n *NAT) Expire(after time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.timeout = after
}

// Forget ends all mappings, as a restart does: what is sent next gets other ports.
func (n *NAT) Forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mappings = nil
}

// out translates a packet from inside; it reports false for one that does not pass.
func (n *NAT) out(now time.Time, packet []byte) ([]byte, bool) {
	ip, from, to, ok := natUDP(packet)
	if !ok {
		return nil, false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.expire(now)
	at := slices.IndexFunc(n.mappings, func(m *natMapping) bool { return m.inner == from && m.peer == to })
	if at < 0 {
		at = len(n.mappings)
		n.mappings = append(n.mappings, &natMapping{inner: from, peer: to, port: n.next})
		n.next++
	}
	n.mappings[at].used = now
	ip.Source = NATAddr
	return retarget(ip, 0, n.mappings[at].port), true
}

// in translates a packet from the WAN; it reports false for one that nobody inside has asked for.
func (n *NAT) in(now time.Time, packet []byte) ([]byte, bool) {
	ip, from, to, ok := natUDP(packet)
	if !ok {
		return nil, false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.expire(now)
	at := slices.IndexFunc(n.mappings, func(m *natMapping) bool { return m.port == to.Port() && m.peer == from })
	if at < 0 {
		return nil, false
	}
	ip.Destination = n.mappings[at].inner.Addr()
	return retarget(ip, 2, n.mappings[at].inner.Port()), true
}

func (n *NAT) expire(now time.Time) {
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

// natt reports whether a station takes part in NAT traversal, and so listens on port 4500 too.
func (s Station) natt() bool {
	if s.KS != nil {
		return s.KS.Phase1.NATTraversal
	}
	return s.GM.Phase1.NATTraversal
}

// listens reports whether a station takes key management on a port.
func (s Station) listens(port uint16) bool { return port == Port || port == natt.Port && s.natt() }

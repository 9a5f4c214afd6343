package lab

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/peer"
)

// Memory is the fabric without a kernel: every node is a core, every link a queue, the clock virtual.
type Memory struct{}

var (
	_ Fabric = Memory{}
	_ Router = (*memoryNet)(nil)
)

// Name returns "memory".
func (Memory) Name() string { return "memory" }

// Lacks says that there is no kernel here.
func (Memory) Lacks(n Need) string {
	if n == NeedKernel {
		return "the memory fabric has no kernel; use the netns fabric, which needs root"
	}
	return ""
}

// CannotStart says that a device has to be a core here.
func (Memory) CannotStart(device *peer.Role) string {
	if _, ok := device.Core(); !ok {
		return "the memory fabric runs cores of this program only, and " + device.Device + " as " + device.Is.String() + " is none (" + device.At + ")"
	}
	return ""
}

// Check finds nothing: a core's manifest is checked when it is read.
func (Memory) Check(*peer.Manifest) error { return nil }

// The memory fabric's epoch and the time a packet takes on a link.
var memoryEpoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	wanDelay = time.Millisecond
	lanDelay = 100 * time.Microsecond
)

// Open makes an empty network at the epoch.
func (Memory) Open(_ context.Context, plan Plan) (Net, error) {
	n := &memoryNet{plan: plan, stations: make(map[netip.Addr]*memoryNode), hosts: make(map[string]*memoryHost), listeners: make(map[netip.Addr][]listener),
		indexes: make(map[string]int), behind: make(map[netip.Prefix]int), members: make([]*memoryNode, plan.Members+1)}
	n.schedule = newSchedule(memoryEpoch)
	if other, ok := plan.Beside.(*memoryNet); ok {
		n.schedule = other.schedule
	}
	n.nat = newMemoryNAT(plan)
	for i := 1; i <= plan.Members; i++ {
		n.addMember(i)
	}
	return n, nil
}

// addMember enters the names and networks of member i, so that nobody has to look through all members later.
func (n *memoryNet) addMember(i int) {
	n.indexes[MemberName(i)] = i
	n.behind[MemberLAN(i)] = i
	if n.plan.IPv6 {
		n.behind[MemberLAN6(i)] = i
	}
	if !n.plan.Hosts {
		return
	}
	h := &memoryHost{net: n, name: HostName(i), lan: LANName(i), member: i, addr: HostAddr(i)}
	if n.plan.IPv6 {
		h.addr6 = HostAddr6(i)
	}
	n.hosts[h.name] = h
}

// memoryNet is one network. Everything happens on the goroutine that waits.
type memoryNet struct {
	*schedule
	plan      Plan
	nodes     []*memoryNode             // in the order of their start
	listeners map[netip.Addr][]listener // by the multicast group, in the order of the nodes
	starts    starts
	stations  map[netip.Addr]*memoryNode
	indexes   map[string]int       // of members, by their names
	behind    map[netip.Prefix]int // index of the member in front of each LAN
	members   []*memoryNode        // by index; nil until it starts
	hosts     map[string]*memoryHost
	nat       *memoryNAT
	frames    pile[capture.Frame]
	arrived   arrival
	intercept func(*Crossing)
}

func (n *memoryNet) Now() time.Time               { return n.now }
func (n *memoryNet) Frames() []capture.Frame      { return n.frames.all() }
func (n *memoryNet) Intercept(f func(*Crossing))  { n.intercept = f }
func (n *memoryNet) NAT() NAT                     { return n.nat }
func (n *memoryNet) Inject(from string, p []byte) { n.cross(from, slices.Clone(p)) }
func (n *memoryNet) record(link, note string, p []byte) {
	n.frames.add(capture.Frame{At: n.now, Link: link, Packet: p, Note: note})
}

func (n *memoryNet) Host(name string) (Host, error) {
	if h, ok := n.hosts[name]; ok {
		return h, nil
	}
	return nil, fmt.Errorf("lab: there is no host %q", name)
}

func (n *memoryNet) Wait(ctx context.Context, limit time.Duration, condition func() bool) bool {
	end := n.now.Add(limit)
	for !condition() {
		if ctx.Err() != nil {
			return false
		}
		if !n.step(end) {
			n.now = end
			return condition()
		}
	}
	return true
}

func (n *memoryNet) Close() error {
	for _, node := range n.nodes {
		node.stopped = true
	}
	return nil
}

// cross carries a packet over the WAN, through the interceptor, into the capture and to whom it is addressed.
func (n *memoryNet) cross(from string, packet []byte) {
	if len(n.nat.hidden) > 0 && n.nat.Hides(n.addressOf(from)) {
		translated, ok := n.leaveNAT(packet)
		if !ok {
			return
		}
		from, packet = NATName, translated
	}
	if n.intercept == nil {
		n.arrive(wanDelay, from, "", packet)
		return
	}
	c := Crossing{At: n.now, From: from, Packet: packet}
	n.intercept(&c)
	if c.Drop {
		n.record("wan", note(c.Note, "withheld on the wire"), c.Packet)
		return
	}
	for copies := 0; copies <= c.Copies; copies++ {
		n.arrive(wanDelay+c.Delay, from, c.Note, c.Packet)
	}
}

// arrive has a packet be on the WAN after a while.
func (n *memoryNet) arrive(after time.Duration, from, note string, packet []byte) {
	n.at(n.now.Add(after), func() {
		n.record("wan", note, packet)
		n.deliver(from, packet)
	})
}

func note(own, otherwise string) string {
	if own != "" {
		return own
	}
	return otherwise
}

// deliver routes as the WAN does: to the node that has the address, to every node that joined the group, or to the
// member in front of the host.
func (n *memoryNet) deliver(from string, packet []byte) {
	ip, ok := Parse(packet)
	switch {
	case !ok, n.nat.Hides(ip.Destination): // nobody on the WAN has a route there
		return
	case ip.Destination == NATAddr:
		n.deliverNAT(packet)
	case ip.Destination.IsMulticast():
		n.deliverToGroup(from, ip, packet)
	case n.stations[ip.Destination] != nil:
		n.stations[ip.Destination].receive(ip, packet)
	case len(packet) > MTU:
		return // nobody fragments on the way here, and the sender has no business relying on it
	default:
		if node := n.members[n.behind[lanOf(ip.Destination)]]; node != nil {
			node.receive(ip, packet)
		}
	}
}

// addressOf is where the plan has a node on the WAN.
func (n *memoryNet) addressOf(node string) netip.Addr {
	if node == KeyServerName {
		return KeyServerAddr
	}
	return MemberAddr(n.indexes[node])
}

// leaveNAT records a packet from inside and returns it as it leaves the NAT. It reports false for one that does not: what is
// for a neighbour inside goes there, what is no UDP nowhere.
func (n *memoryNet) leaveNAT(packet []byte) ([]byte, bool) {
	n.record(NATLink, "", packet)
	ip, ok := Parse(packet)
	if !ok || !n.nat.Hides(ip.Destination) {
		return n.nat.out(n.now, packet)
	}
	n.at(n.now.Add(wanDelay), func() {
		if s := n.stations[ip.Destination]; s != nil {
			s.receive(ip, packet)
		}
	})
	return nil, false
}

// deliverNAT takes a packet through the NAT to who is behind it.
func (n *memoryNet) deliverNAT(packet []byte) {
	inner, ok := n.nat.in(n.now, packet)
	if !ok {
		return
	}
	n.record(NATLink, "", inner)
	if ip, ok := Parse(inner); ok && n.stations[ip.Destination] != nil {
		n.stations[ip.Destination].receive(ip, inner)
	}
}

// lanOf is the LAN that an address would be on.
func lanOf(a netip.Addr) netip.Prefix {
	if a.Is4() {
		return netip.PrefixFrom(a, MemberLAN(1).Bits()).Masked()
	}
	return netip.PrefixFrom(a, MemberLAN6(1).Bits()).Masked()
}

// toLAN carries a packet from a member to its host.
func (n *memoryNet) toLAN(member int, packet []byte) {
	h := n.hosts[HostName(n.hostOf(member, packet))]
	if h == nil {
		return
	}
	n.at(n.now.Add(lanDelay), func() {
		n.record(h.lan, "", packet)
		h.receive(packet)
	})
}

// hostOf is the host that a packet is for which a member sends inside: its own, or h1 if the member stands before that too.
func (n *memoryNet) hostOf(member int, packet []byte) int {
	if ip, ok := Parse(packet); ok && n.plan.SecondGateway && n.plan.standsBefore(member) && ip.Destination == HostAddr(1) {
		return 1
	}
	return member
}

// Prefer has packets to and from h1 go through another gateway.
func (n *memoryNet) Prefer(member int) error {
	h := n.hosts[HostName(1)]
	if h == nil || !n.plan.standsBefore(member) {
		return errNoGateway
	}
	h.member, n.behind[MemberLAN(1)] = member, member
	return nil
}

// fromLAN carries a packet from a host to its member.
func (n *memoryNet) fromLAN(h *memoryHost, packet []byte) {
	n.at(n.now.Add(lanDelay), func() {
		n.record(h.lan, "", packet)
		if node := n.members[h.member]; node != nil {
			node.fromInside(packet)
		}
	})
}

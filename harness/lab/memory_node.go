package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/cores"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/snmp"
	"github.com/gdoilab/gdoilab/reference/syslog"
)

// memoryNode drives one core on the memory fabric, as package node does with real sockets.
type memoryNode struct {
	net     *memoryNet
	name    string
	core    core.Core
	device  *memoryNode // whose place in a VRF this is; nil: it is a node of its own
	agent   *snmp.Agent // nil: it has none
	joined  []core.Stream
	wakeup  time.Time          // of the timer entry that counts; others are out of date
	ring    func()             // what an entry does
	told    pile[toldLine]     // what has no line yet
	learnt  pile[learntSecret] // what has no entry yet
	ahead   time.Duration      // the time of day of log lines is ahead of the network's
	index   int                // of a member, from 1
	place   int                // among the nodes of its network
	stopped bool

	station   Station
	addresses []netip.Addr
	vrf       string        // of the device, in which this place is
	tables    []*memoryNode // the node's places in VRFs
	notices   notices
	log       []string // lines
	keys      []keylog.Entry
	replies   map[uint64]*core.Reply
	asked     uint64
}

// Start makes the core and gives it its first event.
func (n *memoryNet) Start(_ context.Context, s Station) (Node, error) {
	c, err := newCore(n.starts.seed(n.plan.Seed, s.Name), s)
	if err != nil {
		return nil, err
	}
	node := n.newNode(s)
	node.core = c
	if err := node.manage(); err != nil {
		return nil, err
	}
	if err := n.settle(node); err != nil {
		return nil, err
	}
	for _, t := range s.Tables {
		if err := node.standIn(t); err != nil {
			return nil, err
		}
	}
	node.handle(&core.Start{})
	return node, nil
}

func (n *memoryNet) newNode(s Station) *memoryNode {
	node := &memoryNode{net: n, name: s.Name, station: s, index: n.indexes[s.Name], addresses: s.addresses(),
		replies: make(map[uint64]*core.Reply)}
	node.ring = node.wake
	return node
}

// settle enters a node where its packets are looked for.
func (n *memoryNet) settle(node *memoryNode) error {
	for _, addr := range node.addresses {
		if old := n.stations[addr]; old != nil && !old.stopped {
			return fmt.Errorf("lab: %s is in use by %s", addr, old.name)
		}
	}
	for _, addr := range node.addresses {
		n.stations[addr] = node
	}
	if node.index > 0 {
		n.members[node.index] = node
	}
	node.place = len(n.nodes)
	n.nodes = append(n.nodes, node)
	return nil
}

// newCore makes the core of a station, where no kernel decrements the TTL of what a member forwards.
func newCore(seed string, s Station) (core.Core, error) {
	if s.Device == nil {
		return newTester(seed, s, true)
	}
	if why := (Memory{}).CannotStart(s.Device); why != "" {
		return nil, errors.New("lab: " + why)
	}
	rules, err := peer.Switches(s.Mutants)
	if err != nil {
		return nil, err
	}
	device, _ := s.Device.Core()
	options := cores.Options{Rand: keymat.Seeded(seed, s.Name), Rules: rules, Forwarding: true}
	if s.KS != nil {
		return device.KeyServer(*s.KS, options)
	}
	return device.Member(*s.GM, options)
}

// handle gives the core an event, does what it wants, and sees to its next deadline.
func (node *memoryNode) handle(ev core.Event) {
	if node.stopped {
		return
	}
	device := node
	if node.device != nil {
		device, ev = node.device, &core.EventIn{VRF: node.vrf, Event: ev}
	}
	for _, effect := range device.core.Handle(device.net.now, ev) {
		if in, ok := effect.(*core.EffectIn); ok {
			device.placeIn(in.VRF).carryOut(in.Effect)
		} else {
			device.carryOut(effect)
		}
	}
	device.arm()
	if device.agent != nil {
		device.notify()
	}
}

func (node *memoryNode) carryOut(effect core.Effect) {
	n := node.net
	switch e := effect.(type) {
	case *core.Send:
		if packet, err := UDPPacket(e.From, e.To, 64, e.Data); err == nil {
			n.cross(node.name, packet)
		}
	case *core.Forward:
		packet := slices.Clone(e.Data)
		if e.To == core.Outside {
			n.cross(node.name, packet)
		} else {
			n.toLAN(node.index, packet)
		}
	case *core.Join:
		if !slices.Contains(node.joined, e.Stream) {
			node.joined = append(node.joined, e.Stream)
			n.listen(node, e.Stream)
		}
		node.report(e.Group)
	case *core.Leave:
		node.joined = slices.DeleteFunc(node.joined, func(s core.Stream) bool { return s == e.Stream })
		n.deafen(node, e.Stream)
		node.report(e.Group)
	case *core.Log:
		node.told.add(toldLine{n.now.Add(node.ahead), e})
		if node.agent != nil {
			node.notices.lines = append(node.notices.lines, e)
		}
	case *core.SetClock:
		node.ahead = e.Time.Sub(n.now)
	case *core.Secret:
		node.learnt.add(learntSecret{n.now, e})
	case *core.Reply:
		node.replies[e.ID] = e
	}
}

// report tells the WAN, as an IP stack does, whether the node is in a group now.
func (node *memoryNode) report(group netip.Addr) {
	from := netip.IPv4Unspecified()
	for _, a := range node.addresses {
		if a.Is4() {
			from = a
		}
	}
	wants := false
	for _, s := range node.joined {
		wants = wants || s.Group == group
	}
	node.net.cross(node.name, Report{group, wants}.packet(from))
}

// arm enters the core's deadline, unless an entry for that very time waits already.
func (node *memoryNode) arm() {
	at, ok := node.core.Deadline()
	if !ok {
		node.wakeup = time.Time{}
		return
	}
	if at.Before(node.net.now) {
		at = node.net.now
	}
	if at.Equal(node.wakeup) {
		return
	}
	node.wakeup = at
	node.net.at(at, node.ring)
}

// wake tells the core that its deadline has come, if the entry of now is the one that counts.
func (node *memoryNode) wake() {
	if node.wakeup.Equal(node.net.now) {
		node.wakeup = time.Time{}
		node.handle(&core.Timer{})
	}
}

// receive takes a packet from the WAN: key management for the node itself, anything else for its gateway.
func (node *memoryNode) receive(ip Packet, packet []byte) {
	if from, to, data, ok := ip.UDP(); ok && (to.Addr().IsMulticast() || node.net.stations[to.Addr()] == node) {
		if node.station.listens(to.Port()) && ip.intact() {
			node.handle(node.net.arrived.datagram(from, to, data, ip.TOS))
		}
		return
	}
	if node.index > 0 {
		node.handle(node.net.arrived.packet(core.Outside, packet))
	}
}

// arrival is the event of what has just arrived and its octets, the same ones each time: a core keeps neither (see core.Event), and may
// change octets of which the capture has others.
type arrival struct {
	ofDatagram core.Datagram
	ofPacket   core.Packet
	octets     []byte
}

func (a *arrival) datagram(from, to netip.AddrPort, data []byte, tos uint8) *core.Datagram {
	a.octets = append(a.octets[:0], data...)
	a.ofDatagram = core.Datagram{From: from, To: to, Data: a.octets, TOS: tos}
	return &a.ofDatagram
}

func (a *arrival) packet(from core.Side, data []byte) *core.Packet {
	a.octets = append(a.octets[:0], data...)
	a.ofPacket = core.Packet{From: from, Data: a.octets}
	return &a.ofPacket
}

func (node *memoryNode) fromInside(packet []byte) {
	node.handle(node.net.arrived.packet(core.Inside, packet))
}

var errNoAnswer = errors.New("lab: the node does not answer")

func (node *memoryNode) Do(_ context.Context, command string, args any) (control.Response, error) {
	if node.stopped {
		return control.Response{}, fmt.Errorf("%w: %s has stopped", errNoAnswer, node.name)
	}
	var raw json.RawMessage
	if args != nil {
		encoded, err := json.Marshal(args)
		if err != nil {
			return control.Response{}, fmt.Errorf("lab: arguments of %s: %w", command, err)
		}
		raw = encoded
	}
	device := node
	if node.device != nil {
		device = node.device
	}
	device.asked++
	id := device.asked
	node.handle(node.asTable(&core.Command{ID: id, Name: command, Args: raw}))
	reply, ok := device.replies[id]
	if !ok {
		return control.Response{}, fmt.Errorf("%w: %s to %s", errNoAnswer, command, node.name)
	}
	delete(device.replies, id)
	return control.Response{ID: id, Body: reply.Body, Error: reply.Err}, nil
}

// toldLine is what a node has logged. Most of it nobody reads, so lines are written when somebody asks for them.
type toldLine struct {
	at  time.Time
	log *core.Log
}

func (node *memoryNode) Log() []string {
	for _, t := range node.told.take() {
		node.log = append(node.log, syslog.Format(node.name, t.at, t.log))
	}
	return slices.Clone(node.log)
}

// learntSecret is what a node has told of its keys. Entries are made of it, as lines are, when somebody asks for them.
type learntSecret struct {
	at     time.Time
	secret *core.Secret
}

func (node *memoryNode) Keys() []keylog.Entry {
	for _, s := range node.learnt.take() {
		node.keys = append(node.keys, keylog.Of(node.name, s.at, s.secret)...)
	}
	return slices.Clone(node.keys)
}

func (node *memoryNode) Stop() error {
	for _, t := range node.tables {
		t.stopped = true
	}
	node.stopped = true
	return nil
}

// Config returns the policy that a device was given as a value, as it would stand in a file.
func (node *memoryNode) Config() ([]peer.File, error) { return node.station.policyFiles() }

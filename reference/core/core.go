package core

import (
	"encoding/json"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Core is a protocol state machine. It is not safe for concurrent use.
type Core interface {
	// Handle takes one event and returns what is to be done, in order. The returned slice is valid until the next call.
	Handle(now time.Time, ev Event) []Effect
	// Deadline is when the core wants a *Timer event. It is asked for afresh after each Handle.
	Deadline() (time.Time, bool)
}

// Event is something that happened: *Start, *Datagram, *Packet, *Command, *Timer or *EventIn. Events are passed as pointers, are
// not kept, and their bytes may be reused by the caller after Handle returns.
type Event interface{ event() }

// Start is the first event of every core.
type Start struct{}

// Datagram is a UDP datagram that arrived. To is the local address, which for a multicast PUSH is the group's.
type Datagram struct {
	From, To netip.AddrPort
	Data     []byte
	TOS      uint8 // DSCP and ECN of the packet that it came in, if the driver knows them: they matter for ESP in UDP
}

// Side is one of the two sides of a group member that is a gateway.
type Side uint8

// The sides: Inside are the hosts it protects, Outside is the network that must not read them.
const (
	Inside Side = iota
	Outside
)

// String returns "inside" or "outside".
func (s Side) String() string {
	if s == Inside {
		return "inside"
	}
	return "outside"
}

// Packet is an IP packet to be forwarded that arrived from that side.
type Packet struct {
	From Side
	Data []byte
}

// Command is an operator's request; the core answers with a Reply that has the same ID. Package control names them.
type Command struct {
	ID   uint64
	Name string
	Args json.RawMessage
}

// Timer says that the deadline has been reached, or may have been.
type Timer struct{}

// EventIn is an event in one of several VRFs of a device. One without it is of the routing table that the device itself stands in.
type EventIn struct {
	VRF   string
	Event Event
}

func (*Start) event()    {}
func (*Datagram) event() {}
func (*Packet) event()   {}
func (*Command) event()  {}
func (*Timer) event()    {}
func (*EventIn) event()  {}

// Effect is something to be done: *Send, *Forward, *Join, *Leave, *Log, *Reply, *Secret, *Track, *SetClock or *EffectIn.
type Effect interface{ effect() }

// Send is a UDP datagram to be sent. From has the local address and port.
type Send struct {
	From, To netip.AddrPort
	Data     []byte
	Kind     Kind
}

// Forward is an IP packet to be sent out of that side. Its bytes are valid until the next Handle.
type Forward struct {
	To   Side
	Data []byte
}

// Stream is what comes of a multicast group: on the named interface, "" being that of the node's own address, from one source
// or, if that is invalid, from any.
type Stream struct {
	Group     netip.Addr
	Interface string
	Source    netip.Addr
}

// Join asks for the datagrams of a stream, Leave ends it.
type Join struct{ Stream }

// Leave ends a Join of the same stream.
type Leave struct{ Stream }

// Severity is that of syslog (RFC 5424 §6.2.1).
type Severity uint8

// The severities in use.
const (
	Alert   Severity = 1
	Error   Severity = 3
	Warning Severity = 4
	Notice  Severity = 5
	Info    Severity = 6
	Debug   Severity = 7
)

// Log is a line for the operator. Tag is a short constant in capitals such as REGISTERED, by which a reader finds it;
// Requirement is set when a guard refused something; Fields are pairs of name and value in a fixed order.
type Log struct {
	Severity    Severity
	Tag         string
	Requirement rule.ID
	Text        string
	Fields      []Field
}

// Field is one named value of a Log.
type Field struct{ Name, Value string }

// Reply answers the Command of that ID: Body as JSON, or Err.
type Reply struct {
	ID   uint64
	Body json.RawMessage
	Err  string
}

// Track tells the state of a tracked object: UP while the member has a key for the group's traffic. Whoever chooses routes goes by it.
type Track struct {
	Group  uint32
	Number int
	Up     bool
}

// SetClock sets the time of day that log lines have from now on. The time of events goes on as it was.
type SetClock struct{ Time time.Time }

// EffectIn is something to be done in one of several VRFs of a device; see EventIn.
type EffectIn struct {
	VRF    string
	Effect Effect
}

// Secret hands out key material for evidence. Only a node that was asked for a key log writes it anywhere.
type Secret struct {
	Phase1  *Phase1Secret
	Rekey   *policy.RekeySA
	Traffic *policy.TrafficSA
	SIDs    *policy.SIDs
	Group   uint32 // of Rekey, Traffic and SIDs
}

// Phase1Secret is what a reader of a capture needs to decrypt and check Phase 1 and the PULLs under it.
type Phase1Secret struct {
	InitiatorCookie, ResponderCookie [8]byte
	SKEYID, SKEYIDd, SKEYIDa         []byte
	SKEYIDe                          []byte
	CipherKey                        []byte
	FirstIV                          []byte // of Main Mode 5
	Shared                           []byte // g^xy, from which SKEYID_d, _a and _e follow (RFC 2409 §5)
}

func (*Send) effect()     {}
func (*Forward) effect()  {}
func (*Join) effect()     {}
func (*Leave) effect()    {}
func (*Log) effect()      {}
func (*Reply) effect()    {}
func (*Secret) effect()   {}
func (*Track) effect()    {}
func (*SetClock) effect() {}
func (*EffectIn) effect() {}

package policy

import (
	"cmp"
	"strconv"
	"time"

	"github.com/gdoilab/gdoilab/reference/pseudotime"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// ReplayMethod is how the members of a group know packets that are repeated (profile getvpn).
type ReplayMethod uint8

// The methods. ReplayUnsaid stands for counters, which is what a device has that was told nothing.
const (
	ReplayUnsaid  ReplayMethod = iota
	ReplayCounter              // by sequence numbers, which serves two members
	ReplayTime                 // by the sender's pseudotime in each packet
	ReplayNone
)

// What stands for a zero in AntiReplay.
const (
	DefaultReplayWindow = 64
	DefaultTimeWindow   = 100 * time.Second
	DefaultTick         = pseudotime.Unit
)

// AntiReplay is the protection of an SA against packets that are repeated (profile getvpn). The zero value is that by counters.
type AntiReplay struct {
	Method  ReplayMethod
	Counter int           // of ReplayCounter: packets of the window; 0 means 64
	Window  time.Duration // of ReplayTime: how far a stamp may lie from the receiver's pseudotime; 0 means 100 s
	Tick    time.Duration // of ReplayTime: packets within one have the same stamp; 0 means 10 ms
}

// Packets is the size of the window over sequence numbers; 0 if there is none.
func (a AntiReplay) Packets() int {
	if a.Method == ReplayUnsaid || a.Method == ReplayCounter {
		return cmp.Or(a.Counter, DefaultReplayWindow)
	}
	return 0
}

// Time is the window around the pseudotime; 0 if there is none.
func (a AntiReplay) Time() time.Duration {
	if a.Method == ReplayTime {
		return cmp.Or(a.Window, DefaultTimeWindow)
	}
	return 0
}

// Ticks is the length of a tick of the pseudotime.
func (a AntiReplay) Ticks() time.Duration { return cmp.Or(a.Tick, DefaultTick) }

// Words are the method and its window as an operator reads them: "counter" and "64", "time" and "100s", or "none".
func (a AntiReplay) Words() (method, window string) {
	switch {
	case a.Packets() > 0:
		return "counter", strconv.Itoa(a.Packets())
	case a.Time() > 0:
		return "time", yamldoc.Duration(a.Time())
	}
	return "none", ""
}

// ReplayAttributes are the numbers of the attributes of a SAT that tell of anti-replay and tags. Cisco has not published its own.
// 0 means the one of DefaultReplayAttributes.
type ReplayAttributes struct {
	Counter    uint16 // packets of the window over sequence numbers; 0 switches it off
	Window     uint16 // seconds of the window around the pseudotime
	Tick       uint16 // milliseconds
	Pseudotime uint16 // hundredths of a second, of eight octets
	Tag        uint16 // 1: packets carry the tag of their security group
}

// DefaultReplayAttributes are the first of the numbers for private use (RFC 2407 §6.2).
var DefaultReplayAttributes = ReplayAttributes{Counter: 32001, Window: 32002, Tick: 32003, Pseudotime: 32004, Tag: 32005}

// TagMethod is how packets carry the tag of their security group, as an operator reads it.
func (r ReplaySA) TagMethod() string {
	if r.Tagged {
		return "cts sgt"
	}
	return "disabled"
}

// Complete fills in the default numbers.
func (a ReplayAttributes) Complete() ReplayAttributes {
	d := DefaultReplayAttributes
	return ReplayAttributes{Counter: cmp.Or(a.Counter, d.Counter), Window: cmp.Or(a.Window, d.Window), Tick: cmp.Or(a.Tick, d.Tick),
		Pseudotime: cmp.Or(a.Pseudotime, d.Pseudotime), Tag: cmp.Or(a.Tag, d.Tag)}
}

// list returns the numbers.
func (a ReplayAttributes) list() []uint16 {
	return []uint16{a.Counter, a.Window, a.Tick, a.Pseudotime, a.Tag}
}

// Metadata is how a member writes the headers that GET VPN puts between ESP and the packet inside, of which Cisco has not published
// the form.
type Metadata struct {
	Protocol uint8  // number in the Next Header of ESP; 0 means 99
	Length   int    // octets of a header with a pseudotime: 12 as on IOS, or 16 as on IOS XE; 0 means 12
	Tag      uint16 // of the packets of its hosts, where an SA asks for one
	Lacking  bool   // the member has nothing that makes such headers, and takes no SA with time-based anti-replay
}

// ReplaySA is what a SAT tells under the profile getvpn beyond RFC 6407.
type ReplaySA struct {
	AntiReplay
	Pseudotime pseudotime.Stamp // of the key server when the SA was handed over; of ReplayTime
	Tagged     bool             // packets carry the tag of their security group
	Attributes ReplayAttributes // under which numbers it is told
}

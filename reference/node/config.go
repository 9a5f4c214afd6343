package node

import (
	"io"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/dataplane"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Config says what a node binds to what. Only Core and Listen are needed.
type Config struct {
	Name      string // the node's name in its log and key log
	Core      core.Core
	Namespace string           // path of the network namespace that it stands in; "": that of the thread that opens it
	Listen    netip.AddrPort   // unicast address and port; port 0 takes a free one
	NATT      bool             // listen on port 4500 too: of that address (RFC 3947 §4), and of all of the data plane (RFC 3948 §2)
	Also      []netip.AddrPort // further addresses of its own to listen at
	Interface string           // for multicast; "" is the one that has the address of Listen
	TTL       int              // of multicast datagrams; 0 means 64
	Control   string           // path of the Unix socket for operators; "" none
	Log       io.Writer        // one line each call; nil none
	LogFormat LogFormat
	Receiver  io.Writer                                              // of the log, too; one line each call without a line end; nil none
	Format    func(number uint64, now time.Time, l *core.Log) string // of lines for Receiver, which are numbered from 1
	Notes     []*core.Log                                            // what whoever configured the node has to say; logged at the start
	KeyLog    io.Writer                                              // one JSON object and newline each call; nil none
	DataPlane *DataPlane
	VRFs      []VRF             // where the core stands beside all that, of which events and effects are in a core.EventIn and core.EffectIn
	Told      func(*core.Log)   // hears every line of the log, under the lock of the core; it must not wait, nor keep the line. nil: nobody
	Track     func(*core.Track) // hears of tracked objects, likewise
}

// VRF is a further place of a node: another routing table, which is another network namespace.
type VRF struct {
	Name      string
	Namespace string // path; "": that of the calling thread
	Listen    netip.AddrPort
	NATT      bool
	DataPlane *DataPlane
}

// LogFormat is how log lines look.
type LogFormat uint8

// The log formats. LogSyslog is RFC 5424; LogText is for a person at a terminal.
const (
	LogSyslog LogFormat = iota
	LogText
)

// DataPlane makes a node forward packets.
type DataPlane struct {
	Device  dataplane.Config
	Gateway Gateway
	// Datagram takes a datagram to port 4500 that is for the data path, and reports whether it is; nil: the core takes all. Errors are those
	// of the Gateway.
	Datagram func(now time.Time, d *core.Datagram, emit func(to core.Side, packet []byte)) (taken bool, err error)
	// Refused tells the core of a packet that a guard refused, and returns what is to be done about it; nil tells nobody.
	Refused func(now time.Time, v *rule.Violation) []core.Effect
}

// Gateway is the packet path of a group member, as package gateway implements it. The node calls it, Datagram and Refused under
// the lock of the core. An error that is a *rule.Violation goes to Refused; packets with another error are just gone.
type Gateway interface {
	Handle(now time.Time, from core.Side, packet []byte, emit func(to core.Side, packet []byte)) error
}

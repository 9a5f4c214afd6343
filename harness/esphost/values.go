package esphost

import (
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/keylog"
)

// Port is the UDP port from which a host sends and to which it listens.
const Port = 4007

// The methods.
const (
	MethodPlace    = "place"
	MethodInstall  = "install"
	MethodSend     = "send"
	MethodReceived = "received"
)

// Place is where a host stands.
type Place struct {
	Interface string       `json:"interface"` // to the others, for a program in the namespace of the node
	Link      string       `json:"link"`      // its link address
	WAN       netip.Prefix `json:"wan"`       // its address there, and the network
	Inside    netip.Addr   `json:"inside"`    // the address that is protected, as if there were a LAN behind it
	Remotes   []Remote     `json:"remotes"`
	Groups    []netip.Addr `json:"groups,omitempty"` // of multicast, of which the host is a member
}

// Remote is a host to talk to.
type Remote struct {
	Host netip.Addr `json:"host"`
	Via  netip.Addr `json:"via"`  // its gateway
	Link string     `json:"link"` // the gateway's link address
}

// SA is a Data-Security SA, for both directions.
type SA struct {
	Keys   keylog.Entry `json:"keys"`             // a traffic entry
	Window int          `json:"window,omitempty"` // against replay, in packets; 0: none
	First  uint64       `json:"first,omitempty"`  // the first sequence number, to send and to receive; 0 means 1
}

// Datagram is one of UDP, between Ports.
type Datagram struct {
	From netip.Addr `json:"from"`
	To   netip.Addr `json:"to"`
	Data []byte     `json:"data"`
}

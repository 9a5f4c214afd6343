package dataplane

import (
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/core"
)

// Config says where packets come from. Interface names are looked up in the network namespace of the thread that opens.
type Config struct {
	Name     string         // of the daemon; the devices are called after it
	Inside   []string       // interfaces of the hosts behind the gateway
	Outside  []string       // interfaces of the network that must not read them
	Networks []netip.Prefix // behind the gateway; packets between them do not pass through it
}

// Handler takes one IPv4 packet that arrived from a side. Both the packet and what it emits may be reused by the owner
// after the call. It is called from one goroutine for each source of packets, so it locks what it shares.
type Handler func(from core.Side, packet []byte, emit func(to core.Side, packet []byte))

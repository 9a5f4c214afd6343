package control

import (
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// Flow is a selector in its parts. Zero means any, for protocol and ports; one of IEC 61850 has none of them.
type Flow struct {
	Source          netip.Prefix `json:"source,omitzero"`
	Destination     netip.Prefix `json:"destination,omitzero"`
	Protocol        uint8        `json:"protocol,omitempty"`
	SourcePort      uint16       `json:"source_port,omitempty"`
	DestinationPort uint16       `json:"destination_port,omitempty"`
}

// FlowOf takes a selector apart.
func FlowOf(s policy.Selector) Flow {
	return Flow{Source: s.Source, Destination: s.Destination, Protocol: s.Protocol, SourcePort: s.SourcePort, DestinationPort: s.DestinationPort}
}

// Ends are the addresses between which rekey messages travel.
type Ends struct {
	Source      netip.AddrPort `json:"source,omitzero"`
	Destination netip.AddrPort `json:"destination,omitzero"` // a multicast group; of unicast the unspecified address, for each member's own
}

// Keyed reports how many keys the member has for the group's traffic: those of different SPIs, of which each may protect several flows.
func (g GMGroup) Keyed() int {
	seen := make(map[string]bool)
	for _, sa := range g.SAs {
		seen[sa.SPI] = true
	}
	return len(seen)
}

package control

import (
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// Flow is a selector in its parts. Zero means any, for protocol and ports; one of IEC 61850 has none of them.
type Flow struct {
	Source          string `json:"source"`      // a prefix
	Destination     string `json:"destination"` // a prefix
	Protocol        uint8  `json:"protocol,omitempty"`
	SourcePort      uint16 `json:"source_port,omitempty"`
	DestinationPort uint16 `json:"destination_port,omitempty"`
}

// FlowOf takes a selector apart.
func FlowOf(s policy.Selector) Flow {
	f := Flow{Protocol: s.Protocol, SourcePort: s.SourcePort, DestinationPort: s.DestinationPort}
	if s.Traffic == (policy.OIDName{}) {
		f.Source, f.Destination = s.Source.String(), s.Destination.String()
	}
	return f
}

// Ends are the addresses between which rekey messages travel, with their ports.
type Ends struct {
	Source      string `json:"source"`
	Destination string `json:"destination"` // a multicast group; the unspecified address for unicast to each member
}

func endsOf(source, destination netip.AddrPort) Ends {
	return Ends{source.String(), destination.String()}
}

// Keyed reports how many keys the member has for the group's traffic: those of different SPIs, of which each may protect several flows.
func (g GMGroup) Keyed() int {
	seen := make(map[string]bool)
	for _, sa := range g.SAs {
		seen[sa.SPI] = true
	}
	return len(seen)
}

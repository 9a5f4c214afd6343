package control

import "net/netip"

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

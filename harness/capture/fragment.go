package capture

import (
	"cmp"
	"net/netip"
	"slices"
)

// maxParts bounds the fragments that are kept of one packet.
const maxParts = 256

// datagram names an IPv4 packet that travels in fragments (RFC 791 §3.2), on one link.
type datagram struct {
	link                string
	source, destination netip.Addr
	id                  uint16
	protocol            uint8
}

// reassembly puts fragmented packets together.
type reassembly map[datagram][]ipv4

// add takes a fragment and returns the whole packet once no part of it is missing. Overlapping parts never fit.
func (r reassembly) add(link string, p ipv4) (ipv4, bool) {
	key := datagram{link, p.source, p.destination, p.id, p.protocol}
	parts := append(r[key], p)
	if len(parts) > maxParts {
		delete(r, key)
		return ipv4{}, false
	}
	slices.SortStableFunc(parts, func(a, b ipv4) int { return cmp.Compare(a.offset, b.offset) })
	parts = slices.CompactFunc(parts, func(a, b ipv4) bool { return a.offset == b.offset })
	r[key] = parts
	whole := parts[0]
	whole.payload = nil
	for _, part := range parts {
		if part.offset != len(whole.payload) {
			return ipv4{}, false
		}
		whole.payload = append(whole.payload, part.payload...)
	}
	if parts[len(parts)-1].more {
		return ipv4{}, false
	}
	delete(r, key)
	whole.more = false
	return whole, true
}

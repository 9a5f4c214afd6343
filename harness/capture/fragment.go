package capture

import (
	"cmp"
	"net/netip"
	"slices"
)

// maxParts bounds the fragments that are kept of one packet.
const maxParts = 256

// datagram names a packet that travels in fragments (RFC 791 §3.2, RFC 8200 §4.5), on one link.
type datagram struct {
	link                string
	source, destination netip.Addr
	id                  uint32
	protocol            uint8 // of IPv4; in IPv6 only the first fragment tells it for sure
}

// reassembly puts fragmented packets together.
type reassembly map[datagram][]packet

// add takes a fragment and returns the whole packet once no part of it is missing. Overlapping parts never fit.
func (r reassembly) add(link string, p packet) (packet, bool) {
	key := datagram{link, p.source, p.destination, p.id, p.protocol}
	if p.version == 6 {
		key.protocol = 0
	}
	parts := append(r[key], p)
	if len(parts) > maxParts {
		delete(r, key)
		return packet{}, false
	}
	slices.SortStableFunc(parts, func(a, b packet) int { return cmp.Compare(a.offset, b.offset) })
	parts = slices.CompactFunc(parts, func(a, b packet) bool { return a.offset == b.offset })
	r[key] = parts
	whole := parts[0]
	whole.payload = nil
	for _, part := range parts {
		if part.offset != len(whole.payload) {
			return packet{}, false
		}
		whole.payload = append(whole.payload, part.payload...)
	}
	if parts[len(parts)-1].more {
		return packet{}, false
	}
	delete(r, key)
	whole.more = false
	return whole, whole.version == 4 || whole.unfragment() == nil
}

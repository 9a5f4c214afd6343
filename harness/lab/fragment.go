package lab

import (
	"net/netip"
	"slices"
)

// Fragment cuts a packet into pieces of at most mtu octets (RFC 791 §3.2). A packet that fits comes back as it is. Options
// are in the first piece only.
func Fragment(packet []byte, mtu int) [][]byte {
	whole, ok := ParseIPv4(packet)
	if !ok || len(packet) <= mtu {
		return [][]byte{packet}
	}
	var pieces [][]byte
	for rest := whole.Payload; len(rest) > 0; {
		piece := whole
		if len(pieces) > 0 {
			piece.Options = nil
		}
		n := len(rest)
		if room := mtu - ipv4Header - len(piece.Options); n > room {
			n = max(8, room&^7)
			piece.MoreFragments = true
		}
		piece.Offset += len(whole.Payload) - len(rest)
		piece.Payload, rest = rest[:n], rest[n:]
		pieces = append(pieces, piece.Bytes())
	}
	return pieces
}

// Reassembler puts packets together from their fragments, whatever order they come in. It trusts them not to overlap,
// and forgets nothing: it is for one lab. The zero value is ready for use.
type Reassembler struct {
	waiting map[fragmentKey][]IPv4
}

type fragmentKey struct {
	source, destination netip.Addr
	protocol            uint8
	id                  uint16
}

// Add takes a packet. It returns the packet itself if it is no fragment, and the whole one if it was the last fragment
// missing.
func (r *Reassembler) Add(p IPv4) (whole IPv4, ok bool) {
	if !p.Fragment {
		return p, true
	}
	key := fragmentKey{p.Source, p.Destination, p.Protocol, p.ID}
	if r.waiting == nil {
		r.waiting = make(map[fragmentKey][]IPv4)
	}
	parts := append(r.waiting[key], p)
	slices.SortStableFunc(parts, func(a, b IPv4) int { return a.Offset - b.Offset })
	r.waiting[key] = parts
	if whole, ok = join(parts); ok {
		delete(r.waiting, key)
	}
	return whole, ok
}

// join puts fragments in their order together, if none is missing.
func join(parts []IPv4) (whole IPv4, ok bool) {
	whole = parts[0]
	whole.Payload = nil
	for _, p := range parts {
		if p.Offset != len(whole.Payload) {
			return IPv4{}, false
		}
		whole.Payload = append(whole.Payload, p.Payload...)
	}
	whole.Fragment, whole.MoreFragments = false, false
	return whole, !parts[len(parts)-1].MoreFragments
}

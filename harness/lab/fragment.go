package lab

import (
	"net/netip"
	"slices"
)

// Fragment cuts a packet into pieces of at most mtu octets, as a sender or an IPv4 router does (RFC 791 §3.2, RFC 8200
// §4.5). A packet that fits comes back as it is. The options of an IPv4 packet are in the first piece only; the extension
// headers of an IPv6 packet are in all of them.
func Fragment(packet []byte, mtu int) [][]byte {
	if len(packet) <= mtu {
		return [][]byte{packet}
	}
	if whole, ok := ParseIPv4(packet); ok {
		return fragment4(whole, mtu)
	}
	if whole, ok := ParseIPv6(packet); ok {
		return fragment6(whole, mtu)
	}
	return [][]byte{packet}
}

func fragment4(whole IPv4, mtu int) (pieces [][]byte) {
	for rest := whole.Payload; len(rest) > 0; {
		piece := whole
		if len(pieces) > 0 {
			piece.Options = nil
		}
		n, more := cut(len(rest), mtu-ipv4Header-len(piece.Options))
		piece.MoreFragments = piece.MoreFragments || more
		piece.Offset += len(whole.Payload) - len(rest)
		piece.Payload, rest = rest[:n], rest[n:]
		pieces = append(pieces, piece.Bytes())
	}
	return pieces
}

func fragment6(whole IPv6, mtu int) (pieces [][]byte) {
	room := mtu - (len(whole.Bytes()) - len(whole.Payload))
	if !whole.Fragment {
		room -= fragmentHeader
	}
	for rest := whole.Payload; len(rest) > 0; {
		piece := whole
		piece.Fragment = true
		n, more := cut(len(rest), room)
		piece.MoreFragments = piece.MoreFragments || more
		piece.Offset += len(whole.Payload) - len(rest)
		piece.Payload, rest = rest[:n], rest[n:]
		pieces = append(pieces, piece.Bytes())
	}
	return pieces
}

// cut says how many octets of so many go into a piece with that room, and whether others follow.
func cut(octets, room int) (n int, more bool) {
	if octets <= room {
		return octets, false
	}
	return max(8, room&^7), true
}

// Reassembler puts packets together from their fragments, whatever order they come in. It trusts them not to overlap,
// and forgets nothing: it is for one lab. The zero value is ready for use.
type Reassembler struct {
	ipv4 waiting[IPv4]
	ipv6 waiting[IPv6]
}

// Add takes a packet. It returns the packet itself if it is no fragment, and the whole one if it was the last fragment
// missing.
func (r *Reassembler) Add(p IPv4) (whole IPv4, ok bool) {
	if !p.Fragment {
		return p, true
	}
	key := fragmentKey{p.Source, p.Destination, p.Protocol, uint32(p.ID)}
	whole, payload, ok := r.ipv4.add(key, part[IPv4]{p, p.Offset, p.MoreFragments, p.Payload})
	whole.Payload, whole.Fragment, whole.MoreFragments = payload, false, false
	return whole, ok
}

// Add6 is Add for IPv6. Extension headers that were in the fragments are followed.
func (r *Reassembler) Add6(p IPv6) (whole IPv6, ok bool) {
	if !p.Fragment {
		return p, true
	}
	key := fragmentKey{source: p.Source, destination: p.Destination, id: p.ID}
	whole, payload, ok := r.ipv6.add(key, part[IPv6]{p, p.Offset, p.MoreFragments, p.Payload})
	if !ok {
		return IPv6{}, false
	}
	whole.Payload, whole.Fragment, whole.MoreFragments, whole.ID = payload, false, false, 0
	return whole, whole.follow()
}

// Complete is Add for a packet of either version, as octets.
func (r *Reassembler) Complete(packet []byte) (Packet, bool) {
	if p, ok := ParseIPv6(packet); ok {
		whole, ok := r.Add6(p)
		return whole.Packet(), ok
	}
	p, ok := ParseIPv4(packet)
	if !ok {
		return Packet{}, false
	}
	p, ok = r.Add(p)
	return p.Packet(), ok
}

// fragmentKey is what the fragments of one packet have in common. In IPv6 only the first tells the protocol.
type fragmentKey struct {
	source, destination netip.Addr
	protocol            uint8
	id                  uint32
}

// part is a fragment.
type part[P any] struct {
	packet  P
	offset  int
	more    bool
	payload []byte
}

type waiting[P any] struct{ parts map[fragmentKey][]part[P] }

// add takes a fragment. If it was the last one missing it returns the first and the payload of all.
func (w *waiting[P]) add(key fragmentKey, p part[P]) (first P, payload []byte, ok bool) {
	if w.parts == nil {
		w.parts = make(map[fragmentKey][]part[P])
	}
	parts := append(w.parts[key], p)
	slices.SortStableFunc(parts, func(a, b part[P]) int { return a.offset - b.offset })
	w.parts[key] = parts
	for _, p := range parts {
		if p.offset != len(payload) {
			return first, nil, false
		}
		payload = append(payload, p.payload...)
	}
	if parts[len(parts)-1].more {
		return first, nil, false
	}
	delete(w.parts, key)
	return parts[0].packet, payload, true
}

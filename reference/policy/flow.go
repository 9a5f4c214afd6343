package policy

import (
	"net/netip"
)

// Flow says for which packets a member lets a group send policy. It differs from a Selector in that its addresses are ranges, as
// peers are authorised by (RFC 5374 §4.1.3.4). Zero means any.
type Flow struct {
	Source, Destination         AddressRange
	Protocol                    uint8
	SourcePort, DestinationPort uint16
}

// AddressRange is the addresses from First to Last, both of one IP version. The zero value is all addresses.
type AddressRange struct{ First, Last netip.Addr }

// Flows are the packets of the selectors.
func Flows(selectors ...Selector) (flows []Flow) {
	for _, s := range selectors {
		flows = append(flows, Flow{Source: RangeOf(s.Source), Destination: RangeOf(s.Destination), Protocol: s.Protocol,
			SourcePort: s.SourcePort, DestinationPort: s.DestinationPort})
	}
	return flows
}

// RangeOf is the addresses of a prefix; all if it is not valid.
func RangeOf(p netip.Prefix) AddressRange {
	if !p.IsValid() {
		return AddressRange{}
	}
	return AddressRange{p.Masked().Addr(), lastOf(p)}
}

// lastOf is the last address of a prefix.
func lastOf(p netip.Prefix) netip.Addr {
	octets := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < 8*len(octets); bit++ {
		octets[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(octets)
	return last
}

// Any reports whether the range has every address: of both IP versions, as nothing says less.
func (r AddressRange) Any() bool {
	return !r.First.IsValid() || r == RangeOf(netip.PrefixFrom(r.First, 0))
}

// Covers reports whether every address of the prefix is in the range. One that is not valid, a zeroed identity on the wire, is any
// address (RFC 6407 §5.5.1).
func (r AddressRange) Covers(p netip.Prefix) bool {
	if r.Any() {
		return true
	}
	of := RangeOf(p)
	return p.IsValid() && of.First.BitLen() == r.First.BitLen() && !of.First.Less(r.First) && !r.Last.Less(of.Last)
}

// Prefixes are the fewest that have the addresses of the range between them; one that is not valid for any address.
func (r AddressRange) Prefixes() (all []netip.Prefix) {
	if !r.First.IsValid() {
		return []netip.Prefix{{}}
	}
	for from := r.First; from.IsValid() && !r.Last.Less(from); {
		p := widest(from, r.Last)
		all = append(all, p)
		from = lastOf(p).Next()
	}
	return all
}

// widest is the shortest prefix that begins with one address and ends no later than with another.
func widest(first, last netip.Addr) netip.Prefix {
	for bits := range first.BitLen() {
		if p := netip.PrefixFrom(first, bits); p.Masked() == p && !last.Less(lastOf(p)) {
			return p
		}
	}
	return host(first)
}

// String returns the range as a prefix if it is one, and else as "10.0.0.1-10.0.0.9".
func (r AddressRange) String() string {
	if all := r.Prefixes(); len(all) == 1 && all[0].IsValid() {
		return all[0].String()
	}
	return r.First.String() + "-" + r.Last.String()
}

// Selectors are those that have the packets of the flow between them.
func (f Flow) Selectors() (all []Selector) {
	for _, source := range f.Source.Prefixes() {
		for _, destination := range f.Destination.Prefixes() {
			all = append(all, Selector{Source: source, Destination: destination, Protocol: f.Protocol, SourcePort: f.SourcePort,
				DestinationPort: f.DestinationPort})
		}
	}
	return all
}

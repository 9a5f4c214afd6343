package policy

import (
	"net/netip"
	"strings"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// flow reads an entry of a member's authorisation list.
func flow(v yamldoc.Value) Flow {
	var f Flow
	var s Selector
	fields := append(selectorFields(&s)[2:],
		yamldoc.Required("source", &f.Source, addressRange),
		yamldoc.Required("destination", &f.Destination, addressRange))
	if v.Fields(fields...) {
		if differ(f.Source.First, f.Destination.First) {
			v.Problem("source %s and destination %s are of different IP versions", f.Source, f.Destination)
		}
		checkPorts(v, s)
	}
	f.Protocol, f.SourcePort, f.DestinationPort = s.Protocol, s.SourcePort, s.DestinationPort
	return f
}

// addressRange reads a prefix, or two addresses with a hyphen between them.
func addressRange(v yamldoc.Value) AddressRange {
	text, ok := v.Text()
	before, after, hyphened := strings.Cut(text, "-")
	if !ok || !hyphened {
		if p := network(v); p.IsValid() {
			return RangeOf(p)
		}
		return AddressRange{}
	}
	first, err1 := netip.ParseAddr(strings.TrimSpace(before))
	last, err2 := netip.ParseAddr(strings.TrimSpace(after))
	if err1 != nil || err2 != nil || first.BitLen() != last.BitLen() || last.Less(first) || first.Is4In6() || first.Zone()+last.Zone() != "" {
		v.Problem("%s is no range of addresses; write one such as 10.0.0.1-10.0.0.9 or 2001:db8::1-2001:db8::9", brief(text))
		return AddressRange{}
	}
	return AddressRange{first, last}
}

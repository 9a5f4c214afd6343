package sadb

import (
	"fmt"
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Flow is what a packet shows and a selector is compared with. Selectors describe packets as they travel, so sender and
// receiver compare alike: local and remote are not swapped (RFC 5374 §4.1.1).
type Flow struct {
	Source, Destination         netip.Addr
	Protocol                    uint8
	SourcePort, DestinationPort uint16 // 0 if the protocol has none
	PortsHidden                 bool   // it may have ports that this packet does not show: a later fragment
	ProtocolHidden              bool   // nor does it show the protocol: one of IPv6, behind extension headers
}

// String returns the flow as "10.1.0.1 -> 10.2.0.1 proto 17 ports 5000 -> 53".
func (f Flow) String() string {
	text := fmt.Sprintf("%s -> %s proto %d", f.Source, f.Destination, f.Protocol)
	if f.SourcePort != 0 || f.DestinationPort != 0 {
		text += fmt.Sprintf(" ports %d -> %d", f.SourcePort, f.DestinationPort)
	}
	return text
}

// Match reports whether the selector takes the flow. One that names ports, or a protocol, takes no packet that hides them
// (RFC 4301 §4.4.1.1, §7.3).
func Match(sel policy.Selector, f Flow, rules *rule.Switches) bool {
	if !matchAddresses(sel, f) || !matchProtocol(sel, f, rules) || f.ProtocolHidden && sel.Protocol != 0 {
		return false
	}
	if f.PortsHidden {
		return guardFragment.Holds(rules, !namesPorts(sel))
	}
	return matchPorts(sel, f, rules)
}

// MayMatch is Match, except that what is hidden counts as what the selector names: for asking whether a packet is to be
// protected, where the answer in doubt is yes.
func MayMatch(sel policy.Selector, f Flow, rules *rule.Switches) bool {
	return matchAddresses(sel, f) && matchProtocol(sel, f, rules) && (f.PortsHidden || matchPorts(sel, f, rules))
}

func matchAddresses(sel policy.Selector, f Flow) bool {
	return contains(sel.Source, f.Source) && contains(sel.Destination, f.Destination)
}

// matchProtocol takes a hidden protocol as the one that is wanted.
func matchProtocol(sel policy.Selector, f Flow, rules *rule.Switches) bool {
	return f.ProtocolHidden || matchNumber(sel.Protocol, f.Protocol, guardAnyProtocol, rules)
}

func matchPorts(sel policy.Selector, f Flow, rules *rule.Switches) bool {
	return matchNumber(sel.SourcePort, f.SourcePort, guardAnySource, rules) &&
		matchNumber(sel.DestinationPort, f.DestinationPort, guardAnyDestination, rules)
}

// matchNumber compares a protocol or port; 0 in the selector is any (RFC 6407 §5.5.1).
func matchNumber[T uint8 | uint16](want, have T, guard *rule.Guard, rules *rule.Switches) bool {
	return want == have || want == 0 && guard.Kept(rules)
}

// contains takes an absent prefix, a zeroed identity on the wire, as any address (RFC 6407 §5.5.1).
func contains(p netip.Prefix, a netip.Addr) bool { return !p.IsValid() || p.Contains(a) }

func namesPorts(sel policy.Selector) bool { return sel.SourcePort != 0 || sel.DestinationPort != 0 }

// Same reports whether two selectors take the same flows.
func Same(a, b policy.Selector) bool { return a == b || same(a, b) }

// same reports whether two selectors take the same flows.
func same(a, b policy.Selector) bool {
	a.Source, a.Destination = a.Source.Masked(), a.Destination.Masked()
	b.Source, b.Destination = b.Source.Masked(), b.Destination.Masked()
	return a == b
}

// overlap reports whether there may be a packet that both selectors take.
func overlap(a, b policy.Selector) bool {
	return overlapPrefix(a.Source, b.Source) && overlapPrefix(a.Destination, b.Destination) &&
		overlapNumber(a.Protocol, b.Protocol) && overlapNumber(a.SourcePort, b.SourcePort) &&
		overlapNumber(a.DestinationPort, b.DestinationPort)
}

func overlapPrefix(a, b netip.Prefix) bool { return !a.IsValid() || !b.IsValid() || a.Overlaps(b) }

func overlapNumber[T uint8 | uint16](a, b T) bool { return a == b || a == 0 || b == 0 }

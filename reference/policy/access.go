package policy

import "slices"

// ACE is an entry of an access list. In a list the first entry that takes a packet decides, and what none takes travels in clear.
type ACE struct {
	Deny     bool // its packets travel in clear; otherwise they are protected
	Selector Selector
}

// AccessList is the ordered policy of a group as messages carry it: what is protected, under the SAs that have the selector of the
// entry, and what is not.
type AccessList struct {
	Entries []ACE
	// Protocol is that of the SAT which carries a deny entry, of the range for private use (RFC 6407 §5.5). 0: there is no list, and
	// whatever has an SA is protected.
	Protocol uint8
}

// DefaultDenyProtocol is the Protocol-ID of deny entries unless a configuration names another.
const DefaultDenyProtocol = 240

// MostEntries is how many entries of an access list a key server honours.
const MostEntries = 100

// ProtocolAHP is the IP protocol of AH, which an access list of IPv6 cannot name.
const ProtocolAHP = 51

// Mirrored is the selector of the packets that come back.
func (s Selector) Mirrored() Selector {
	s.Source, s.Destination = s.Destination, s.Source
	s.SourcePort, s.DestinationPort = s.DestinationPort, s.SourcePort
	return s
}

// Flows are the selectors of the packets that the SA protects, at least one in a policy that is valid.
func (s SAPolicy) Flows() []Selector {
	if len(s.AccessList) == 0 {
		return append([]Selector{s.Selector}, s.Also...)
	}
	return Permitted(s.AccessList)
}

// Permitted are the selectors of the permit entries, each once.
func Permitted(list []ACE) (flows []Selector) {
	for _, e := range list {
		if !e.Deny && !slices.Contains(flows, e.Selector) {
			flows = append(flows, e.Selector)
		}
	}
	return flows
}

// DenyNumber is the Protocol-ID of deny entries, be it the default or not.
func DenyNumber(configured uint8) uint8 {
	if configured == 0 {
		return DefaultDenyProtocol
	}
	return configured
}

package gdoimap

import (
	"math/bits"
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var (
	checkEndpoint = rule.Check("gdoimap.read.sak.identity", "RFC6407-5.3-04", rule.GM,
		"source and destination of a SAK have an ID type that is an address, and its length")
	checkSelector = rule.Check("gdoimap.read.sat.identity", "RFC6407-5.5.1-05", rule.GM,
		"source and destination of a SAT have an ID type that selects addresses, and its length")
	dutyAnySource = rule.Duty("gdoimap.read.sat.source", "RFC6407-5.5.1-06", rule.GM,
		"a zeroed source stands for every sender")
)

var anyAddress = netip.PrefixFrom(netip.IPv4Unspecified(), 0)

// endpointID is an address and port of a SAK. No address is sent as the unspecified one.
func endpointID(a netip.AddrPort) gdoi.ID16 {
	address := a.Addr()
	if !address.IsValid() {
		address = netip.IPv4Unspecified()
	}
	return gdoi.ID16{Type: addressType(address), Port: a.Port(), Data: address.AsSlice()}
}

func addressType(a netip.Addr) uint8 {
	if a.Is6() {
		return isakmp.IDIPv6Addr
	}
	return isakmp.IDIPv4Addr
}

// prefixID is one side of a selector: a single address as such, anything wider as address and mask. No prefix stands for any
// address.
func prefixID(p netip.Prefix, port uint16) gdoi.ID16 {
	if p = p.Masked(); !p.IsValid() {
		p = anyAddress
	}
	address := p.Addr().AsSlice()
	if p.IsSingleIP() {
		return gdoi.ID16{Type: addressType(p.Addr()), Port: port, Data: address}
	}
	typ := uint8(isakmp.IDIPv4AddrSubnet)
	if p.Addr().Is6() {
		typ = isakmp.IDIPv6AddrSubnet
	}
	return gdoi.ID16{Type: typ, Port: port, Data: append(address, mask(p.Bits(), len(address))...)}
}

func mask(ones, octets int) []byte {
	m := make([]byte, octets)
	for i := range ones {
		m[i/8] |= 0x80 >> (i % 8)
	}
	return m
}

// readEndpoint is the reverse of endpointID.
func readEndpoint(id gdoi.ID16, field string, rules *rule.Switches) (netip.AddrPort, error) {
	a, ok := addressOf(id)
	if !checkEndpoint.Holds(rules, ok) {
		return netip.AddrPort{}, checkEndpoint.Violated("SAK %s has ID type %d and %d octets", field, id.Type, len(id.Data))
	}
	if !ok {
		a = netip.IPv4Unspecified()
	}
	return netip.AddrPortFrom(a, id.Port), nil
}

// addressOf reads an identity of one address.
func addressOf(id gdoi.ID16) (netip.Addr, bool) {
	switch {
	case id.Type == isakmp.IDIPv4Addr && len(id.Data) == 4, id.Type == isakmp.IDIPv6Addr && len(id.Data) == 16:
		return netip.AddrFromSlice(id.Data)
	}
	return netip.Addr{}, false
}

// readSelector reads both sides of a SAT, which are of one IP version.
func readSelector(e *gdoi.SATESP, rules *rule.Switches) (policy.Selector, error) {
	s := policy.Selector{Protocol: e.Protocol, SourcePort: e.Source.Port, DestinationPort: e.Destination.Port}
	var err error
	if s.Destination, err = readPrefix(e.Destination, "destination", rules); err != nil {
		return s, err
	}
	if s.Source, err = readSource(e.Source, s.Destination, rules); err != nil {
		return s, err
	}
	if !checkSelector.Holds(rules, s.Source.Addr().Is4() == s.Destination.Addr().Is4()) {
		return s, checkSelector.Violated("SAT from %s to %s, of another IP version", s.Source, s.Destination)
	}
	return s, nil
}

// readSource also knows the zeroed source of a group whose senders share the TEK: no octets, or nothing but zeros.
func readSource(id gdoi.ID16, destination netip.Prefix, rules *rule.Switches) (netip.Prefix, error) {
	zeroed := netip.PrefixFrom(unspecified(destination.Addr()), 0)
	if len(id.Data) > 0 {
		p, err := readPrefix(id, "source", rules)
		if err != nil || slices.ContainsFunc(id.Data, func(octet byte) bool { return octet != 0 }) {
			return p, err
		}
		zeroed = netip.PrefixFrom(unspecified(p.Addr()), 0)
	}
	if !dutyAnySource.Kept(rules) {
		return netip.PrefixFrom(zeroed.Addr(), zeroed.Addr().BitLen()), nil
	}
	return zeroed, nil
}

// unspecified is the zero address of the same IP version.
func unspecified(a netip.Addr) netip.Addr {
	if a.Is6() {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// readPrefix is the reverse of prefixID, and takes ranges that are prefixes besides. Others have no place in a selector of
// this implementation.
func readPrefix(id gdoi.ID16, field string, rules *rule.Switches) (netip.Prefix, error) {
	p, ok := prefixOf(id)
	if !checkSelector.Holds(rules, ok) {
		return p, checkSelector.Violated("SAT %s has ID type %d and data %x", field, id.Type, id.Data)
	}
	return p, nil
}

// prefixOf returns any address where the identity is none that can be used (RFC 2407 §4.6.2.1).
func prefixOf(id gdoi.ID16) (netip.Prefix, bool) {
	if a, ok := addressOf(id); ok {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	first, second, ok := pairOf(id)
	if !ok {
		return anyAddress, false
	}
	ones, ok := maskLength(second)
	if id.Type == isakmp.IDIPv4AddrRange || id.Type == isakmp.IDIPv6AddrRange {
		ones, ok = rangeLength(first, second)
	}
	if !ok {
		return anyAddress, false
	}
	a, _ := netip.AddrFromSlice(first)
	return netip.PrefixFrom(a, ones).Masked(), true
}

// pairOf reads the address and mask of a subnet, or the two ends of a range.
func pairOf(id gdoi.ID16) (first, second []byte, ok bool) {
	octets := 0
	switch id.Type {
	case isakmp.IDIPv4AddrSubnet, isakmp.IDIPv4AddrRange:
		octets = 4
	case isakmp.IDIPv6AddrSubnet, isakmp.IDIPv6AddrRange:
		octets = 16
	}
	if octets == 0 || len(id.Data) != 2*octets {
		return nil, nil, false
	}
	return id.Data[:octets], id.Data[octets:], true
}

// maskLength fails if ones follow zeros.
func maskLength(m []byte) (ones int, ok bool) {
	for i, octet := range m {
		n := bits.LeadingZeros8(^octet)
		if ones < 8*i && octet != 0 || octet<<n != 0 {
			return 0, false
		}
		ones += n
	}
	return ones, true
}

// rangeLength fails if the range is not that of a prefix: its ends agree in the first bits, and of the others those of the
// first end are zeros and those of the second ones.
func rangeLength(first, last []byte) (ones int, ok bool) {
	m := make([]byte, len(first))
	for i := range m {
		m[i] = ^(first[i] ^ last[i])
		if first[i]&^m[i] != 0 {
			return 0, false
		}
	}
	return maskLength(m)
}

package gdoimap

import (
	"math/bits"
	"net/netip"

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
	a, ok := netip.AddrFromSlice(id.Data)
	ok = ok && id.Type == addressType(a)
	if !checkEndpoint.Holds(rules, ok) {
		return netip.AddrPort{}, checkEndpoint.Violated("SAK %s has ID type %d and %d octets", field, id.Type, len(id.Data))
	}
	if !ok {
		a = netip.IPv4Unspecified()
	}
	return netip.AddrPortFrom(a, id.Port), nil
}

// readSelector reads both sides of a SAT.
func readSelector(e *gdoi.SATESP, rules *rule.Switches) (policy.Selector, error) {
	s := policy.Selector{Protocol: e.Protocol, SourcePort: e.Source.Port, DestinationPort: e.Destination.Port}
	var err error
	if s.Source, err = readSource(e.Source, rules); err != nil {
		return s, err
	}
	s.Destination, err = readPrefix(e.Destination, "destination", rules)
	return s, err
}

// readSource also knows the zeroed source of a group whose senders share the TEK: no octets, or nothing but zeros.
func readSource(id gdoi.ID16, rules *rule.Switches) (netip.Prefix, error) {
	for _, octet := range id.Data {
		if octet != 0 {
			return readPrefix(id, "source", rules)
		}
	}
	if len(id.Data) > 0 {
		if p, err := readPrefix(id, "source", rules); err != nil {
			return p, err
		}
	}
	if !dutyAnySource.Kept(rules) {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 32), nil
	}
	return anyAddress, nil
}

// readPrefix is the reverse of prefixID, for IPv4.
func readPrefix(id gdoi.ID16, field string, rules *rule.Switches) (netip.Prefix, error) {
	p, ok := prefixOf(id)
	if !checkSelector.Holds(rules, ok) {
		return p, checkSelector.Violated("SAT %s has ID type %d and data %x", field, id.Type, id.Data)
	}
	return p, nil
}

// prefixOf returns any address where the identity is none that can be used.
func prefixOf(id gdoi.ID16) (netip.Prefix, bool) {
	switch {
	case id.Type == isakmp.IDIPv4Addr && len(id.Data) == 4:
		return netip.PrefixFrom(netip.AddrFrom4([4]byte(id.Data)), 32), true
	case id.Type == isakmp.IDIPv4AddrSubnet && len(id.Data) == 8:
		ones, ok := maskLength([4]byte(id.Data[4:]))
		if ok {
			return netip.PrefixFrom(netip.AddrFrom4([4]byte(id.Data[:4])), ones).Masked(), true
		}
	}
	return anyAddress, false
}

// maskLength fails if ones follow zeros.
func maskLength(m [4]byte) (int, bool) {
	v := uint32(m[0])<<24 | uint32(m[1])<<16 | uint32(m[2])<<8 | uint32(m[3])
	ones := bits.LeadingZeros32(^v)
	return ones, v<<ones == 0
}

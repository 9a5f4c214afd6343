package mib

import (
	"bytes"
	"encoding/binary"
	"net/netip"
)

// identity is an identity as indices and columns have it: CgmGdoiIdentificationType and CgmGdoiIdentificationValue.
type identity struct {
	kind  uint32
	value []byte
}

// The types of identities in use.
const (
	ipv4Address = 1
	ipv4Subnet  = 4
	ipv6Address = 5
	ipv6Subnet  = 6
	groupNumber = 11
)

func ofGroup(id uint32) identity {
	return identity{groupNumber, binary.BigEndian.AppendUint32(nil, id)}
}

// ofAddress is the identity of a node. One that is not known has no octets.
func ofAddress(a netip.Addr) identity {
	if a.Is6() {
		return identity{ipv6Address, a.AsSlice()}
	}
	return identity{ipv4Address, a.AsSlice()}
}

// ofPlace is the identity of a node at an address with a port.
func ofPlace(s string) identity {
	at, _ := netip.ParseAddrPort(s)
	return ofAddress(at.Addr())
}

// ofNetwork is the identity of a network, which is an address if it has but one.
func ofNetwork(s string) identity {
	p, _ := netip.ParsePrefix(s)
	if !p.IsValid() || p.IsSingleIP() {
		return ofAddress(p.Addr())
	}
	octets := append(p.Addr().AsSlice(), maskOf(p)...)
	if p.Addr().Is6() {
		return identity{ipv6Subnet, octets}
	}
	return identity{ipv4Subnet, octets}
}

// maskOf has ones where a network's address counts.
func maskOf(p netip.Prefix) []byte {
	ones, _ := netip.AddrFromSlice(bytes.Repeat([]byte{0xff}, p.Addr().BitLen()/8))
	return netip.PrefixFrom(ones, p.Bits()).Masked().Addr().AsSlice()
}

// index is the identity as part of an instance's identifier: its type, the length, and the octets (RFC 2578 §7.7).
func (i identity) index() OID {
	o := OID{i.kind, uint32(len(i.value))}
	for _, b := range i.value {
		o = append(o, uint32(b))
	}
	return o
}

// columns are the identity's type, length and value.
func (i identity) columns() []Value {
	return []Value{number(i.kind), number(len(i.value)), {Octets: i.value}}
}

// portOf is the port of an address.
func portOf(s string) Value {
	at, _ := netip.ParseAddrPort(s)
	return port(at.Port())
}

// port is a CgmGdoiUnsigned16: two octets.
func port(p uint16) Value { return Value{Octets: binary.BigEndian.AppendUint16(nil, p)} }

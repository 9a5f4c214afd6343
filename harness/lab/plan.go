package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// The addressing plan; see the package comment.
var (
	WAN            = netip.MustParsePrefix("192.0.2.0/24")
	KeyServerAddr  = netip.MustParseAddr("192.0.2.10")
	MulticastGroup = netip.MustParseAddr("239.192.1.1")
	Protected      = netip.MustParsePrefix("10.0.0.0/8")

	WAN6            = netip.MustParsePrefix("2001:db8:0:1::/64")
	KeyServerAddr6  = netip.MustParseAddr("2001:db8:0:1::10")
	MulticastGroup6 = netip.MustParseAddr("ff05::8:48") // site-local, as administratively scoped as the one of IPv4 (RFC 4291 §2.7)
	Protected6      = netip.MustParsePrefix("2001:db8:10::/48")
)

// Family is a version of IP.
type Family uint8

// The families.
const (
	IPv4Family Family = iota
	IPv6Family
)

// KeyServerAddress returns the key server's WAN address of that family.
func (f Family) KeyServerAddress() netip.Addr {
	if f == IPv6Family {
		return KeyServerAddr6
	}
	return KeyServerAddr
}

// MemberAddress returns the WAN address of member i of that family.
func (f Family) MemberAddress(i int) netip.Addr {
	if f == IPv6Family {
		return MemberAddr6(i)
	}
	return MemberAddr(i)
}

// Group returns the multicast group of that family to which PUSH messages go.
func (f Family) Group() netip.Addr {
	if f == IPv6Family {
		return MulticastGroup6
	}
	return MulticastGroup
}

// Anywhere is the prefix of all addresses of that family.
func (f Family) Anywhere() netip.Prefix {
	if f == IPv6Family {
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
}

// other is the other family.
func (f Family) other() Family { return 1 - f }

// familyOf is the family of an address.
func familyOf(a netip.Addr) Family {
	if a.Is6() {
		return IPv6Family
	}
	return IPv4Family
}

// Port is the UDP port of key management (RFC 6407 §2.2).
const Port = 848

// MTU of every link.
const MTU = 1500

// KeyServerName is the name of the key server's node.
const KeyServerName = "ks"

// MemberName returns the name of member i, counted from 1.
func MemberName(i int) string { return fmt.Sprintf("gm%d", i) }

// HostName returns the name of the host behind member i.
func HostName(i int) string { return fmt.Sprintf("h%d", i) }

// MemberAddr returns the WAN address of member i: 192.0.2.20+i for the first 200, then 198.18.0.0/15 for crowds.
func MemberAddr(i int) netip.Addr {
	if i <= 200 {
		return netip.AddrFrom4([4]byte{192, 0, 2, byte(20 + i)})
	}
	return netip.AddrFrom4([4]byte{198, 18 + byte(i>>16), byte(i >> 8), byte(i)})
}

// MemberAddr6 returns the IPv6 WAN address of member i: 2001:db8:0:1::20 and i more.
func MemberAddr6(i int) netip.Addr { return offset(WAN6.Addr(), 14, 0x20+i) }

// offset writes a number into the two octets of an IPv6 address at that place.
func offset(a netip.Addr, at, number int) netip.Addr {
	b := a.As16()
	binary.BigEndian.PutUint16(b[at:], uint16(number))
	return netip.AddrFrom16(b)
}

// MemberLAN returns the network behind member i.
func MemberLAN(i int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
}

// MemberLAN6 returns the IPv6 network behind member i: 2001:db8:10:i::/64.
func MemberLAN6(i int) netip.Prefix { return netip.PrefixFrom(offset(Protected6.Addr(), 6, i), 64) }

// LANs returns the networks behind member i, one of each family.
func LANs(i int) []netip.Prefix { return []netip.Prefix{MemberLAN(i), MemberLAN6(i)} }

// LANGateway returns the address of member i on its LAN.
func LANGateway(i int) netip.Addr { return MemberLAN(i).Addr().Next() }

// HostAddr returns the address of the host behind member i.
func HostAddr(i int) netip.Addr { return LANGateway(i).Next() }

// LANGateway6 returns the IPv6 address of member i on its LAN.
func LANGateway6(i int) netip.Addr { return MemberLAN6(i).Addr().Next() }

// HostAddr6 returns the IPv6 address of the host behind member i.
func HostAddr6(i int) netip.Addr { return LANGateway6(i).Next() }

// LANName returns the name of member i's LAN in a capture.
func LANName(i int) string { return fmt.Sprintf("lan%d", i) }

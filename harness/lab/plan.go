package lab

import (
	"fmt"
	"net/netip"
)

// The addressing plan; see the package comment.
var (
	WAN            = netip.MustParsePrefix("192.0.2.0/24")
	KeyServerAddr  = netip.MustParseAddr("192.0.2.10")
	MulticastGroup = netip.MustParseAddr("239.192.1.1")
	Protected      = netip.MustParsePrefix("10.0.0.0/8")
)

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

// MemberLAN returns the network behind member i.
func MemberLAN(i int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
}

// LANGateway returns the address of member i on its LAN.
func LANGateway(i int) netip.Addr { return MemberLAN(i).Addr().Next() }

// HostAddr returns the address of the host behind member i.
func HostAddr(i int) netip.Addr { return LANGateway(i).Next() }

// LANName returns the name of member i's LAN in a capture.
func LANName(i int) string { return fmt.Sprintf("lan%d", i) }

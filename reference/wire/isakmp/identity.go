package isakmp

import (
	"encoding/binary"
	"math"
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// The identification data of each type (RFC 2407 §4.6.2, RFC 8052 §2.1) stands in an ID payload and in the identities of a
// SAK or SAT alike.

// AddressIdentity is the type and data that name an address.
func AddressIdentity(a netip.Addr) (typ uint8, data []byte) {
	return ofFamily(a, IDIPv4Addr, IDIPv6Addr), a.AsSlice()
}

// SubnetIdentity is the type and data that name the addresses of a prefix: its address as it is, and its mask.
func SubnetIdentity(p netip.Prefix) (typ uint8, data []byte) {
	data = p.Addr().AsSlice()
	mask := make([]byte, len(data))
	for i := range max(0, p.Bits()) {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return ofFamily(p.Addr(), IDIPv4AddrSubnet, IDIPv6AddrSubnet), append(data, mask...)
}

// RangeIdentity is the type and data that name the addresses from first to last, both of one family.
func RangeIdentity(first, last netip.Addr) (typ uint8, data []byte) {
	return ofFamily(first, IDIPv4AddrRange, IDIPv6AddrRange), slices.Concat(first.AsSlice(), last.AsSlice())
}

func ofFamily(a netip.Addr, four, six uint8) uint8 {
	if a.Is4() {
		return four
	}
	return six
}

// IdentityAddress is the reverse of AddressIdentity. It is not ok for data of another type or length.
func IdentityAddress(typ uint8, data []byte) (a netip.Addr, ok bool) {
	if typ != IDIPv4Addr && typ != IDIPv6Addr {
		return netip.Addr{}, false
	}
	a, _, ok = IdentityAddresses(typ, data)
	return a, ok
}

// IdentityAddresses returns the two addresses in the data of a subnet (address and mask) or a range (first and last); of a
// single address it is the first. It is not ok for other types, and for data that has not the length of its type.
func IdentityAddresses(typ uint8, data []byte) (first, second netip.Addr, ok bool) {
	n, two := 4, false
	switch typ {
	case IDIPv4Addr:
	case IDIPv6Addr:
		n = 16
	case IDIPv4AddrSubnet, IDIPv4AddrRange:
		n, two = 8, true
	case IDIPv6AddrSubnet, IDIPv6AddrRange:
		n, two = 32, true
	default:
		return first, second, false
	}
	if len(data) != n {
		return first, second, false
	}
	if two {
		second, _ = netip.AddrFromSlice(data[n/2:])
		data = data[:n/2]
	}
	first, ok = netip.AddrFromSlice(data)
	return first, second, ok
}

// OIDIdentity is the data of an identity of type IDOID (RFC 8052 §2.1).
//
//	OID length (1) | OID | payload length (2) | payload
type OIDIdentity struct {
	OID     []byte // in DER, with tag and length
	Payload []byte // what its layout is, the OID says
}

// Append appends the octets. It fails with a *wire.Error if the OID is longer than 255 octets or the payload than 65535.
func (i OIDIdentity) Append(b []byte) ([]byte, error) {
	switch {
	case len(i.OID) > math.MaxUint8:
		return nil, &wire.Error{Offset: len(b), Field: "OID length", Err: wire.ErrLength}
	case len(i.Payload) > math.MaxUint16:
		return nil, &wire.Error{Offset: len(b) + 1 + len(i.OID), Field: "OID payload length", Err: wire.ErrLength}
	}
	b = append(append(b, byte(len(i.OID))), i.OID...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(i.Payload)))
	return append(b, i.Payload...), nil
}

// ReadOIDIdentity takes the octets off the front of r.
func ReadOIDIdentity(r *wire.Reader) OIDIdentity {
	n := int(r.Uint8("OID length"))
	i := OIDIdentity{OID: r.Bytes(n, "OID")}
	n = int(r.Uint16("OID payload length"))
	i.Payload = r.Bytes(n, "OID payload")
	return i
}

// ParseOIDIdentity reads identification data of type IDOID.
func ParseOIDIdentity(data []byte, offset int) (OIDIdentity, error) {
	r := wire.NewReaderAt(data, offset)
	i := ReadOIDIdentity(r)
	if err := r.Done(); err != nil {
		return OIDIdentity{}, err
	}
	return i, nil
}

package ike

import "github.com/gdoilab/gdoilab/reference/wire/isakmp"

// The ports that an identity may name besides 0: that of GDOI, and that of IKE (RFC 2407 §4.6.2, RFC 6407 §2.2).
const (
	portGDOI = 848
	portIKE  = 500
	protoUDP = 17
)

// identityLen is how long the data of an identity is, 0 for any length but zero. Types that are not listed name more
// than one peer, or none.
var identityLen = map[uint8]int{
	isakmp.IDIPv4Addr:  4,
	isakmp.IDIPv6Addr:  16,
	isakmp.IDFQDN:      0,
	isakmp.IDUserFQDN:  0,
	isakmp.IDDERASN1DN: 0,
	isakmp.IDKeyID:     0,
}

// identity is the own one: the local address.
func (c *Config) identity() isakmp.ID {
	var id isakmp.ID
	id.IDType, id.Data = isakmp.AddressIdentity(c.Local.Addr().Unmap())
	if !dutyIDPort.Kept(c.Rules) {
		id.Protocol, id.Port = 6, 22
	}
	if c.NATT && !dutyIDPortNATT.Kept(c.Rules) {
		id.Protocol, id.Port = protoUDP, portGDOI
	}
	return id
}

// checkIdentity checks the form of a peer's identity.
func (c *Config) checkIdentity(id isakmp.ID) error {
	want, known := identityLen[id.IDType]
	fits := known && len(id.Data) > 0 && (want == 0 || want == len(id.Data))
	if !checkIDType.Holds(c.Rules, fits) {
		return checkIDType.Violated("identity of type %s with %d octets", isakmp.IDType(id.IDType), len(id.Data))
	}
	none := id.Protocol == 0 && id.Port == 0
	management := id.Protocol == protoUDP && (id.Port == portGDOI || id.Port == portIKE)
	if !checkIDPort.Holds(c.Rules, none || management) {
		return checkIDPort.Violated("identity with protocol %d and port %d", id.Protocol, id.Port)
	}
	return nil
}

package ike

import (
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

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

var checkExpected = rule.Check("ike.main.id.expected", "RFC2408-5.8-01", rule.Both,
	"the peer's identity is one that the configuration expects of it")

// identity is the own one: the local address, unless the configuration names another.
func (c *Config) identity() isakmp.ID {
	var id isakmp.ID
	id.IDType, id.Data = isakmp.AddressIdentity(c.Local.Addr().Unmap())
	if c.Identity.Kind != policy.IdentityNone {
		id.IDType, id.Data = c.identityData(c.Identity)
	}
	if !dutyIDPort.Kept(c.Rules) {
		id.Protocol, id.Port = 6, 22
	}
	if c.NATT && !dutyIDPortNATT.Kept(c.Rules) {
		id.Protocol, id.Port = protoUDP, portGDOI
	}
	return id
}

// identityData is a configured identity as it is sent (RFC 2407 §4.6.2.1). A distinguished name is sent as the own certificate
// has it, if it has it.
func (c *Config) identityData(i policy.Identity) (uint8, []byte) {
	switch i.Kind {
	case policy.IdentityFQDN:
		return isakmp.IDFQDN, []byte(i.Value)
	case policy.IdentityUserFQDN:
		return isakmp.IDUserFQDN, []byte(i.Value)
	case policy.IdentityKeyID:
		return isakmp.IDKeyID, []byte(i.Value)
	case policy.IdentityDN:
		name, _ := policy.EncodeName(i.Value) // was read when the configuration was
		if chain := c.Credentials.Chain; len(chain) > 0 && policy.SameName(chain[0].RawSubject, name) {
			name = chain[0].RawSubject
		}
		return isakmp.IDDERASN1DN, name
	}
	a, _ := netip.ParseAddr(i.Value)
	return isakmp.AddressIdentity(a)
}

// identityOf reads a proven identity. It is the zero value for a type that names more than one peer, or none.
func identityOf(id isakmp.ID) policy.Identity {
	switch id.IDType {
	case isakmp.IDFQDN:
		return policy.Identity{Kind: policy.IdentityFQDN, Value: string(id.Data)}
	case isakmp.IDUserFQDN:
		return policy.Identity{Kind: policy.IdentityUserFQDN, Value: string(id.Data)}
	case isakmp.IDKeyID:
		return policy.Identity{Kind: policy.IdentityKeyID, Value: string(id.Data)}
	case isakmp.IDDERASN1DN:
		return policy.Identity{Kind: policy.IdentityDN, Value: policy.DecodeName(id.Data)}
	}
	if a, ok := isakmp.IdentityAddress(id.IDType, id.Data); ok {
		return policy.Identity{Kind: policy.IdentityAddress, Value: a.String()}
	}
	return policy.Identity{}
}

// checkExpected checks that the configuration lets the peer have this identity: at all, and with the key that it has used.
func (x *Exchange) checkExpected(id isakmp.ID) error {
	have, owner := identityOf(id), x.psk.Identity
	fits := owner.Kind == policy.IdentityNone || owner.Same(have)
	if !checkExpected.Holds(x.cfg.Rules, fits && (x.cfg.Expect == nil || x.cfg.Expect(have))) {
		return checkExpected.Violated("%s is not expected of %s", have, x.peer.Addr())
	}
	return nil
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

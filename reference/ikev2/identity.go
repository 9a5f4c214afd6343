package ikev2

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/ikev2"
)

// id is the own identity: the local address, unless the configuration names another (RFC 7296 §3.5).
func (c *Config) id() ikev2.ID {
	i := c.Identity
	switch i.Kind {
	case policy.IdentityNone:
		return addressID(c.Local.Addr().Unmap())
	case policy.IdentityFQDN:
		return ikev2.ID{IDType: ikev2.IDFQDN, Data: []byte(i.Value)}
	case policy.IdentityUserFQDN:
		return ikev2.ID{IDType: ikev2.IDRFC822Addr, Data: []byte(i.Value)}
	case policy.IdentityKeyID:
		return ikev2.ID{IDType: ikev2.IDKeyID, Data: []byte(i.Value)}
	case policy.IdentityDN:
		name, _ := policy.EncodeName(i.Value) // was read when the configuration was
		if chain := c.Credentials.Chain; len(chain) > 0 && policy.SameName(chain[0].RawSubject, name) {
			name = chain[0].RawSubject
		}
		return ikev2.ID{IDType: ikev2.IDDERASN1DN, Data: name}
	}
	a, _ := netip.ParseAddr(i.Value)
	return addressID(a)
}

func addressID(a netip.Addr) ikev2.ID {
	if a.Is4() {
		return ikev2.ID{IDType: ikev2.IDIPv4Addr, Data: a.AsSlice()}
	}
	return ikev2.ID{IDType: ikev2.IDIPv6Addr, Data: a.AsSlice()}
}

// identityOf reads the identity that a peer claims.
func identityOf(id ikev2.ID) (policy.Identity, error) {
	kinds := map[ikev2.IDType]policy.IdentityKind{ikev2.IDFQDN: policy.IdentityFQDN, ikev2.IDRFC822Addr: policy.IdentityUserFQDN, ikev2.IDKeyID: policy.IdentityKeyID}
	wrong := fmt.Errorf("%w: an identity of type %d in %d octets (RFC 7296 §3.5)", errAuthentication, id.IDType, len(id.Data))
	if len(id.Data) == 0 {
		return policy.Identity{}, wrong
	}
	switch id.IDType {
	case ikev2.IDFQDN, ikev2.IDRFC822Addr, ikev2.IDKeyID:
		return policy.Identity{Kind: kinds[id.IDType], Value: string(id.Data)}, nil
	case ikev2.IDDERASN1DN:
		return policy.Identity{Kind: policy.IdentityDN, Value: policy.DecodeName(id.Data)}, nil
	case ikev2.IDIPv4Addr, ikev2.IDIPv6Addr:
		if a, ok := netip.AddrFromSlice(id.Data); ok && a.Is4() == (id.IDType == ikev2.IDIPv4Addr) {
			return policy.AddressIdentity(a), nil
		}
	}
	return policy.Identity{}, wrong
}

// certifies reports whether a certificate names an identity: as its subject, or among its alternative names. An ID_KEY_ID is the
// identifier of its key.
func certifies(c *x509.Certificate, id ikev2.ID) bool {
	same := func(name string) bool { return strings.EqualFold(name, string(id.Data)) }
	switch id.IDType {
	case ikev2.IDIPv4Addr, ikev2.IDIPv6Addr:
		return slices.ContainsFunc(c.IPAddresses, func(ip net.IP) bool { return bytes.Equal(ip, id.Data) })
	case ikev2.IDFQDN:
		return slices.ContainsFunc(c.DNSNames, same)
	case ikev2.IDRFC822Addr:
		return slices.ContainsFunc(c.EmailAddresses, same)
	case ikev2.IDDERASN1DN:
		return policy.SameName(c.RawSubject, id.Data)
	case ikev2.IDKeyID:
		return len(c.SubjectKeyId) > 0 && bytes.Equal(c.SubjectKeyId, id.Data)
	}
	return false
}

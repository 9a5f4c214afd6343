package capture

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// identity is the data of an identity as its type is written: addresses, text, a distinguished name, an OID, else octets.
func identity(kind uint8, data []byte) string {
	if first, second, ok := isakmp.IdentityAddresses(kind, data); ok {
		switch kind {
		case isakmp.IDIPv4AddrSubnet, isakmp.IDIPv6AddrSubnet:
			return first.String() + "/" + second.String()
		case isakmp.IDIPv4AddrRange, isakmp.IDIPv6AddrRange:
			return first.String() + "-" + second.String()
		}
		return first.String()
	}
	switch kind {
	case isakmp.IDFQDN, isakmp.IDUserFQDN:
		return fmt.Sprintf("%q", data)
	case isakmp.IDDERASN1DN:
		return distinguishedName(data)
	case isakmp.IDKeyID:
		return keyID(data)
	case isakmp.IDOID:
		if i, err := isakmp.ParseOIDIdentity(data, 0); err == nil {
			return oid(i)
		}
	}
	return hex.EncodeToString(data)
}

// keyID is a group number of four octets (RFC 6407 §5.1), else octets.
func keyID(data []byte) string {
	if len(data) != 4 {
		return hex.EncodeToString(data)
	}
	return fmt.Sprint(uint32(data[0])<<24 | uint32(data[1])<<16 | uint32(data[2])<<8 | uint32(data[3]))
}

// distinguishedName is a name in DER as RFC 2253 writes it, in quotes, else octets.
func distinguishedName(der []byte) string {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
		return hex.EncodeToString(der)
	}
	return fmt.Sprintf("%q", name.String())
}

// oid is an OID with dots, or its octets if they are no DER, and behind it the octets that belong to it.
func oid(i isakmp.OIDIdentity) string {
	text := hex.EncodeToString(i.OID)
	var numbers asn1.ObjectIdentifier
	if rest, err := asn1.Unmarshal(i.OID, &numbers); err == nil && len(rest) == 0 {
		text = numbers.String()
	}
	if len(i.Payload) > 0 {
		text += " " + hex.EncodeToString(i.Payload)
	}
	return text
}

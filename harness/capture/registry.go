package capture

import (
	"encoding/hex"
	"fmt"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// registry is how the attributes of one payload are shown: their names, the names of their values, and which of them
// hold keys.
type registry struct {
	name   func(number uint16) string
	values map[uint16]map[uint64]string
	secret func(number uint16) bool
}

// value is an attribute's value: a number with its name if it has one, a number if it is short, else octets.
func (r registry) value(a wire.Attribute) string {
	if v, ok := a.Uint(); ok && len(a.Value) <= 4 {
		return numbered(r.values[a.Type][v], v)
	}
	return hex.EncodeToString(a.Value)
}

var (
	lifeTypes    = map[uint64]string{1: "seconds", 2: "kilobytes"}
	hashSuffixes = map[uint64]string{1: "MD5", 2: "SHA-1", 3: "SHA-256", 4: "SHA-384", 5: "SHA-512"}

	// phase1Attributes are those of RFC 2409 appendix A.
	phase1Attributes = registry{
		name: func(n uint16) string { return isakmp.Attribute(n).String() },
		values: map[uint16]map[uint64]string{
			isakmp.AttrEncryptionAlgorithm:  {1: "DES-CBC", 5: "3DES-CBC", 7: "AES-CBC", 8: "CAMELLIA-CBC"},
			isakmp.AttrHashAlgorithm:        {1: "MD5", 2: "SHA-1", 3: "Tiger", 4: "SHA2-256", 5: "SHA2-384", 6: "SHA2-512"},
			isakmp.AttrAuthenticationMethod: {1: "pre-shared key", 2: "DSS signatures", 3: "RSA signatures", 9: "ECDSA-256"},
			isakmp.AttrGroupDescription: {1: "768-bit MODP", 2: "1024-bit MODP", 5: "1536-bit MODP", 14: "2048-bit MODP",
				15: "3072-bit MODP", 16: "4096-bit MODP", 19: "256-bit ECP", 20: "384-bit ECP", 21: "521-bit ECP"},
			isakmp.AttrLifeType: lifeTypes,
		},
	}

	// kekAttributes are those of a SAK (RFC 6407 §5.3, RFC 8263 §2).
	kekAttributes = registry{
		name: func(n uint16) string { return gdoi.KEKAttribute(n).String() },
		values: map[uint16]map[uint64]string{
			gdoi.KEKManagement:    {1: "LKH"},
			gdoi.KEKAlgorithm:     {1: "DES", 2: "3DES", 3: "AES"},
			gdoi.SigHashAlgorithm: hashSuffixes,
			gdoi.SigAlgorithm:     {1: "RSA", 2: "DSS", 3: "ECDSS", 4: "ECDSA-256", 5: "ECDSA-384", 6: "ECDSA-521"},
			gdoi.KEKAckRequested: {1: "REKEY_ACK_KEK_SHA256", 2: "REKEY_ACK_LKH_SHA256", 3: "REKEY_ACK_KEK_SHA512",
				4: "REKEY_ACK_LKH_SHA512"},
		},
	}

	// gapAttributes are those of a GAP (RFC 6407 §5.4).
	gapAttributes = registry{name: func(n uint16) string { return gdoi.GAPAttribute(n).String() }}

	// saAttributes are those of a SAT for ESP (RFC 2407 §4.5, RFC 6407 §5.5.1).
	saAttributes = registry{
		name: func(n uint16) string { return gdoi.SAAttribute(n).String() },
		values: map[uint16]map[uint64]string{
			gdoi.SALifeType:        lifeTypes,
			gdoi.EncapsulationMode: {1: "tunnel", 2: "transport", 3: "UDP tunnel", 4: "UDP transport"},
			gdoi.AuthAlgorithm: {1: "HMAC-MD5", 2: "HMAC-SHA1", 5: "HMAC-SHA2-256", 6: "HMAC-SHA2-384", 7: "HMAC-SHA2-512",
				9: "AES-XCBC-MAC"},
			gdoi.ExtendedSequenceNumber: {1: "64-bit"},
			gdoi.AddressPreservation:    {1: "none", 2: "source only", 3: "destination only", 4: "source and destination"},
			gdoi.SADirection:            {1: "sender only", 2: "receiver only", 3: "symmetric"},
		},
	}

	// espTransforms are the ESP transform identifiers (RFC 2407 §4.4.4 and its registry).
	espTransforms = map[uint64]string{2: "ESP_DES", 3: "ESP_3DES", 11: "ESP_NULL", 12: "ESP_AES-CBC", 13: "ESP_AES-CTR",
		14: "ESP_AES-CCM_8", 15: "ESP_AES-CCM_12", 16: "ESP_AES-CCM_16", 18: "ESP_AES-GCM_8", 19: "ESP_AES-GCM_12",
		20: "ESP_AES-GCM_16", 22: "ESP_CAMELLIA", 23: "ESP_NULL_AUTH_AES-GMAC"}

	deleteProtocols = map[uint64]string{0: "KEK", 1: "ESP", 2: "AH"}
	satProtocols    = map[uint64]string{1: "ESP", 2: "AH", 3: "IEC 61850"}
)

// keyAttributes are those of a key packet (RFC 6407 §5.6). Of a type that has no registry all are taken for keys.
func keyAttributes(t gdoi.KDType) registry {
	switch t {
	case gdoi.KDTypeTEK:
		return registry{name: func(n uint16) string { return gdoi.TEKKeyAttribute(n).String() },
			secret: func(n uint16) bool { return n != gdoi.TEKSourceAuthKey }}
	case gdoi.KDTypeKEK:
		return registry{name: func(n uint16) string { return gdoi.KEKKeyAttribute(n).String() },
			secret: func(n uint16) bool { return n != gdoi.SigAlgorithmKey }}
	case gdoi.KDTypeLKH:
		return registry{name: func(n uint16) string { return gdoi.LKHAttribute(n).String() },
			secret: func(n uint16) bool { return n != gdoi.LKHSigAlgorithmKey }}
	case gdoi.KDTypeSID:
		return registry{name: func(n uint16) string { return gdoi.SIDAttribute(n).String() }}
	}
	return registry{name: func(n uint16) string { return fmt.Sprintf("attribute(%d)", n) },
		secret: func(uint16) bool { return true }}
}

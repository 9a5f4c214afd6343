package capture

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// registry is how the attributes of one payload are shown: their names, the names of their values, which of them hold keys,
// and what is inside a value that has a layout of its own.
type registry struct {
	name      func(number uint16) string
	valueName func(number uint16, v uint64) string
	secret    func(number uint16) bool
	inside    func(number uint16, value []byte, at int) []Field
}

// value is an attribute's value: a number with its name if it has one, a number if it is short, else octets.
func (r registry) value(a wire.Attribute) string {
	v, ok := a.Uint()
	switch {
	case !ok || len(a.Value) > 4:
		return hex.EncodeToString(a.Value)
	case r.valueName == nil:
		return numbered("", v)
	}
	return numbered(r.valueName(a.Type, v), v)
}

var (
	// phase1Attributes are those of RFC 2409 appendix A.
	phase1Attributes = registry{
		name:      func(n uint16) string { return isakmp.Attribute(n).String() },
		valueName: func(n uint16, v uint64) string { return isakmp.Attribute(n).ValueName(v) },
	}

	// kekAttributes are those of a SAK (RFC 6407 §5.3, RFC 8263 §2).
	kekAttributes = registry{
		name:      func(n uint16) string { return gdoi.KEKAttribute(n).String() },
		valueName: func(n uint16, v uint64) string { return gdoi.KEKAttribute(n).ValueName(v) },
	}

	// gapAttributes are those of a GAP (RFC 6407 §5.4).
	gapAttributes = registry{name: func(n uint16) string { return gdoi.GAPAttribute(n).String() }}

	// saAttributes are those of a SAT for ESP and AH (RFC 2407 §4.5, RFC 6407 §5.5.1).
	saAttributes = registry{
		name:      saAttribute,
		valueName: func(n uint16, v uint64) string { return gdoi.SAAttribute(n).ValueName(v) },
	}

	// iecAttributes are those of a SAT for IEC 61850 (RFC 8052 §2.2).
	iecAttributes = registry{name: func(n uint16) string { return gdoi.IECAttribute(n).String() }}

	doiNames        = map[uint32]string{0: "ISAKMP", 1: "IPSEC", 2: "GDOI"}
	phase1Protocols = map[uint8]string{isakmp.ProtoISAKMP: "ISAKMP"}
	phase1IDs       = map[uint8]string{isakmp.TransformKeyIKE: "KEY_IKE"}
	deleteProtocols = map[uint8]string{0: "KEK", gdoi.ProtoIPsecESP: "ESP", gdoi.ProtoIPsecAH: "AH", gdoi.ProtoIEC61850: "IEC 61850"}
)

// deleteProtocol names the protocol of a Delete, or nothing. 1 is ESP in a PUSH, and the ISAKMP SA where a cookie pair is
// deleted (RFC 2408 §3.15, RFC 6407 §4.1).
func deleteProtocol(p isakmp.Delete) string {
	if p.Protocol == isakmp.ProtoISAKMP && p.SPISize == 16 {
		return phase1Protocols[p.Protocol]
	}
	return deleteProtocols[p.Protocol]
}

// registered is the name of a number, or nothing if String has none for it and says the number instead.
func registered(s fmt.Stringer, v uint64) string {
	name := s.String()
	if strings.HasSuffix(name, "("+strconv.FormatUint(v, 10)+")") {
		return ""
	}
	return name
}

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
			secret: func(n uint16) bool { return n != gdoi.LKHSigAlgorithmKey }, inside: lkhFields}
	case gdoi.KDTypeSID:
		return registry{name: func(n uint16) string { return gdoi.SIDAttribute(n).String() }}
	}
	return registry{name: func(n uint16) string { return fmt.Sprintf("attribute(%d)", n) },
		secret: func(uint16) bool { return true }}
}

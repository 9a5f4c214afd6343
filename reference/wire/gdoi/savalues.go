package gdoi

import "github.com/gdoilab/gdoilab/reference/wire/isakmp"

// The values of the SA attributes of ESP and AH (RFC 2407 §4.5 and its registry, RFC 6407 §5.5.1.1). As with the
// attributes, the constants are untyped.

// Encapsulation is a value of EncapsulationMode.
type Encapsulation uint16

// The encapsulation modes.
const (
	EncapsulationTunnel       = 1
	EncapsulationTransport    = 2
	EncapsulationUDPTunnel    = 3
	EncapsulationUDPTransport = 4
)

// Authentication is a value of AuthAlgorithm.
type Authentication uint16

// The authentication algorithms.
const (
	AuthHMACMD5    = 1
	AuthHMACSHA1   = 2
	AuthDESMAC     = 3
	AuthKPDK       = 4
	AuthHMACSHA256 = 5
	AuthHMACSHA384 = 6
	AuthHMACSHA512 = 7
	AuthHMACRIPEMD = 8
	AuthAESXCBCMAC = 9
	AuthSigRSA     = 10
	AuthAES128GMAC = 11
	AuthAES192GMAC = 12
	AuthAES256GMAC = 13
)

// Preservation is a value of AddressPreservation.
type Preservation uint16

// Which addresses of the inner packet the outer one has. Without the attribute it is both.
const (
	PreserveNone        = 1
	PreserveSource      = 2
	PreserveDestination = 3
	PreserveBoth        = 4
)

// Direction is a value of SADirection.
type Direction uint16

// Who uses an SA for what. Without the attribute it is symmetric.
const (
	DirectionSender    = 1
	DirectionReceiver  = 2
	DirectionSymmetric = 3
)

// The values of ECNTunnel and ExtendedSequenceNumber.
const (
	ECNTunnelAllowed   = 1
	ECNTunnelForbidden = 2
	SequenceNumber64   = 1
)

var (
	encapsulationNames  = []string{"tunnel", "transport", "UDP tunnel", "UDP transport"}
	authenticationNames = []string{"HMAC-MD5", "HMAC-SHA1", "DES-MAC", "KPDK", "HMAC-SHA2-256", "HMAC-SHA2-384", "HMAC-SHA2-512",
		"HMAC-RIPEMD", "AES-XCBC-MAC", "SIG-RSA", "AES-128-GMAC", "AES-192-GMAC", "AES-256-GMAC"}
	preservationNames = []string{"none", "source only", "destination only", "source and destination"}
	directionNames    = []string{"sender only", "receiver only", "symmetric"}
)

// String returns the mode's name, such as "tunnel".
func (e Encapsulation) String() string { return name(int(e), "encapsulation", encapsulationNames...) }

// String returns the algorithm's name, such as "HMAC-SHA2-256".
func (a Authentication) String() string {
	return name(int(a), "authentication", authenticationNames...)
}

// String returns what is preserved, such as "source only".
func (p Preservation) String() string { return name(int(p), "preservation", preservationNames...) }

// String returns "sender only", "receiver only" or "symmetric".
func (d Direction) String() string { return name(int(d), "direction", directionNames...) }

var saValues = map[SAAttribute][]string{
	EncapsulationMode:      encapsulationNames,
	AuthAlgorithm:          authenticationNames,
	ECNTunnel:              {"allowed", "forbidden"},
	ExtendedSequenceNumber: {"64-bit"},
	AddressPreservation:    preservationNames,
	SADirection:            directionNames,
}

// ValueName returns the registered name of a value of the attribute, or nothing if it has none.
func (a SAAttribute) ValueName(v uint64) string {
	switch a {
	case SALifeType:
		return isakmp.Attribute(isakmp.AttrLifeType).ValueName(v)
	case GroupDescription:
		return isakmp.Attribute(isakmp.AttrGroupDescription).ValueName(v)
	}
	return registered(saValues[a], v)
}

package gdoi

import "fmt"

// KDType is the type of a key packet (RFC 6407 §5.6).
type KDType uint8

// The types of key packets.
const (
	KDTypeTEK KDType = 1
	KDTypeKEK KDType = 2
	KDTypeLKH KDType = 3
	KDTypeSID KDType = 4
)

// String returns "TEK", "KEK", "LKH" or "SID".
func (t KDType) String() string { return name(int(t), "KD type", "TEK", "KEK", "LKH", "SID") }

// KEKAttribute is the number of an attribute in a SAK (RFC 6407 §5.3, RFC 8263 §2). These constants, like those of the
// other attributes, are untyped, so that they also compare with wire.Attribute.Type.
type KEKAttribute uint16

// The attributes of a SAK.
const (
	KEKManagement    = 1
	KEKAlgorithm     = 2
	KEKKeyLength     = 3
	KEKKeyLifetime   = 4
	SigHashAlgorithm = 5
	SigAlgorithm     = 6
	SigKeyLength     = 7
	KEKAckRequested  = 9
)

// String returns the registered name.
func (a KEKAttribute) String() string {
	return name(int(a), "KEK attribute", "KEK_MANAGEMENT_ALGORITHM", "KEK_ALGORITHM", "KEK_KEY_LENGTH",
		"KEK_KEY_LIFETIME", "SIG_HASH_ALGORITHM", "SIG_ALGORITHM", "SIG_KEY_LENGTH", "", "KEK_ACK_REQUESTED")
}

// GAPAttribute is the number of an attribute in a GAP (RFC 6407 §5.4).
type GAPAttribute uint16

// The attributes of a GAP.
const (
	GAPActivation      = 1
	GAPDeactivation    = 2
	GAPSenderIDRequest = 3
)

// String returns the registered name.
func (a GAPAttribute) String() string {
	return name(int(a), "GAP attribute", "ACTIVATION_TIME_DELAY", "DEACTIVATION_TIME_DELAY", "SENDER_ID_REQUEST")
}

// SAAttribute is the number of an IPsec SA attribute in a SAT (RFC 2407 §4.5, RFC 4359, RFC 6407 §5.5.1).
type SAAttribute uint16

// The attributes of a SAT for ESP and AH.
const (
	SALifeType               = 1
	SALifeDuration           = 2
	GroupDescription         = 3
	EncapsulationMode        = 4
	AuthAlgorithm            = 5
	KeyLength                = 6
	KeyRounds                = 7
	CompressDictionarySize   = 8
	CompressPrivateAlgorithm = 9
	ECNTunnel                = 10
	ExtendedSequenceNumber   = 11
	AuthKeyLength            = 12
	SigEncodingAlgorithm     = 13
	AddressPreservation      = 14
	SADirection              = 15
)

// String returns the registered name.
func (a SAAttribute) String() string {
	return name(int(a), "SA attribute", "SA Life Type", "SA Life Duration", "Group Description", "Encapsulation Mode",
		"Authentication Algorithm", "Key Length", "Key Rounds", "Compress Dictionary Size", "Compress Private Algorithm",
		"ECN Tunnel", "Extended (64-bit) Sequence Number", "Authentication Key Length", "Signature Encoding Algorithm",
		"Address Preservation", "SA Direction")
}

// IECAttribute is the number of an attribute in a SAT for IEC 61850 (RFC 8052 §2.2).
type IECAttribute uint16

// The attributes of a SAT for IEC 61850.
const (
	IECActivation   = 1 // SA_ATD
	IECKeyAssurance = 2 // SA_KDA
)

// String returns the registered name.
func (a IECAttribute) String() string { return name(int(a), "SA attribute", "SA_ATD", "SA_KDA") }

// TEKKeyAttribute is the number of an attribute in a key packet of type TEK (RFC 6407 §5.6.1).
type TEKKeyAttribute uint16

// The attributes of a TEK key packet.
const (
	TEKAlgorithmKey  = 1
	TEKIntegrityKey  = 2
	TEKSourceAuthKey = 3
)

// String returns the registered name.
func (a TEKKeyAttribute) String() string {
	return name(int(a), "TEK key attribute", "TEK_ALGORITHM_KEY", "TEK_INTEGRITY_KEY", "TEK_SOURCE_AUTH_KEY")
}

// KEKKeyAttribute is the number of an attribute in a key packet of type KEK (RFC 6407 §5.6.2).
type KEKKeyAttribute uint16

// The attributes of a KEK key packet.
const (
	KEKAlgorithmKey = 1 // IV, then key
	SigAlgorithmKey = 2 // public key
)

// String returns the registered name.
func (a KEKKeyAttribute) String() string {
	return name(int(a), "KEK key attribute", "KEK_ALGORITHM_KEY", "SIG_ALGORITHM_KEY")
}

// LKHAttribute is the number of an attribute in a key packet of type LKH (RFC 6407 §5.6.3).
type LKHAttribute uint16

// The attributes of an LKH key packet.
const (
	LKHDownloadArray   = 1
	LKHUpdateArray     = 2
	LKHSigAlgorithmKey = 3
)

// String returns the registered name.
func (a LKHAttribute) String() string {
	return name(int(a), "LKH attribute", "LKH_DOWNLOAD_ARRAY", "LKH_UPDATE_ARRAY", "SIG_ALGORITHM_KEY")
}

// SIDAttribute is the number of an attribute in a key packet of type SID (RFC 6407 §5.6.4).
type SIDAttribute uint16

// The attributes of a SID key packet.
const (
	SIDBits  = 1
	SIDValue = 2
)

// String returns the registered name.
func (a SIDAttribute) String() string {
	return name(int(a), "SID attribute", "NUMBER_OF_SID_BITS", "SID_VALUE")
}

// name returns the n-th name, counted from 1. A gap in the numbers is an empty name.
func name(n int, kind string, names ...string) string {
	if found := registered(names, uint64(n)); found != "" {
		return found
	}
	return fmt.Sprintf("%s(%d)", kind, n)
}

// registered is the n-th name, counted from 1, or nothing.
func registered(names []string, n uint64) string {
	if n >= 1 && n <= uint64(len(names)) {
		return names[n-1]
	}
	return ""
}

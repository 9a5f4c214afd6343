package gdoi

// The values of the KEK attributes (RFC 6407 §5.3, RFC 8263 §2). As with the attributes, the constants are untyped.

// KEKManagementAlgorithm is a value of KEKManagement.
type KEKManagementAlgorithm uint16

// KEKManagementLKH is the only one that has a number.
const KEKManagementLKH = 1

// KEKCipher is a value of KEKAlgorithm, and the type of an LKH key.
type KEKCipher uint16

// The ciphers of a KEK, all in CBC mode.
const (
	KEKCipherDES  = 1
	KEKCipher3DES = 2
	KEKCipherAES  = 3
)

// SigHash is a value of SigHashAlgorithm.
type SigHash uint16

// The hashes of a SIG payload.
const (
	SigHashMD5    = 1
	SigHashSHA1   = 2
	SigHashSHA256 = 3
	SigHashSHA384 = 4
	SigHashSHA512 = 5
)

// SigType is a value of SigAlgorithm.
type SigType uint16

// The algorithms of a SIG payload.
const (
	SigTypeRSA      = 1
	SigTypeDSS      = 2
	SigTypeECDSS    = 3 // deprecated
	SigTypeECDSA256 = 4
	SigTypeECDSA384 = 5
	SigTypeECDSA521 = 6
)

// AckType is a value of KEKAckRequested.
type AckType uint16

// The types of acknowledgement: which key they are made from, and with which hash.
const (
	AckKEKSHA256 = 1
	AckLKHSHA256 = 2
	AckKEKSHA512 = 3
	AckLKHSHA512 = 4
)

var (
	kekManagementNames = []string{"LKH"}
	kekCipherNames     = []string{"DES", "3DES", "AES"}
	sigHashNames       = []string{"MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512"}
	sigTypeNames       = []string{"RSA", "DSS", "ECDSS", "ECDSA-256", "ECDSA-384", "ECDSA-521"}
	ackTypeNames       = []string{"REKEY_ACK_KEK_SHA256", "REKEY_ACK_LKH_SHA256", "REKEY_ACK_KEK_SHA512", "REKEY_ACK_LKH_SHA512"}
)

// String returns "LKH".
func (a KEKManagementAlgorithm) String() string {
	return name(int(a), "KEK management", kekManagementNames...)
}

// String returns "DES", "3DES" or "AES".
func (c KEKCipher) String() string { return name(int(c), "KEK algorithm", kekCipherNames...) }

// String returns the hash's name, such as "SHA-256".
func (h SigHash) String() string { return name(int(h), "SIG hash", sigHashNames...) }

// String returns the algorithm's name, such as "ECDSA-256".
func (t SigType) String() string { return name(int(t), "SIG algorithm", sigTypeNames...) }

// String returns the registered name, such as "REKEY_ACK_KEK_SHA256".
func (t AckType) String() string { return name(int(t), "acknowledgement", ackTypeNames...) }

var kekValues = map[KEKAttribute][]string{
	KEKManagement:    kekManagementNames,
	KEKAlgorithm:     kekCipherNames,
	SigHashAlgorithm: sigHashNames,
	SigAlgorithm:     sigTypeNames,
	KEKAckRequested:  ackTypeNames,
}

// ValueName returns the registered name of a value of the attribute, or nothing if it has none.
func (a KEKAttribute) ValueName(v uint64) string { return registered(kekValues[a], v) }

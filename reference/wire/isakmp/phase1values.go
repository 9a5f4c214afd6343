package isakmp

// The values of the Phase 1 attributes (RFC 2409 appendix A and its registries). As with the attributes, the constants are
// untyped.

// Encryption is a value of AttrEncryptionAlgorithm.
type Encryption uint16

// The encryption algorithms.
const (
	EncryptionDESCBC      = 1
	EncryptionIDEACBC     = 2
	EncryptionBlowfishCBC = 3
	EncryptionRC5CBC      = 4
	Encryption3DESCBC     = 5
	EncryptionCASTCBC     = 6
	EncryptionAESCBC      = 7
	EncryptionCamelliaCBC = 8
)

// HashAlgorithm is a value of AttrHashAlgorithm.
type HashAlgorithm uint16

// The hash algorithms.
const (
	HashMD5    = 1
	HashSHA1   = 2
	HashTiger  = 3
	HashSHA256 = 4
	HashSHA384 = 5
	HashSHA512 = 6
)

// AuthMethod is a value of AttrAuthenticationMethod.
type AuthMethod uint16

// The authentication methods (RFC 2409 appendix A, RFC 4754 §9).
const (
	AuthPreSharedKey         = 1
	AuthDSS                  = 2
	AuthRSA                  = 3
	AuthRSAEncryption        = 4
	AuthRevisedRSAEncryption = 5
	AuthECDSA256             = 9
	AuthECDSA384             = 10
	AuthECDSA521             = 11
)

// Group is a value of AttrGroupDescription.
type Group uint16

// The groups (RFC 2409 §6, RFC 3526, RFC 5903, RFC 5114).
const (
	GroupMODP768          = 1
	GroupMODP1024         = 2
	GroupMODP1536         = 5
	GroupMODP2048         = 14
	GroupMODP3072         = 15
	GroupMODP4096         = 16
	GroupMODP6144         = 17
	GroupMODP8192         = 18
	GroupECP256           = 19
	GroupECP384           = 20
	GroupECP521           = 21
	GroupMODP1024Prime160 = 22
	GroupMODP2048Prime224 = 23
	GroupMODP2048Prime256 = 24
)

// GroupType is a value of AttrGroupType.
type GroupType uint16

// The group types.
const (
	GroupTypeMODP = 1
	GroupTypeECP  = 2
	GroupTypeEC2N = 3
)

// LifeType is a value of AttrLifeType. The SA Life Type of the IPsec DOI has the same values (RFC 2407 §4.5).
type LifeType uint16

// The life types.
const (
	LifeSeconds   = 1
	LifeKilobytes = 2
)

var (
	encryptionNames = []string{1: "DES-CBC", "IDEA-CBC", "Blowfish-CBC", "RC5-R16-B64-CBC", "3DES-CBC", "CAST-CBC", "AES-CBC",
		"CAMELLIA-CBC"}
	hashNames       = []string{1: "MD5", "SHA-1", "Tiger", "SHA2-256", "SHA2-384", "SHA2-512"}
	authMethodNames = []string{1: "pre-shared key", "DSS signatures", "RSA signatures", "RSA encryption",
		"revised RSA encryption", 9: "ECDSA-256", "ECDSA-384", "ECDSA-521"}
	groupNames = []string{1: "768-bit MODP", "1024-bit MODP", 5: "1536-bit MODP", 14: "2048-bit MODP", "3072-bit MODP",
		"4096-bit MODP", "6144-bit MODP", "8192-bit MODP", "256-bit ECP", "384-bit ECP", "521-bit ECP",
		"1024-bit MODP of 160-bit order", "2048-bit MODP of 224-bit order", "2048-bit MODP of 256-bit order"}
	groupTypeNames = []string{1: "MODP", "ECP", "EC2N"}
	lifeTypeNames  = []string{1: "seconds", "kilobytes"}
)

// String returns the registered name, such as "AES-CBC".
func (e Encryption) String() string { return name(encryptionNames, int(e), "encryption") }

// String returns the registered name, such as "SHA2-256".
func (h HashAlgorithm) String() string { return name(hashNames, int(h), "hash") }

// String returns the method in words, such as "pre-shared key".
func (m AuthMethod) String() string { return name(authMethodNames, int(m), "authentication method") }

// String returns size and kind of the group, such as "2048-bit MODP".
func (g Group) String() string { return name(groupNames, int(g), "group") }

// String returns "MODP", "ECP" or "EC2N".
func (t GroupType) String() string { return name(groupTypeNames, int(t), "group type") }

// String returns "seconds" or "kilobytes".
func (t LifeType) String() string { return name(lifeTypeNames, int(t), "life type") }

// valueNames are the names of the values of each attribute whose values have names.
var valueNames = map[Attribute][]string{
	AttrEncryptionAlgorithm:  encryptionNames,
	AttrHashAlgorithm:        hashNames,
	AttrAuthenticationMethod: authMethodNames,
	AttrGroupDescription:     groupNames,
	AttrGroupType:            groupTypeNames,
	AttrLifeType:             lifeTypeNames,
}

// ValueName returns the registered name of a value of the attribute, or nothing if it has none.
func (a Attribute) ValueName(v uint64) string {
	if names := valueNames[a]; v < uint64(len(names)) {
		return names[v]
	}
	return ""
}

package isakmp

// ProtoISAKMP is the protocol of a Phase 1 proposal, and of notifications and deletes about Phase 1 (RFC 2407 §4.4.1).
const ProtoISAKMP = 1

// TransformKeyIKE is the only transform of Phase 1 (RFC 2407 §4.4.2).
const TransformKeyIKE = 1

// Attribute is the number of a Phase 1 attribute (RFC 2409 appendix A). The constants are untyped, so that they also
// compare with wire.Attribute.Type.
type Attribute uint16

// The Phase 1 attributes.
const (
	AttrEncryptionAlgorithm  = 1
	AttrHashAlgorithm        = 2
	AttrAuthenticationMethod = 3
	AttrGroupDescription     = 4
	AttrGroupType            = 5
	AttrGroupPrime           = 6
	AttrGroupGeneratorOne    = 7
	AttrGroupGeneratorTwo    = 8
	AttrGroupCurveA          = 9
	AttrGroupCurveB          = 10
	AttrLifeType             = 11
	AttrLifeDuration         = 12
	AttrPRF                  = 13
	AttrKeyLength            = 14
	AttrFieldSize            = 15
	AttrGroupOrder           = 16
)

var attributeNames = [...]string{1: "Encryption Algorithm", "Hash Algorithm", "Authentication Method",
	"Group Description", "Group Type", "Group Prime", "Group Generator One", "Group Generator Two", "Group Curve A",
	"Group Curve B", "Life Type", "Life Duration", "PRF", "Key Length", "Field Size", "Group Order"}

// String returns the registered name.
func (a Attribute) String() string { return name(attributeNames[:], int(a), "attribute") }

// IDType is the type of an identity (RFC 2407 §4.6.2.1, RFC 8052 §2.1). The constants are untyped, so that they also
// compare with ID.IDType.
type IDType uint8

// The identity types.
const (
	IDIPv4Addr       = 1
	IDFQDN           = 2
	IDUserFQDN       = 3
	IDIPv4AddrSubnet = 4
	IDIPv6Addr       = 5
	IDIPv6AddrSubnet = 6
	IDIPv4AddrRange  = 7
	IDIPv6AddrRange  = 8
	IDDERASN1DN      = 9
	IDDERASN1GN      = 10
	IDKeyID          = 11
	IDList           = 12
	IDOID            = 13
)

var idNames = [...]string{1: "ID_IPV4_ADDR", "ID_FQDN", "ID_USER_FQDN", "ID_IPV4_ADDR_SUBNET", "ID_IPV6_ADDR",
	"ID_IPV6_ADDR_SUBNET", "ID_IPV4_ADDR_RANGE", "ID_IPV6_ADDR_RANGE", "ID_DER_ASN1_DN", "ID_DER_ASN1_GN", "ID_KEY_ID",
	"ID_LIST", "ID_OID"}

// String returns the registered name, such as "ID_KEY_ID".
func (t IDType) String() string { return name(idNames[:], int(t), "ID") }

package ikev2

import (
	"fmt"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Version20 is the version octet of IKEv2.
const Version20 = 0x20

// The payload types (RFC 7296 §3.2, RFC 7383 §2.5).
const (
	PayloadSA      isakmp.PayloadType = 33
	PayloadKE      isakmp.PayloadType = 34
	PayloadIDi     isakmp.PayloadType = 35
	PayloadIDr     isakmp.PayloadType = 36
	PayloadCERT    isakmp.PayloadType = 37
	PayloadCERTREQ isakmp.PayloadType = 38
	PayloadAUTH    isakmp.PayloadType = 39
	PayloadNonce   isakmp.PayloadType = 40
	PayloadN       isakmp.PayloadType = 41
	PayloadD       isakmp.PayloadType = 42
	PayloadV       isakmp.PayloadType = 43
	PayloadTSi     isakmp.PayloadType = 44
	PayloadTSr     isakmp.PayloadType = 45
	PayloadSK      isakmp.PayloadType = 46
	PayloadCP      isakmp.PayloadType = 47
	PayloadEAP     isakmp.PayloadType = 48
	PayloadSKF     isakmp.PayloadType = 53
)

var payloadNames = map[isakmp.PayloadType]string{
	isakmp.PayloadNone: "NONE", PayloadSA: "SA", PayloadKE: "KE", PayloadIDi: "IDi", PayloadIDr: "IDr", PayloadCERT: "CERT",
	PayloadCERTREQ: "CERTREQ", PayloadAUTH: "AUTH", PayloadNonce: "Nonce", PayloadN: "N", PayloadD: "D", PayloadV: "V", PayloadTSi: "TSi",
	PayloadTSr: "TSr", PayloadSK: "SK", PayloadCP: "CP", PayloadEAP: "EAP", PayloadSKF: "SKF",
}

// PayloadName is the short name that RFC 7296 uses in its exchanges.
func PayloadName(t isakmp.PayloadType) string { return named(payloadNames, t, "payload") }

// The exchange types (RFC 7296 §3.1).
const (
	ExchangeIKESAInit     isakmp.ExchangeType = 34
	ExchangeIKEAuth       isakmp.ExchangeType = 35
	ExchangeCreateChildSA isakmp.ExchangeType = 36
	ExchangeInformational isakmp.ExchangeType = 37
)

var exchangeNames = map[isakmp.ExchangeType]string{
	ExchangeIKESAInit: "IKE_SA_INIT", ExchangeIKEAuth: "IKE_AUTH", ExchangeCreateChildSA: "CREATE_CHILD_SA",
	ExchangeInformational: "INFORMATIONAL",
}

// ExchangeName is the name of an exchange in RFC 7296.
func ExchangeName(x isakmp.ExchangeType) string { return named(exchangeNames, x, "exchange") }

// The header flags (RFC 7296 §3.1).
const (
	FlagInitiator isakmp.Flags = 0x08 // the sender is the original initiator of the IKE SA
	FlagVersion   isakmp.Flags = 0x10
	FlagResponse  isakmp.Flags = 0x20
)

// ProtocolID is a security protocol (RFC 7296 §3.3.1).
type ProtocolID uint8

// The security protocols.
const (
	ProtocolIKE ProtocolID = 1
	ProtocolAH  ProtocolID = 2
	ProtocolESP ProtocolID = 3
)

var protocolNames = map[ProtocolID]string{0: "none", ProtocolIKE: "IKE", ProtocolAH: "AH", ProtocolESP: "ESP"}

// String returns the name of the registry.
func (p ProtocolID) String() string { return named(protocolNames, p, "protocol") }

// TransformType is the kind of a transform (RFC 7296 §3.3.2).
type TransformType uint8

// The transform types.
const (
	TransformENCR  TransformType = 1
	TransformPRF   TransformType = 2
	TransformINTEG TransformType = 3
	TransformKE    TransformType = 4
	TransformSN    TransformType = 5
)

var transformNames = map[TransformType]string{
	TransformENCR: "ENCR", TransformPRF: "PRF", TransformINTEG: "INTEG", TransformKE: "KE", TransformSN: "SN",
}

// String returns the name of the registry.
func (t TransformType) String() string { return named(transformNames, t, "transform type") }

// The transform IDs (RFC 7296 §3.3.2, RFC 4868, RFC 5282).
const (
	ENCR3DES     = 3
	ENCRAESCBC   = 12
	ENCRAESGCM16 = 20

	PRFHMACSHA1   = 2
	PRFHMACSHA256 = 5
	PRFHMACSHA384 = 6
	PRFHMACSHA512 = 7

	INTEGNone       = 0
	INTEGHMACSHA1   = 2
	INTEGHMACSHA256 = 12
	INTEGHMACSHA384 = 13
	INTEGHMACSHA512 = 14

	SN32Bit = 0
)

// AttrKeyLength is the length of a key in bits, the only attribute of a transform (RFC 7296 §3.3.5).
const AttrKeyLength = 14

// IDType is the kind of an identity (RFC 7296 §3.5).
type IDType uint8

// The identification types.
const (
	IDIPv4Addr   IDType = 1
	IDFQDN       IDType = 2
	IDRFC822Addr IDType = 3
	IDIPv6Addr   IDType = 5
	IDDERASN1DN  IDType = 9
	IDDERASN1GN  IDType = 10
	IDKeyID      IDType = 11
)

var idNames = map[IDType]string{
	IDIPv4Addr: "ID_IPV4_ADDR", IDFQDN: "ID_FQDN", IDRFC822Addr: "ID_RFC822_ADDR", IDIPv6Addr: "ID_IPV6_ADDR",
	IDDERASN1DN: "ID_DER_ASN1_DN", IDDERASN1GN: "ID_DER_ASN1_GN", IDKeyID: "ID_KEY_ID",
}

// String returns the name of the registry.
func (t IDType) String() string { return named(idNames, t, "ID type") }

// EncodingX509Signature is the encoding of an X.509 certificate (RFC 7296 §3.6).
const EncodingX509Signature = 4

// AuthMethod is how an identity is proven (RFC 7296 §3.8, RFC 4754 §8, RFC 7427 §3).
type AuthMethod uint8

// The authentication methods.
const (
	AuthRSA              AuthMethod = 1
	AuthSharedKey        AuthMethod = 2
	AuthECDSA256         AuthMethod = 9
	AuthECDSA384         AuthMethod = 10
	AuthECDSA521         AuthMethod = 11
	AuthDigitalSignature AuthMethod = 14
)

var methodNames = map[AuthMethod]string{
	AuthRSA: "RSA Digital Signature", AuthSharedKey: "Shared Key Message Integrity Code", AuthECDSA256: "ECDSA with SHA-256 on P-256",
	AuthECDSA384: "ECDSA with SHA-384 on P-384", AuthECDSA521: "ECDSA with SHA-512 on P-521", AuthDigitalSignature: "Digital Signature",
}

// String returns the name of the registry.
func (m AuthMethod) String() string { return named(methodNames, m, "authentication method") }

// The types of a traffic selector (RFC 7296 §3.13.1).
const (
	TSIPv4AddrRange = 7
	TSIPv6AddrRange = 8
)

// named is the name of a number, or what it numbers and the number.
func named[N ~uint8 | ~uint16](names map[N]string, n N, what string) string {
	if name, ok := names[n]; ok {
		return name
	}
	return fmt.Sprintf("%s %d", what, n)
}

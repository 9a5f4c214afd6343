package gdoi

import (
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// SATIEC61850 is the body of a SAT for IEC 61850 traffic (RFC 8052 §2.2). Its keys come in a TEK key packet with the SPI of
// four octets.
//
//	traffic: OID length (1) | OID | OID payload length (2) | OID payload |
//	SPI (4) | authentication algorithm (2) | encryption algorithm (2) | remaining lifetime (4) | SA attributes
type SATIEC61850 struct {
	Traffic        isakmp.OIDIdentity
	SPI            uint32
	Authentication uint16           // see IECAuthentication
	Encryption     uint16           // see IECEncryption
	Remaining      uint32           // lifetime in seconds, 0: none
	Attributes     []wire.Attribute // see IECAttribute
}

// IECAuthentication is an authentication algorithm of IEC 61850 (RFC 8052 §2.2.2). The constants are untyped.
type IECAuthentication uint16

// The authentication algorithms of IEC 61850.
const (
	IECAuthNone               = 1
	IECAuthHMACSHA256Trunc128 = 2
	IECAuthHMACSHA256         = 3
	IECAuthAES128GMAC         = 4
	IECAuthAES256GMAC         = 5
)

// IECEncryption is an encryption algorithm of IEC 61850 (RFC 8052 §2.2.3). The constants are untyped.
type IECEncryption uint16

// The encryption algorithms of IEC 61850.
const (
	IECEncryptionNone      = 1
	IECEncryptionAES128CBC = 2
	IECEncryptionAES256CBC = 3
	IECEncryptionAES128GCM = 4
	IECEncryptionAES256GCM = 5
)

// String returns the algorithm's name, such as "HMAC-SHA256-128".
func (a IECAuthentication) String() string {
	return name(int(a), "authentication", "NONE", "HMAC-SHA256-128", "HMAC-SHA256", "AES-GMAC-128", "AES-GMAC-256")
}

// String returns the algorithm's name, such as "AES-GCM-128".
func (e IECEncryption) String() string {
	return name(int(e), "encryption", "NONE", "AES-CBC-128", "AES-CBC-256", "AES-GCM-128", "AES-GCM-256")
}

func (s *SATIEC61850) append(b []byte) ([]byte, error) {
	b, err := s.Traffic.Append(b)
	if err != nil {
		return nil, err
	}
	b = binary.BigEndian.AppendUint32(b, s.SPI)
	b = binary.BigEndian.AppendUint16(b, s.Authentication)
	b = binary.BigEndian.AppendUint16(b, s.Encryption)
	b = binary.BigEndian.AppendUint32(b, s.Remaining)
	return wire.AppendAttributes(b, s.Attributes)
}

func readSATIEC61850(r *wire.Reader, slab *attributeSlab) *SATIEC61850 {
	return &SATIEC61850{
		Traffic:        isakmp.ReadOIDIdentity(r),
		SPI:            r.Uint32("SAT SPI"),
		Authentication: r.Uint16("SAT authentication algorithm"),
		Encryption:     r.Uint16("SAT encryption algorithm"),
		Remaining:      r.Uint32("SAT remaining lifetime"),
		Attributes:     slab.read(r),
	}
}

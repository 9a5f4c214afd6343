package isakmp

// CertEncoding is the form of a certificate or the kind that is asked for (RFC 2408 §3.9).
type CertEncoding uint8

// The certificate encodings.
const (
	CertNone            CertEncoding = 0
	CertPKCS7           CertEncoding = 1
	CertPGP             CertEncoding = 2
	CertDNSSignedKey    CertEncoding = 3
	CertX509Signature   CertEncoding = 4
	CertX509KeyExchange CertEncoding = 5
	CertKerberos        CertEncoding = 6
	CertCRL             CertEncoding = 7
	CertARL             CertEncoding = 8
	CertSPKI            CertEncoding = 9
	CertX509Attribute   CertEncoding = 10
)

var certEncodingNames = []string{"NONE", "PKCS #7 wrapped X.509 certificate", "PGP certificate", "DNS signed key",
	"X.509 certificate - signature", "X.509 certificate - key exchange", "Kerberos tokens", "certificate revocation list",
	"authority revocation list", "SPKI certificate", "X.509 certificate - attribute"}

// String returns the registered name.
func (e CertEncoding) String() string { return name(certEncodingNames, int(e), "certificate encoding") }

package gdoi

// The transform identifiers of a SAT (RFC 2407 §4.4.3, §4.4.4 and their registries), which are not the numbers of IKEv2.
// The constants are untyped, to compare with SATESP.TransformID.

// ESPTransform is a transform identifier of ESP.
type ESPTransform uint8

// The transforms of ESP.
const (
	ESPDESIV64     = 1
	ESPDES         = 2
	ESP3DES        = 3
	ESPRC5         = 4
	ESPIDEA        = 5
	ESPCAST        = 6
	ESPBlowfish    = 7
	ESP3IDEA       = 8
	ESPDESIV32     = 9
	ESPRC4         = 10
	ESPNull        = 11
	ESPAESCBC      = 12
	ESPAESCTR      = 13
	ESPAESCCM8     = 14
	ESPAESCCM12    = 15
	ESPAESCCM16    = 16
	ESPAESGCM8     = 18
	ESPAESGCM12    = 19
	ESPAESGCM16    = 20
	ESPSEEDCBC     = 21
	ESPCamellia    = 22
	ESPNullAESGMAC = 23
)

// AHTransform is a transform identifier of AH.
type AHTransform uint8

// The transforms of AH.
const (
	AHMD5        = 2
	AHSHA        = 3
	AHDES        = 4
	AHSHA256     = 5
	AHSHA384     = 6
	AHSHA512     = 7
	AHRIPEMD     = 8
	AHAESXCBCMAC = 9
	AHRSA        = 10
	AHAES128GMAC = 11
	AHAES192GMAC = 12
	AHAES256GMAC = 13
)

var (
	espTransformNames = []string{"ESP_DES_IV64", "ESP_DES", "ESP_3DES", "ESP_RC5", "ESP_IDEA", "ESP_CAST", "ESP_BLOWFISH",
		"ESP_3IDEA", "ESP_DES_IV32", "ESP_RC4", "ESP_NULL", "ESP_AES-CBC", "ESP_AES-CTR", "ESP_AES-CCM_8", "ESP_AES-CCM_12",
		"ESP_AES-CCM_16", "", "ESP_AES-GCM_8", "ESP_AES-GCM_12", "ESP_AES-GCM_16", "ESP_SEED_CBC", "ESP_CAMELLIA",
		"ESP_NULL_AUTH_AES-GMAC"}
	ahTransformNames = []string{"", "AH_MD5", "AH_SHA", "AH_DES", "AH_SHA2-256", "AH_SHA2-384", "AH_SHA2-512", "AH_RIPEMD",
		"AH_AES-XCBC-MAC", "AH_RSA", "AH_AES-128-GMAC", "AH_AES-192-GMAC", "AH_AES-256-GMAC"}
)

// String returns the registered name, such as "ESP_AES-GCM_16".
func (t ESPTransform) String() string { return name(int(t), "ESP transform", espTransformNames...) }

// String returns the registered name, such as "AH_SHA2-256".
func (t AHTransform) String() string { return name(int(t), "AH transform", ahTransformNames...) }

// TransformName returns the registered name of a transform identifier in a SAT of that protocol, or nothing if it has none.
func TransformName(protocol, id uint8) string {
	switch protocol {
	case ProtoIPsecESP:
		return registered(espTransformNames, uint64(id))
	case ProtoIPsecAH:
		return registered(ahTransformNames, uint64(id))
	}
	return ""
}

package gdoi_test

import (
	"fmt"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

func TestNames(t *testing.T) {
	tests := []struct {
		value fmt.Stringer
		want  string
	}{
		{gdoi.KDTypeTEK, "TEK"},
		{gdoi.KDTypeSID, "SID"},
		{gdoi.KDType(0), "KD type(0)"},
		{gdoi.KDType(5), "KD type(5)"},
		{gdoi.KEKAttribute(gdoi.KEKManagement), "KEK_MANAGEMENT_ALGORITHM"},
		{gdoi.KEKAttribute(gdoi.SigKeyLength), "SIG_KEY_LENGTH"},
		{gdoi.KEKAttribute(8), "KEK attribute(8)"},
		{gdoi.KEKAttribute(gdoi.KEKAckRequested), "KEK_ACK_REQUESTED"},
		{gdoi.GAPAttribute(gdoi.GAPSenderIDRequest), "SENDER_ID_REQUEST"},
		{gdoi.SAAttribute(gdoi.SALifeType), "SA Life Type"},
		{gdoi.SAAttribute(gdoi.KeyLength), "Key Length"},
		{gdoi.SAAttribute(gdoi.SADirection), "SA Direction"},
		{gdoi.SAAttribute(16), "SA attribute(16)"},
		{gdoi.TEKKeyAttribute(gdoi.TEKSourceAuthKey), "TEK_SOURCE_AUTH_KEY"},
		{gdoi.KEKKeyAttribute(gdoi.SigAlgorithmKey), "SIG_ALGORITHM_KEY"},
		{gdoi.LKHAttribute(gdoi.LKHSigAlgorithmKey), "SIG_ALGORITHM_KEY"},
		{gdoi.SIDAttribute(gdoi.SIDValue), "SID_VALUE"},
		{gdoi.IECAttribute(gdoi.IECActivation), "SA_ATD"},
		{gdoi.IECAttribute(gdoi.IECKeyAssurance), "SA_KDA"},
		{gdoi.Protocol(gdoi.ProtoIPsecESP), "ESP"},
		{gdoi.Protocol(gdoi.ProtoIEC61850), "IEC 61850"},
		{gdoi.Protocol(128), "protocol(128)"},
		{gdoi.KEKManagementAlgorithm(gdoi.KEKManagementLKH), "LKH"},
		{gdoi.KEKCipher(gdoi.KEKCipherDES), "DES"},
		{gdoi.KEKCipher(gdoi.KEKCipher3DES), "3DES"},
		{gdoi.KEKCipher(gdoi.KEKCipherAES), "AES"},
		{gdoi.KEKCipher(4), "KEK algorithm(4)"},
		{gdoi.SigHash(gdoi.SigHashMD5), "MD5"},
		{gdoi.SigHash(gdoi.SigHashSHA512), "SHA-512"},
		{gdoi.SigType(gdoi.SigTypeRSA), "RSA"},
		{gdoi.SigType(gdoi.SigTypeECDSS), "ECDSS"},
		{gdoi.SigType(gdoi.SigTypeECDSA521), "ECDSA-521"},
		{gdoi.AckType(gdoi.AckKEKSHA256), "REKEY_ACK_KEK_SHA256"},
		{gdoi.AckType(gdoi.AckLKHSHA512), "REKEY_ACK_LKH_SHA512"},
		{gdoi.AckType(0), "acknowledgement(0)"},
		{gdoi.Encapsulation(gdoi.EncapsulationTunnel), "tunnel"},
		{gdoi.Encapsulation(gdoi.EncapsulationUDPTransport), "UDP transport"},
		{gdoi.Authentication(gdoi.AuthHMACSHA256), "HMAC-SHA2-256"},
		{gdoi.Authentication(gdoi.AuthSigRSA), "SIG-RSA"},
		{gdoi.Authentication(gdoi.AuthAES256GMAC), "AES-256-GMAC"},
		{gdoi.Preservation(gdoi.PreserveNone), "none"},
		{gdoi.Preservation(gdoi.PreserveBoth), "source and destination"},
		{gdoi.Direction(gdoi.DirectionSender), "sender only"},
		{gdoi.Direction(gdoi.DirectionSymmetric), "symmetric"},
		{gdoi.ESPTransform(gdoi.ESPDESIV64), "ESP_DES_IV64"},
		{gdoi.ESPTransform(gdoi.ESPAESCBC), "ESP_AES-CBC"},
		{gdoi.ESPTransform(17), "ESP transform(17)"},
		{gdoi.ESPTransform(gdoi.ESPAESGCM16), "ESP_AES-GCM_16"},
		{gdoi.ESPTransform(gdoi.ESPNullAESGMAC), "ESP_NULL_AUTH_AES-GMAC"},
		{gdoi.AHTransform(1), "AH transform(1)"},
		{gdoi.AHTransform(gdoi.AHMD5), "AH_MD5"},
		{gdoi.AHTransform(gdoi.AHSHA256), "AH_SHA2-256"},
		{gdoi.AHTransform(gdoi.AHAES256GMAC), "AH_AES-256-GMAC"},
		{gdoi.IECAuthentication(gdoi.IECAuthNone), "NONE"},
		{gdoi.IECAuthentication(gdoi.IECAuthAES256GMAC), "AES-GMAC-256"},
		{gdoi.IECEncryption(gdoi.IECEncryptionAES128CBC), "AES-CBC-128"},
		{gdoi.IECEncryption(6), "encryption(6)"},
	}
	for _, tt := range tests {
		if got := tt.value.String(); got != tt.want {
			t.Errorf("%T: %q, want %q", tt.value, got, tt.want)
		}
	}
}

func TestValueNames(t *testing.T) {
	tests := []struct {
		attribute interface{ ValueName(uint64) string }
		value     uint64
		want      string
	}{
		{gdoi.KEKAttribute(gdoi.KEKManagement), gdoi.KEKManagementLKH, "LKH"},
		{gdoi.KEKAttribute(gdoi.KEKAlgorithm), gdoi.KEKCipherAES, "AES"},
		{gdoi.KEKAttribute(gdoi.KEKAlgorithm), 0, ""},
		{gdoi.KEKAttribute(gdoi.SigHashAlgorithm), gdoi.SigHashSHA384, "SHA-384"},
		{gdoi.KEKAttribute(gdoi.SigAlgorithm), gdoi.SigTypeECDSA256, "ECDSA-256"},
		{gdoi.KEKAttribute(gdoi.KEKAckRequested), gdoi.AckKEKSHA512, "REKEY_ACK_KEK_SHA512"},
		{gdoi.KEKAttribute(gdoi.KEKKeyLength), 1, ""},
		{gdoi.SAAttribute(gdoi.SALifeType), 2, "kilobytes"},
		{gdoi.SAAttribute(gdoi.GroupDescription), 14, "2048-bit MODP"},
		{gdoi.SAAttribute(gdoi.AuthAlgorithm), gdoi.AuthAESXCBCMAC, "AES-XCBC-MAC"},
		{gdoi.SAAttribute(gdoi.ECNTunnel), gdoi.ECNTunnelForbidden, "forbidden"},
		{gdoi.SAAttribute(gdoi.ExtendedSequenceNumber), gdoi.SequenceNumber64, "64-bit"},
		{gdoi.SAAttribute(gdoi.AddressPreservation), gdoi.PreserveSource, "source only"},
		{gdoi.SAAttribute(gdoi.SADirection), 1<<64 - 1, ""},
	}
	for _, tt := range tests {
		if got := tt.attribute.ValueName(tt.value); got != tt.want {
			t.Errorf("%v %d: %q, want %q", tt.attribute, tt.value, got, tt.want)
		}
	}
	for _, tt := range []struct {
		protocol, id uint8
		want         string
	}{
		{gdoi.ProtoIPsecESP, gdoi.ESPAESCTR, "ESP_AES-CTR"},
		{gdoi.ProtoIPsecAH, gdoi.AHAES128GMAC, "AH_AES-128-GMAC"},
		{gdoi.ProtoIPsecESP, 24, ""},
		{gdoi.ProtoIEC61850, 2, ""},
	} {
		if got := gdoi.TransformName(tt.protocol, tt.id); got != tt.want {
			t.Errorf("transform %d of protocol %d: %q, want %q", tt.id, tt.protocol, got, tt.want)
		}
	}
}

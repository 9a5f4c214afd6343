package isakmp_test

import (
	"fmt"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

func TestNames(t *testing.T) {
	tests := []struct {
		value fmt.Stringer
		want  string
	}{
		{isakmp.PayloadNone, "NONE"},
		{isakmp.PayloadSA, "SA"},
		{isakmp.PayloadVID, "VID"},
		{isakmp.PayloadSAK, "SAK"},
		{isakmp.PayloadSAT, "SAT"},
		{isakmp.PayloadKD, "KD"},
		{isakmp.PayloadSEQ, "SEQ"},
		{isakmp.PayloadNATD, "NAT-D"},
		{isakmp.PayloadGAP, "GAP"},
		{isakmp.PayloadType(23), "payload(23)"},
		{isakmp.ExchangeMainMode, "Identity Protection"},
		{isakmp.ExchangePull, "GROUPKEY-PULL"},
		{isakmp.ExchangePush, "GROUPKEY-PUSH"},
		{isakmp.ExchangePushACK, "GROUPKEY-PUSH-ACK"},
		{isakmp.ExchangeType(34), "exchange(34)"},
		{isakmp.Flags(0), "-"},
		{isakmp.FlagEncryption | isakmp.FlagAuthOnly, "EA"},
		{isakmp.FlagCommit | 0x80, "C+0x80"},
		{isakmp.NotifyInvalidPayloadType, "INVALID-PAYLOAD-TYPE"},
		{isakmp.NotifyPayloadMalformed, "PAYLOAD-MALFORMED"},
		{isakmp.NotifyUnequalPayloadLengths, "UNEQUAL-PAYLOAD-LENGTHS"},
		{isakmp.NotifyInitialContact, "INITIAL-CONTACT"},
		{isakmp.NotifyType(0), "notify(0)"},
		{isakmp.NotifyType(31), "notify(31)"},
		{isakmp.Attribute(isakmp.AttrEncryptionAlgorithm), "Encryption Algorithm"},
		{isakmp.Attribute(isakmp.AttrKeyLength), "Key Length"},
		{isakmp.Attribute(isakmp.AttrGroupOrder), "Group Order"},
		{isakmp.Attribute(17), "attribute(17)"},
		{isakmp.IDType(isakmp.IDIPv4Addr), "ID_IPV4_ADDR"},
		{isakmp.IDType(isakmp.IDKeyID), "ID_KEY_ID"},
		{isakmp.IDType(isakmp.IDOID), "ID_OID"},
		{isakmp.IDType(0), "ID(0)"},
		{isakmp.Encryption(isakmp.EncryptionDESCBC), "DES-CBC"},
		{isakmp.Encryption(isakmp.Encryption3DESCBC), "3DES-CBC"},
		{isakmp.Encryption(isakmp.EncryptionCamelliaCBC), "CAMELLIA-CBC"},
		{isakmp.Encryption(9), "encryption(9)"},
		{isakmp.HashAlgorithm(isakmp.HashMD5), "MD5"},
		{isakmp.HashAlgorithm(isakmp.HashSHA1), "SHA-1"},
		{isakmp.HashAlgorithm(isakmp.HashSHA512), "SHA2-512"},
		{isakmp.HashAlgorithm(7), "hash(7)"},
		{isakmp.AuthMethod(isakmp.AuthRSA), "RSA signatures"},
		{isakmp.AuthMethod(isakmp.AuthRevisedRSAEncryption), "revised RSA encryption"},
		{isakmp.AuthMethod(6), "authentication method(6)"},
		{isakmp.AuthMethod(isakmp.AuthECDSA256), "ECDSA-256"},
		{isakmp.AuthMethod(isakmp.AuthECDSA521), "ECDSA-521"},
		{isakmp.Group(isakmp.GroupMODP1536), "1536-bit MODP"},
		{isakmp.Group(13), "group(13)"},
		{isakmp.Group(isakmp.GroupMODP2048), "2048-bit MODP"},
		{isakmp.Group(isakmp.GroupMODP8192), "8192-bit MODP"},
		{isakmp.Group(isakmp.GroupECP521), "521-bit ECP"},
		{isakmp.Group(isakmp.GroupMODP2048Prime256), "2048-bit MODP of 256-bit order"},
		{isakmp.Group(25), "group(25)"},
		{isakmp.GroupType(isakmp.GroupTypeEC2N), "EC2N"},
		{isakmp.LifeType(isakmp.LifeKilobytes), "kilobytes"},
		{isakmp.CertNone, "NONE"},
		{isakmp.CertX509Signature, "X.509 certificate - signature"},
		{isakmp.CertCRL, "certificate revocation list"},
		{isakmp.CertX509Attribute, "X.509 certificate - attribute"},
		{isakmp.CertEncoding(11), "certificate encoding(11)"},
	}
	for _, tt := range tests {
		if got := tt.value.String(); got != tt.want {
			t.Errorf("%T: %q, want %q", tt.value, got, tt.want)
		}
	}
}

func TestValueNames(t *testing.T) {
	tests := []struct {
		attribute isakmp.Attribute
		value     uint64
		want      string
	}{
		{isakmp.AttrEncryptionAlgorithm, isakmp.EncryptionAESCBC, "AES-CBC"},
		{isakmp.AttrHashAlgorithm, isakmp.HashSHA384, "SHA2-384"},
		{isakmp.AttrAuthenticationMethod, isakmp.AuthDSS, "DSS signatures"},
		{isakmp.AttrAuthenticationMethod, 7, ""},
		{isakmp.AttrGroupDescription, isakmp.GroupECP256, "256-bit ECP"},
		{isakmp.AttrGroupType, isakmp.GroupTypeMODP, "MODP"},
		{isakmp.AttrLifeType, isakmp.LifeSeconds, "seconds"},
		{isakmp.AttrLifeType, 0, ""},
		{isakmp.AttrLifeType, 1<<64 - 1, ""},
		{isakmp.AttrLifeDuration, 1, ""},
		{17, 1, ""},
	}
	for _, tt := range tests {
		if got := tt.attribute.ValueName(tt.value); got != tt.want {
			t.Errorf("%v %d: %q, want %q", tt.attribute, tt.value, got, tt.want)
		}
	}
}

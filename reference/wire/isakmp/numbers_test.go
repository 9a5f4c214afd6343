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
	}
	for _, tt := range tests {
		if got := tt.value.String(); got != tt.want {
			t.Errorf("%T: %q, want %q", tt.value, got, tt.want)
		}
	}
}

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
	}
	for _, tt := range tests {
		if got := tt.value.String(); got != tt.want {
			t.Errorf("%T: %q, want %q", tt.value, got, tt.want)
		}
	}
}

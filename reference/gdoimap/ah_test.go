package gdoimap

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// There is no AH in UDP (RFC 3947 §5.1).
func TestNoAHInUDP(t *testing.T) {
	sa := exampleSA()
	sa.Transform = policy.AHTransforms()[0]
	sa.Transform.Mode, sa.CipherKey, sa.IntegrityKey = policy.ModeUDPTunnel, nil, from(0, sa.Transform.IntegrityKeyLen())
	_, err := ReadSA(SAOf(nil, policy.Activation{}, []policy.TrafficSA{sa}, nil), nil)
	if err == nil || refusing(t, err) != checkSATValue {
		t.Errorf("%v", err)
	}
}

// TestAHRoundTrip sends every algorithm of AH, with its key, and reads it back.
func TestAHRoundTrip(t *testing.T) {
	for i, transform := range policy.AHTransforms() {
		transform.Mode, transform.Preservation, transform.ESN = policy.ModeTunnel, policy.PreserveNone, i%2 == 0
		sa := exampleSA()
		sa.SPI, sa.Transform, sa.Lifetime, sa.CipherKey = uint32(0x500+i), transform, time.Hour, nil
		sa.IntegrityKey = from(0, transform.IntegrityKeyLen())
		sas := []policy.TrafficSA{sa}
		payload := SAOf(nil, policy.Activation{}, sas, nil)
		if sat := payload.Attributes[0].(gdoi.SAT); sat.ProtocolID != 2 || sat.ESP.TransformID != []uint8{5, 6, 7, 3}[i] {
			t.Errorf("%s is protocol %d, transform %d", transform, sat.ProtocolID, sat.ESP.TransformID)
		}
		got, err := ReadSA(payload, nil)
		if err != nil {
			t.Fatalf("%s: %v", transform, err)
		}
		if _, err := got.AddKeys(KDOf(nil, sas, nil, nil), nil); err != nil {
			t.Fatalf("%s: %v", transform, err)
		}
		if diff := cmp.Diff(sas, got.SAs, cmpopts.EquateEmpty(), cmpopts.EquateComparable(policy.Selector{})); diff != "" {
			t.Errorf("%s: -want +got\n%s", transform, diff)
		}
	}
}

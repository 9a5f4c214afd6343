package gdoimap

import (
	"bytes"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// The worked values: made by another implementation.
const (
	goldenSA = "000000a00000000200000000000f0000" +
		"160000451101035004c000020a01035004ef010101c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d70000000080020003800300800004000400015180800500038006000180070800" +
		"1000000c800100058002000a" +
		"0000003f0100040000080a000000ff000000040000080a000000ff000000149abcdef0800100010002000400000e108004000180060100800e0004800f0003"
	goldenKD = "00000083000300000200003910c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7" +
		"00010020404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f" +
		"01000031049abcdef000010024606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f80818283" +
		"0400001100800100080002000400000005"
	goldenRequest = "0000000880030002"
)

func encode(t *testing.T, p isakmp.Payload) []byte {
	t.Helper()
	b, err := isakmp.AppendPayload(nil, isakmp.PayloadNone, p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGolden(t *testing.T) {
	sas := []policy.TrafficSA{exampleSA()}
	noPublicKey := altered(t, dutyPublicKey.Name, rule.Broken) // the example leaves it out
	for name, c := range map[string]struct {
		got  isakmp.Payload
		want string
	}{
		"SA":      {SAOf(exampleRekey(), exampleActivation(), sas, nil), goldenSA},
		"KD":      {KDOf(exampleRekey(), sas, &policy.SIDs{Bits: 8, Values: []uint32{5}}, noPublicKey), goldenKD},
		"request": {RequestOf(2, nil), goldenRequest},
	} {
		if got := encode(t, c.got); !bytes.Equal(got, unhex(t, c.want)) {
			t.Errorf("%s = %x\nwant %s", name, got, c.want)
		}
	}
}

func TestPublicKeyIsSent(t *testing.T) {
	kd := encode(t, KDOf(exampleRekey(), nil, nil, nil))
	want := append([]byte{0, 2, 0x01, 0x26}, der(signerPEM)...)
	if !bytes.HasSuffix(kd, want) {
		t.Errorf("KD = %x\nends not with %x", kd, want)
	}
}

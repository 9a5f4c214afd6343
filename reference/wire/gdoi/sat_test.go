package gdoi_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

func TestSATBothWays(t *testing.T) {
	tests := []struct {
		name, hex string
		value     gdoi.SAT
	}{
		{"AH with empty source", "02 06 04 0102 00 07 0304 01 aa 0b 01020304 800f0001", gdoi.SAT{
			ProtocolID: gdoi.ProtoIPsecAH,
			ESP: &gdoi.SATESP{
				Protocol:    6,
				Source:      gdoi.ID16{Type: 4, Port: 0x0102},
				Destination: gdoi.ID16{Type: 7, Port: 0x0304, Data: []byte{0xaa}},
				TransformID: 11,
				SPI:         0x01020304,
				Attributes:  []wire.Attribute{wire.TV(gdoi.SADirection, 1)},
			}}},
		{"IEC 61850 with nothing", "03 00 0000 00000000 0000 0000 00000000", gdoi.SAT{ProtocolID: gdoi.ProtoIEC61850,
			IEC61850: &gdoi.SATIEC61850{}}},
		{"IEC 61850, attributes unknown", "03 01 aa 0001 bb 01020304 0506 0708 090a0b0c 7fff0001dd ffffeeee", gdoi.SAT{
			ProtocolID: gdoi.ProtoIEC61850,
			IEC61850: &gdoi.SATIEC61850{
				Traffic:        isakmp.OIDIdentity{OID: []byte{0xaa}, Payload: []byte{0xbb}},
				SPI:            0x01020304,
				Authentication: 0x0506,
				Encryption:     0x0708,
				Remaining:      0x090a0b0c,
				Attributes:     []wire.Attribute{wire.TLV(0x7fff, []byte{0xdd}), wire.TV(0x7fff, 0xeeee)},
			}}},
		{"another protocol", "80 010203", gdoi.SAT{ProtocolID: 128, Raw: []byte{1, 2, 3}}},
		{"another protocol, empty", "00", gdoi.SAT{}},
	}
	for _, tt := range tests {
		b := wiretest.Hex(t, tt.hex)
		if got, err := gdoi.ParseSAT(b, 32); err != nil || !reflect.DeepEqual(got, tt.value) {
			t.Errorf("%s: parsed %+v (%v)", tt.name, got, err)
		}
		if got, err := tt.value.AppendBody(nil); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s: appended %x (%v), want %x", tt.name, got, err, b)
		}
	}
}

func TestSATErrors(t *testing.T) {
	tests := []struct {
		hex  string
		want wire.Error
	}{
		{"", wire.Error{Offset: 32, Field: "SAT protocol ID", Err: wire.ErrShort}},
		{"01", wire.Error{Offset: 33, Field: "SAT protocol", Err: wire.ErrShort}},
		{"01 00 04 0000 08 0a000000", wire.Error{Offset: 38, Field: "SAT source", Err: wire.ErrShort}},
		{"01 00 04 0000 00 04 0000 00", wire.Error{Offset: 42, Field: "SAT transform ID", Err: wire.ErrShort}},
		{"01 00 04 0000 00 04 0000 00 14 9abc", wire.Error{Offset: 43, Field: "SAT SPI", Err: wire.ErrShort}},
		{"01 00 04 0000 00 04 0000 00 14 9abcdef0 00020004 00", wire.Error{Offset: 51, Field: "attribute value", Err: wire.ErrShort}},
		{"03 05 aabb", wire.Error{Offset: 34, Field: "OID", Err: wire.ErrShort}},
		{"03 01 aa 0002 bb", wire.Error{Offset: 37, Field: "OID payload", Err: wire.ErrShort}},
		{"03 00 0000 61850001 0001", wire.Error{Offset: 42, Field: "SAT encryption algorithm", Err: wire.ErrShort}},
		{"03 00 0000 61850001 0001 0001 00000e", wire.Error{Offset: 44, Field: "SAT remaining lifetime", Err: wire.ErrShort}},
		{"03 00 0000 61850001 0001 0001 00000e10 8001", wire.Error{Offset: 50, Field: "attribute value", Err: wire.ErrShort}},
	}
	for _, tt := range tests {
		var e *wire.Error
		if _, err := gdoi.ParseSAT(wiretest.Hex(t, tt.hex), 32); !errors.As(err, &e) || *e != tt.want {
			t.Errorf("error %v, want %v", err, &tt.want)
		}
	}
}

func TestSATsThatCannotBeWritten(t *testing.T) {
	for field, traffic := range map[string]isakmp.OIDIdentity{
		"OID length":         {OID: make([]byte, 256)},
		"OID payload length": {Payload: make([]byte, 65536)},
	} {
		var e *wire.Error
		p := gdoi.SAT{ProtocolID: gdoi.ProtoIEC61850, IEC61850: &gdoi.SATIEC61850{Traffic: traffic}}
		if _, err := p.AppendBody(nil); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func FuzzSAT(f *testing.F) {
	for _, name := range []string{"gdoi/sat", "gdoi/sat-ah", "gdoi/sat-61850"} {
		f.Add(wiretest.Vector(f, name)[isakmp.GenericLen:])
	}
	f.Add([]byte{128, 1, 2, 3})
	f.Fuzz(func(t *testing.T, body []byte) { checkCut(t, isakmp.ParserOf(gdoi.ParseSAT), body) })
}

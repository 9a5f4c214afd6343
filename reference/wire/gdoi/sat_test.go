package gdoi_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
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
	}
	for _, tt := range tests {
		var e *wire.Error
		if _, err := gdoi.ParseSAT(wiretest.Hex(t, tt.hex), 32); !errors.As(err, &e) || *e != tt.want {
			t.Errorf("error %v, want %v", err, &tt.want)
		}
	}
}

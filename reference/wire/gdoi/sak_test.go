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

func TestSAKKeepsEveryField(t *testing.T) {
	b := wiretest.Hex(t, "fe 01 0102 00 05 0304 02 aabb 000102030405060708090a0b0c0d0e0f deadbeef 7fff0001cc")
	want := gdoi.SAK{
		Protocol:    0xfe,
		Source:      gdoi.ID16{Type: 1, Port: 0x0102},
		Destination: gdoi.ID16{Type: 5, Port: 0x0304, Data: []byte{0xaa, 0xbb}},
		SPI:         [16]byte(run(0, 16)),
		Reserved2:   0xdeadbeef,
		Attributes:  []wire.Attribute{wire.TLV(0x7fff, []byte{0xcc})},
	}
	if got, err := gdoi.ParseSAK(b, 32); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("parsed %+v (%v)\nwant   %+v", got, err, want)
	}
	if got, err := want.AppendBody(nil); err != nil || !bytes.Equal(got, b) {
		t.Errorf("appended %x (%v)\nwant     %x", got, err, b)
	}
}

func TestSAKErrors(t *testing.T) {
	tests := []struct {
		hex  string
		want wire.Error
	}{
		{"", wire.Error{Offset: 32, Field: "SAK protocol", Err: wire.ErrShort}},
		{"11 01 0350 05 c000020a", wire.Error{Offset: 37, Field: "SAK source", Err: wire.ErrShort}},
		{"11 01 0350 00 01 0350 01", wire.Error{Offset: 41, Field: "SAK destination", Err: wire.ErrShort}},
		{"11 01 0350 00 01 0350 00 0102", wire.Error{Offset: 41, Field: "SAK SPI", Err: wire.ErrShort}},
	}
	for _, tt := range tests {
		var e *wire.Error
		if _, err := gdoi.ParseSAK(wiretest.Hex(t, tt.hex), 32); !errors.As(err, &e) || *e != tt.want {
			t.Errorf("error %v, want %v", err, &tt.want)
		}
	}
}

func TestIdentitiesThatCannotBeWritten(t *testing.T) {
	long := gdoi.ID16{Data: make([]byte, 256)}
	for name, p := range map[string]interface{ AppendBody([]byte) ([]byte, error) }{
		"SAK source":      gdoi.SAK{Source: long},
		"SAK destination": gdoi.SAK{Destination: long},
		"SAT source":      gdoi.SAT{ESP: &gdoi.SATESP{Source: long}},
		"SAT destination": gdoi.SAT{ESP: &gdoi.SATESP{Destination: long}},
	} {
		var e *wire.Error
		if _, err := p.AppendBody(nil); !errors.As(err, &e) || e.Field != name || !errors.Is(err, wire.ErrLength) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

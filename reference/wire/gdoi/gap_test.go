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

func TestGAPBothWays(t *testing.T) {
	tests := []struct {
		hex   string
		value gdoi.GAP
	}{
		{"", gdoi.GAP{}},
		{"80030001 80030001", gdoi.GAP{Attributes: []wire.Attribute{wire.TV(3, 1), wire.TV(3, 1)}}},
		{"00010002 0005", gdoi.GAP{Attributes: []wire.Attribute{wire.TLV(1, []byte{0, 5})}}},
	}
	for _, tt := range tests {
		b := wiretest.Hex(t, tt.hex)
		if got, err := gdoi.ParseGAP(b, 32); err != nil || !reflect.DeepEqual(got, tt.value) {
			t.Errorf("parsed %+v (%v), want %+v", got, err, tt.value)
		}
		if got, err := tt.value.AppendBody(nil); err != nil || !bytes.Equal(got, b) {
			t.Errorf("appended %x (%v), want %x", got, err, b)
		}
	}
}

func TestGAPErrors(t *testing.T) {
	want := wire.Error{Offset: 38, Field: "attribute value", Err: wire.ErrShort}
	var e *wire.Error
	if _, err := gdoi.ParseGAP(wiretest.Hex(t, "80010005 8002 00"), 32); !errors.As(err, &e) || *e != want {
		t.Errorf("error %v, want %v", err, &want)
	}
}

package isakmp_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

func TestDeleteBothWays(t *testing.T) {
	most := uint16(65535)
	tests := []struct {
		name, hex string
		value     isakmp.Delete
	}{
		{"nothing", "00000002 01 04 0000", isakmp.Delete{DOI: 2, Protocol: 1, SPISize: 4}},
		{"two of ESP", "00000002 01 04 0002 9abcdef0 00000000",
			isakmp.Delete{DOI: 2, Protocol: 1, SPISize: 4, SPIs: [][]byte{{0x9a, 0xbc, 0xde, 0xf0}, {0, 0, 0, 0}}}},
		{"65535 of no size", "00000002 01 00 ffff", isakmp.Delete{DOI: 2, Protocol: 1, Count: &most}},
	}
	for _, tt := range tests {
		b := wiretest.Hex(t, tt.hex)
		if got, err := isakmp.ParseDelete(b, 32); err != nil || !reflect.DeepEqual(got, tt.value) {
			t.Errorf("%s: parsed %+v (%v)", tt.name, got, err)
		}
		if got, err := tt.value.AppendBody(nil); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s: appended %x (%v)", tt.name, got, err)
		}
	}
}

func TestDeleteErrors(t *testing.T) {
	tests := []struct {
		name, hex string
		want      wire.Error
	}{
		{"short", "00000002 0104", wire.Error{Offset: 38, Field: "delete number of SPIs", Err: wire.ErrShort}},
		{"one SPI too few", "00000002 01 04 0002 9abcdef0", wire.Error{Offset: 40, Field: "delete SPIs", Err: wire.ErrShort}},
		{"65535 that are not there", "00000002 01 ff ffff", wire.Error{Offset: 40, Field: "delete SPIs", Err: wire.ErrShort}},
		{"one too many", "00000002 01 04 0000 9abcdef0", wire.Error{Offset: 40, Field: "end", Err: wire.ErrTrailing}},
		{"sizeless with octets", "00000002 01 00 0001 9a", wire.Error{Offset: 40, Field: "end", Err: wire.ErrTrailing}},
	}
	for _, tt := range tests {
		var e *wire.Error
		if _, err := isakmp.ParseDelete(wiretest.Hex(t, tt.hex), 32); !errors.As(err, &e) || *e != tt.want {
			t.Errorf("%s: error %v, want %v", tt.name, err, &tt.want)
		}
	}
}

func TestDeleteCountOverride(t *testing.T) {
	five := uint16(5)
	got, err := isakmp.Delete{DOI: 2, Protocol: 1, SPISize: 4, SPIs: [][]byte{{1, 2, 3}}, Count: &five}.AppendBody(nil)
	if want := wiretest.Hex(t, "00000002 01 04 0005 010203"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x (%v), want %x", got, err, want)
	}
}

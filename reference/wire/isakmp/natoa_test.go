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

func TestNATOABothWays(t *testing.T) {
	tests := []struct {
		hex   string
		value isakmp.NATOA
	}{
		{"01 000000 c0000201", isakmp.NATOA{IDType: isakmp.IDIPv4Addr, Address: []byte{192, 0, 2, 1}}},
		{"ff 010203", isakmp.NATOA{IDType: 255, Reserved2: [3]byte{1, 2, 3}}},
	}
	for _, tt := range tests {
		b := wiretest.Hex(t, tt.hex)
		if got, err := isakmp.ParseNATOA(b, 32); err != nil || !reflect.DeepEqual(got, tt.value) {
			t.Errorf("parsed %+v (%v), want %+v", got, err, tt.value)
		}
		if got, err := tt.value.AppendBody(nil); err != nil || !bytes.Equal(got, b) {
			t.Errorf("appended %x (%v), want %x", got, err, b)
		}
		for n := range 4 {
			if _, err := isakmp.ParseNATOA(b[:n], 32); !errors.Is(err, wire.ErrShort) {
				t.Errorf("%d octets: %v", n, err)
			}
		}
	}
}

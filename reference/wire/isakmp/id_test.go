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

func TestIDBothWays(t *testing.T) {
	tests := []struct {
		hex   string
		value isakmp.ID
	}{
		{"01 11 0350 c0000201", isakmp.ID{IDType: isakmp.IDIPv4Addr, Protocol: 17, Port: 848, Data: []byte{192, 0, 2, 1}}},
		{"0b 00 0000", isakmp.ID{IDType: isakmp.IDKeyID}},
	}
	for _, tt := range tests {
		b := wiretest.Hex(t, tt.hex)
		if got, err := isakmp.ParseID(b, 32); err != nil || !reflect.DeepEqual(got, tt.value) {
			t.Errorf("parsed %+v (%v)", got, err)
		}
		if got, err := tt.value.AppendBody(nil); err != nil || !bytes.Equal(got, b) {
			t.Errorf("appended %x (%v)", got, err)
		}
		for n := range 4 {
			if _, err := isakmp.ParseID(b[:n], 32); !errors.Is(err, wire.ErrShort) {
				t.Errorf("%d octets: %v", n, err)
			}
		}
	}
}

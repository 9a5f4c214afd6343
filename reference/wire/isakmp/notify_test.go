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

func TestNotifyBothWays(t *testing.T) {
	tests := []struct {
		hex   string
		value isakmp.Notify
	}{
		{"00000000 01 00 000e", isakmp.Notify{Protocol: 1, NotifyType: isakmp.NotifyNoProposalChosen}},
		{"00000002 01 02 8d28 abcd 0000002a", isakmp.Notify{DOI: 2, Protocol: 1, SPI: []byte{0xab, 0xcd},
			NotifyType: isakmp.NotifyRUThere, Data: []byte{0, 0, 0, 42}}},
	}
	for _, tt := range tests {
		b := wiretest.Hex(t, tt.hex)
		if got, err := isakmp.ParseNotify(b, 32); err != nil || !reflect.DeepEqual(got, tt.value) {
			t.Errorf("parsed %+v (%v)", got, err)
		}
		if got, err := tt.value.AppendBody(nil); err != nil || !bytes.Equal(got, b) {
			t.Errorf("appended %x (%v)", got, err)
		}
	}
}

func TestNotifyErrors(t *testing.T) {
	tests := []struct {
		hex  string
		want wire.Error
	}{
		{"000000", wire.Error{Offset: 32, Field: "notify DOI", Err: wire.ErrShort}},
		{"00000002 01 00 00", wire.Error{Offset: 38, Field: "notify type", Err: wire.ErrShort}},
		{"00000002 01 04 000e abcdef", wire.Error{Offset: 40, Field: "notify SPI", Err: wire.ErrShort}},
	}
	for _, tt := range tests {
		var e *wire.Error
		if _, err := isakmp.ParseNotify(wiretest.Hex(t, tt.hex), 32); !errors.As(err, &e) || *e != tt.want {
			t.Errorf("error %v, want %v", err, &tt.want)
		}
	}
}

func TestNotifyError(t *testing.T) {
	err := &isakmp.NotifyError{Type: isakmp.NotifyPayloadMalformed, Err: wire.ErrShort}
	if !errors.Is(err, wire.ErrShort) || err.Error() != "PAYLOAD-MALFORMED: input ends too early" {
		t.Errorf("%v", err)
	}
	if !isakmp.NotifyPayloadMalformed.IsError() || isakmp.NotifyConnected.IsError() || isakmp.NotifyRUThere.IsError() {
		t.Error("IsError is wrong")
	}
}

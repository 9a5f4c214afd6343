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

func TestCertificatesBothWays(t *testing.T) {
	tests := []struct {
		hex   string
		value isakmp.Payload
	}{
		{"07 3000", isakmp.CERT{Encoding: isakmp.CertCRL, Data: []byte{0x30, 0}}},
		{"ff", isakmp.CERT{Encoding: 255}},
		{"01 3000", isakmp.CR{Encoding: isakmp.CertPKCS7, Authority: []byte{0x30, 0}}},
		{"04", isakmp.CR{Encoding: isakmp.CertX509Signature}},
	}
	for _, tt := range tests {
		b := wiretest.Hex(t, tt.hex)
		parse := isakmp.Phase1[tt.value.Type()]
		if got, err := parse(b, 32); err != nil || !reflect.DeepEqual(got, tt.value) {
			t.Errorf("parsed %+v (%v), want %+v", got, err, tt.value)
		}
		if got, err := tt.value.AppendBody(nil); err != nil || !bytes.Equal(got, b) {
			t.Errorf("appended %x (%v), want %x", got, err, b)
		}
	}
}

func TestCertificatesWithoutAnEncoding(t *testing.T) {
	for typ, field := range map[isakmp.PayloadType]string{
		isakmp.PayloadCERT: "certificate encoding", isakmp.PayloadCR: "certificate request type",
	} {
		want := wire.Error{Offset: 32, Field: field, Err: wire.ErrShort}
		var e *wire.Error
		if _, err := isakmp.Phase1[typ](nil, 32); !errors.As(err, &e) || *e != want {
			t.Errorf("error %v, want %v", err, &want)
		}
	}
}

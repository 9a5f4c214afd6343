package isakmp_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

var headerOfMain1 = isakmp.Header{
	InitiatorCookie: isakmp.Cookie{0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11},
	NextPayload:     isakmp.PayloadSA,
	Version:         isakmp.Version10,
	Exchange:        isakmp.ExchangeMainMode,
	Length:          84,
}

func TestHeaderBothWays(t *testing.T) {
	tests := []struct {
		name, hex string
		value     isakmp.Header
	}{
		{"Main Mode 1", "1111111111111111 0000000000000000 01100200 00000000 00000054", headerOfMain1},
		{"every field", "0102030405060708 1112131415161718 0810230789abcdeffedcba98", isakmp.Header{
			InitiatorCookie: isakmp.Cookie{1, 2, 3, 4, 5, 6, 7, 8},
			ResponderCookie: isakmp.Cookie{0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18},
			NextPayload:     isakmp.PayloadHASH,
			Version:         0x10,
			Exchange:        isakmp.ExchangePushACK,
			Flags:           isakmp.FlagEncryption | isakmp.FlagCommit | isakmp.FlagAuthOnly,
			MessageID:       0x89abcdef,
			Length:          0xfedcba98,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := wiretest.Hex(t, tt.hex)
			if got, err := isakmp.ParseHeader(append(b, 1, 2, 3)); err != nil || got != tt.value {
				t.Errorf("parsed %+v (%v)", got, err)
			}
			if got := tt.value.Append([]byte{9}); !bytes.Equal(got[1:], b) || got[0] != 9 {
				t.Errorf("appended %x, want %x", got[1:], b)
			}
			for n := range isakmp.HeaderLen {
				if _, err := isakmp.ParseHeader(b[:n]); !errors.Is(err, wire.ErrShort) {
					t.Errorf("%d octets: %v", n, err)
				}
			}
		})
	}
}

func TestCookie(t *testing.T) {
	if !headerOfMain1.ResponderCookie.IsZero() || headerOfMain1.InitiatorCookie.IsZero() {
		t.Error("IsZero is wrong")
	}
	if got := headerOfMain1.InitiatorCookie.String(); got != "1111111111111111" {
		t.Errorf("String = %q", got)
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(headerOfMain1.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := isakmp.ParseHeader(b)
		if err != nil {
			wiretest.CheckError(t, err, 0, len(b))
		} else if !bytes.Equal(h.Append(nil), b[:isakmp.HeaderLen]) {
			t.Fatalf("in %x, out %x", b, h.Append(nil))
		}
	})
}

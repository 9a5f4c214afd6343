package natt_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

func TestSplit(t *testing.T) {
	tests := []struct {
		hex    string
		kind   natt.Kind
		inside string
	}{
		{"ff", natt.KindKeepalive, ""},
		{"00000000 1122", natt.KindISAKMP, "1122"},
		{"00000000", natt.KindISAKMP, ""},
		{"00000100 1122", natt.KindESP, "00000100 1122"},
		{"ffffffff", natt.KindESP, "ffffffff"},
	}
	for _, tt := range tests {
		b := wiretest.Hex(t, tt.hex)
		kind, inside, err := natt.Split(b)
		if err != nil || kind != tt.kind || !bytes.Equal(inside, wiretest.Hex(t, tt.inside)) {
			t.Errorf("%s: %v, %x, %v", tt.hex, kind, inside, err)
		}
	}
	for _, short := range []string{"", "00", "fe", "0000", "ffff", "000000"} {
		want := wire.Error{Field: "marker or SPI", Err: wire.ErrShort}
		var e *wire.Error
		if kind, _, err := natt.Split(wiretest.Hex(t, short)); kind != 0 || !errors.As(err, &e) || *e != want {
			t.Errorf("%s: %v, %v", short, kind, err)
		}
	}
}

func TestKindString(t *testing.T) {
	for kind, want := range map[natt.Kind]string{natt.KindISAKMP: "ISAKMP", natt.KindESP: "ESP", natt.KindKeepalive: "keepalive", 0: "unknown"} {
		if got := kind.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte{0xff})
	f.Add([]byte{0, 0, 0, 0, 1})
	f.Add([]byte{1, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, inside, err := natt.Split(b)
		var again []byte
		switch {
		case err != nil:
			wiretest.CheckError(t, err, 0, len(b))
			return
		case kind == natt.KindISAKMP:
			again = append(natt.AppendMarker(nil), inside...)
		case kind == natt.KindKeepalive:
			again = natt.AppendKeepalive(nil)
		default:
			again = inside
		}
		if !bytes.Equal(again, b) {
			t.Fatalf("%v: in %x, out %x", kind, b, again)
		}
	})
}

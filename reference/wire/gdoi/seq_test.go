package gdoi_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

func TestSEQ(t *testing.T) {
	b := []byte{0xfe, 0xdc, 0xba, 0x98}
	if got, err := gdoi.ParseSEQ(b, 32); err != nil || got.Number != 0xfedcba98 {
		t.Errorf("parsed %+v (%v)", got, err)
	}
	if got, err := (gdoi.SEQ{Number: 0xfedcba98}).AppendBody(nil); err != nil || !bytes.Equal(got, b) {
		t.Errorf("appended %x (%v)", got, err)
	}
	for body, want := range map[string]error{"": wire.ErrShort, "\x00\x00\x00": wire.ErrShort, "\x00\x00\x00\x00\x00": wire.ErrTrailing} {
		if _, err := gdoi.ParseSEQ([]byte(body), 32); !errors.Is(err, want) {
			t.Errorf("%x: %v, want %v", body, err, want)
		}
	}
}

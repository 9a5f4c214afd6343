package esp_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/esp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

var header = esp.Header{SPI: 0x9abcdef0, Sequence: 7}

func TestHeaderBothWays(t *testing.T) {
	golden := wiretest.Vector(t, "esp/packet")
	if got, err := esp.ParseHeader(golden); err != nil || got != header {
		t.Errorf("parsed %+v (%v), want %+v", got, err, header)
	}
	if got := header.Append([]byte{1}); !bytes.Equal(got[1:], golden[:esp.HeaderLen]) || got[0] != 1 {
		t.Errorf("appended %x, want %x", got[1:], golden[:esp.HeaderLen])
	}
}

func TestHeaderCutOff(t *testing.T) {
	golden := wiretest.Vector(t, "esp/packet")
	for n := range esp.HeaderLen {
		want := wire.Error{Offset: 0, Field: "ESP SPI", Err: wire.ErrShort}
		if n >= 4 {
			want.Offset, want.Field = 4, "ESP sequence number"
		}
		var e *wire.Error
		if got, err := esp.ParseHeader(golden[:n]); !errors.As(err, &e) || *e != want || got != (esp.Header{}) {
			t.Errorf("%d octets: %+v, %v", n, got, err)
		}
	}
}

func TestHeaderDoesNotAllocate(t *testing.T) {
	golden, buf := wiretest.Vector(t, "esp/packet"), make([]byte, 0, esp.HeaderLen)
	if got := testing.AllocsPerRun(100, func() {
		h, _ := esp.ParseHeader(golden)
		buf = h.Append(buf[:0])
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(wiretest.Vector(f, "esp/packet"))
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := esp.ParseHeader(b)
		if err != nil {
			wiretest.CheckError(t, err, 0, len(b))
		} else if !bytes.Equal(h.Append(nil), b[:esp.HeaderLen]) {
			t.Fatalf("in %x, out %x", b, h.Append(nil))
		}
	})
}

package metadata_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire/metadata"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

// The octets are assembled by hand from the layout in docs/getvpn.md.
var headers = []struct {
	octets string
	header metadata.Header
}{
	{"04 0c 0001 00000000 0393870e", metadata.Header{Next: 4, Length: 12, Kind: metadata.KindStamp, Stamp: 60000014}},
	{"29 10 0001 01020304 05060708 00000000", metadata.Header{Next: 41, Length: 16, Kind: metadata.KindStamp, Stamp: 0x0102030405060708}},
	{"63 08 0002 0064 0000", metadata.Header{Next: 99, Length: 8, Kind: metadata.KindTag, Tag: 100}},
}

func octets(tb testing.TB, text string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestBothWays(t *testing.T) {
	for _, c := range headers {
		b := octets(t, c.octets)
		if got, err := metadata.Parse(append(b, 0xff)); err != nil || got != c.header {
			t.Errorf("%s: %+v, %v", c.octets, got, err)
		}
		if got := c.header.Append([]byte{7}); !bytes.Equal(got[1:], b) {
			t.Errorf("%+v: %x", c.header, got)
		}
	}
}

func TestCutOff(t *testing.T) {
	for _, c := range headers {
		b := octets(t, c.octets)
		for n := range b {
			got, err := metadata.Parse(b[:n])
			if err == nil || got != (metadata.Header{}) {
				t.Errorf("%d octets of %s: %+v", n, c.octets, got)
			}
			wiretest.CheckError(t, err, 0, n)
		}
	}
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"04 0c 0003 00000000 00000000":          "kind",
		"04 0c 0000 00000000 00000000":          "kind",
		"04 08 0001 00000000 00000000":          "length",
		"04 0d 0001 00000000 00000000 00":       "length",
		"04 0c 0002 0064 0000 00000000":         "length",
		"04 08 0002 0064 0001":                  "reserved",
		"04 10 0001 00000000 00000000 00000001": "reserved",
	} {
		if got, err := metadata.Parse(octets(t, text)); err == nil || !strings.Contains(err.Error(), want) || got != (metadata.Header{}) {
			t.Errorf("%s: %+v, %v; want %s", text, got, err, want)
		}
	}
}

func TestDoesNotAllocate(t *testing.T) {
	b, out := octets(t, headers[1].octets), make([]byte, 0, 16)
	if n := testing.AllocsPerRun(100, func() {
		h, _ := metadata.Parse(b)
		out = h.Append(out[:0])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range headers {
		f.Add(octets(f, c.octets))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := metadata.Parse(b)
		if err != nil {
			wiretest.CheckError(t, err, 0, len(b))
		} else if !bytes.Equal(h.Append(nil), b[:h.Length]) {
			t.Fatalf("in %x, out %x", b, h.Append(nil))
		}
	})
}

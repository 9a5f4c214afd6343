package gdoi_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

const day = 86400

var (
	download = gdoi.LKHDownload{Version: gdoi.LKHVersion, Keys: []gdoi.LKHKey{
		{ID: 4, Type: gdoi.KEKCipherAES, Created: 0x65000000, Handle: 1, Data: slices.Concat(run(0xa0, 16), run(0xb0, 16))},
		{ID: 1, Type: gdoi.KEKCipherAES, Created: 0x65000000, Expires: 0x65000000 + day, Handle: 2,
			Data: slices.Concat(run(0x40, 16), run(0x50, 16))},
	}}
	update = gdoi.LKHUpdate{Version: gdoi.LKHVersion, ID: 4, Handle: 1, Keys: []gdoi.LKHKey{
		{ID: 1, Type: gdoi.KEKCipherAES, Created: 0x65000000 + day, Handle: 3, Data: slices.Concat(run(0xe0, 16), run(0xe0, 16))},
	}}
)

func kdLKH() gdoi.KD {
	return gdoi.KD{Packets: []gdoi.KeyPacket{gdoi.LKHPacket(spi,
		wire.TLV(gdoi.LKHDownloadArray, must(download.Append(nil))), wire.TLV(gdoi.LKHUpdateArray, must(update.Append(nil))))}}
}

// lkhArray is what both arrays can do.
type lkhArray interface {
	Append([]byte) ([]byte, error)
}

// parseLKH reads an array of that kind.
func parseLKH(kind gdoi.LKHAttribute, b []byte, bits int) (lkhArray, error) {
	if kind == gdoi.LKHUpdateArray {
		return gdoi.ParseLKHUpdate(b, 50, bits)
	}
	return gdoi.ParseLKHDownload(b, 50, bits)
}

func TestLKHArraysBothWays(t *testing.T) {
	none, nine := uint16(0), uint16(9)
	tests := []struct {
		name, hex string
		bits      int
		kind      gdoi.LKHAttribute
		value     lkhArray
	}{
		{"no key", "01 0000 00", 128, gdoi.LKHDownloadArray, gdoi.LKHDownload{Version: 1}},
		{"no key in an update", "01 0000 00 0004 0000 00000001", 128, gdoi.LKHUpdateArray,
			gdoi.LKHUpdate{Version: 1, ID: 4, Handle: 1}},
		{"every field", "02 0001 ff 0102 aabb 03040506 0708 01 cc 11121314 15161718 191a1b1c 202122232425262728292a2b2c2d2e2f", 0,
			gdoi.LKHUpdateArray, gdoi.LKHUpdate{Version: 2, Reserved: 255, ID: 0x0102, Reserved2: 0xaabb, Handle: 0x03040506,
				Keys: []gdoi.LKHKey{{ID: 0x0708, Type: gdoi.KEKCipherDES, Reserved: 0xcc, Created: 0x11121314, Expires: 0x15161718,
					Handle: 0x191a1b1c, Data: run(0x20, 16)}}}},
		{"more keys than announced", "01 0000 00 0001 01 00 00000000 00000000 00000000 202122232425262728292a2b2c2d2e2f", 64,
			gdoi.LKHDownloadArray, gdoi.LKHDownload{Version: 1, Count: &none,
				Keys: []gdoi.LKHKey{{ID: 1, Type: gdoi.KEKCipherDES, Data: run(0x20, 16)}}}},
		{"fewer", "01 0009 00", 64, gdoi.LKHDownloadArray, gdoi.LKHDownload{Version: 1, Count: &nine}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := wiretest.Hex(t, tt.hex)
			if got, err := parseLKH(tt.kind, b, tt.bits); err != nil || !reflect.DeepEqual(got, tt.value) {
				t.Errorf("parsed %+v (%v)\nwant   %+v", got, err, tt.value)
			}
			if got, err := tt.value.Append(nil); err != nil || !bytes.Equal(got, b) {
				t.Errorf("appended %x (%v)\nwant     %x", got, err, b)
			}
		})
	}
}

func TestGoldenLKHArrays(t *testing.T) {
	for _, tt := range []struct {
		vector string
		kind   gdoi.LKHAttribute
		value  lkhArray
	}{
		{"gdoi/lkh-download", gdoi.LKHDownloadArray, download},
		{"gdoi/lkh-update", gdoi.LKHUpdateArray, update},
	} {
		golden := wiretest.Vector(t, tt.vector)
		bits, ok := gdoi.LKHBits(tt.kind, golden)
		if !ok || bits != 128 {
			t.Errorf("%s: keys of %d bits, %v", tt.vector, bits, ok)
		}
		if got, err := parseLKH(tt.kind, golden, bits); err != nil || !reflect.DeepEqual(got, tt.value) {
			t.Errorf("%s: parsed %+v (%v)\nwant %+v", tt.vector, got, err, tt.value)
		}
		if got, err := tt.value.Append(nil); err != nil || !bytes.Equal(got, golden) {
			t.Errorf("%s: appended %x (%v)\nwant %x", tt.vector, got, err, golden)
		}
		for n := range len(golden) {
			got, err := parseLKH(tt.kind, golden[:n:n], bits)
			if err == nil { // the cut fell between two keys, and the count tells
				if again, err := got.Append(nil); err != nil || !bytes.Equal(again, golden[:n]) {
					t.Errorf("%s: %d octets: encoded again %x (%v)", tt.vector, n, again, err)
				}
			} else if !errors.Is(err, wire.ErrShort) {
				t.Errorf("%s: %d octets: %v", tt.vector, n, err)
			}
		}
	}
}

func TestLKHErrors(t *testing.T) {
	const head = "01 0001 00 "
	tests := []struct {
		hex  string
		bits int
		want wire.Error
	}{
		{"01 00", 128, wire.Error{Offset: 51, Field: "LKH number of keys", Err: wire.ErrShort}},
		{head + "0001 03 00 00000000", 128, wire.Error{Offset: 62, Field: "LKH expiration date", Err: wire.ErrShort}},
		{head + "0001 04 00 00000000 00000000 00000000 00", 128, wire.Error{Offset: 56, Field: "LKH key type", Err: gdoi.ErrLKHKeyType}},
		{head + "0001 03 00 00000000 00000000 00000000 00", 128, wire.Error{Offset: 70, Field: "LKH key data", Err: wire.ErrShort}},
		{head + "0001 03 00 00000000 00000000 00000000 00", -256, wire.Error{Offset: 70, Field: "LKH key data", Err: wire.ErrLength}},
	}
	for _, tt := range tests {
		var e *wire.Error
		got, err := gdoi.ParseLKHDownload(wiretest.Hex(t, tt.hex), 50, tt.bits)
		if !errors.As(err, &e) || *e != tt.want || !reflect.DeepEqual(got, gdoi.LKHDownload{}) {
			t.Errorf("error %v, want %v", err, &tt.want)
		}
	}
	var e *wire.Error
	if _, err := gdoi.ParseLKHUpdate(wiretest.Hex(t, head+"0004 0000 0000"), 50, 128); !errors.As(err, &e) || e.Field != "LKH key handle" {
		t.Errorf("error %v", err)
	}
	for _, a := range []lkhArray{gdoi.LKHDownload{Keys: make([]gdoi.LKHKey, 65536)}, gdoi.LKHUpdate{Keys: make([]gdoi.LKHKey, 65536)}} {
		if _, err := a.Append(nil); !errors.As(err, &e) || !errors.Is(err, wire.ErrLength) {
			t.Errorf("%T of 65536 keys: %v", a, err)
		}
	}
}

func TestLKHKeys(t *testing.T) {
	for _, tt := range []struct {
		typ     uint8
		bits    int
		n, iv   int
		ok      bool
		comment string
	}{
		{gdoi.KEKCipherDES, 128, 16, 8, true, "the bits do not count"},
		{gdoi.KEKCipher3DES, 0, 32, 8, true, ""},
		{gdoi.KEKCipherAES, 128, 32, 16, true, ""},
		{gdoi.KEKCipherAES, 192, 40, 16, true, ""},
		{gdoi.KEKCipherAES, 256, 48, 16, true, ""},
		{0, 128, 0, 0, false, ""},
		{4, 128, 0, 0, false, ""},
	} {
		n, ok := gdoi.LKHDataLen(tt.typ, tt.bits)
		if n != tt.n || ok != tt.ok {
			t.Errorf("%v, %d bits: %d, %v %s", gdoi.KEKCipher(tt.typ), tt.bits, n, ok, tt.comment)
		}
		k := gdoi.LKHKey{Type: tt.typ, Data: run(0, 48)[:n]}
		if iv, key := k.Split(); len(iv) != tt.iv || len(iv)+len(key) != n || !bytes.Equal(slices.Concat(iv, key), k.Data) {
			t.Errorf("%v: IV %x, key %x", gdoi.KEKCipher(tt.typ), iv, key)
		}
	}
	short := gdoi.LKHKey{Type: gdoi.KEKCipherAES, Data: run(0, 16)}
	if iv, key := short.Split(); iv != nil || key != nil {
		t.Errorf("an IV alone: %x, %x", iv, key)
	}
}

func TestLKHBitsThatCannotBe(t *testing.T) {
	good := wiretest.Vector(t, "gdoi/lkh-download")
	for name, b := range map[string][]byte{
		"nothing":              nil,
		"a head":               good[:4],
		"a key's head":         append([]byte{1, 0, 1, 0}, good[4:20]...),
		"an IV alone":          append([]byte{1, 0, 1, 0}, good[4:36]...),
		"count 0":              append([]byte{1, 0, 0, 0}, good[4:]...),
		"count 7":              append([]byte{1, 0, 7, 0}, good[4:]...),
		"a type without sizes": append(append([]byte{1, 0, 1, 0}, 0, 1, 9, 0), good[8:]...),
	} {
		if bits, ok := gdoi.LKHBits(gdoi.LKHDownloadArray, b); ok {
			t.Errorf("%s: %d bits", name, bits)
		}
	}
}

func FuzzLKH(f *testing.F) {
	f.Add(wiretest.Vector(f, "gdoi/lkh-download"), false, 128)
	f.Add(wiretest.Vector(f, "gdoi/lkh-update"), true, 128)
	f.Fuzz(func(t *testing.T, b []byte, isUpdate bool, bits int) {
		kind := gdoi.LKHAttribute(gdoi.LKHDownloadArray)
		if isUpdate {
			kind = gdoi.LKHUpdateArray
		}
		gdoi.LKHBits(kind, b)
		a, err := parseLKH(kind, b, bits)
		if err != nil {
			wiretest.CheckError(t, err, 50, 50+len(b))
		} else if again, err := a.Append(nil); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("in %x, out %x (%v)", b, again, err)
		}
	})
}

package wire_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
)

var attributeTests = []struct {
	name  string
	bytes []byte
	value []wire.Attribute
}{
	{"none", nil, nil},
	{"basic", []byte{0x80, 2, 0, 3}, []wire.Attribute{wire.TV(2, 3)}},
	{"variable", []byte{0, 4, 0, 4, 0, 1, 0x51, 0x80}, []wire.Attribute{wire.TLV32(4, 86400)}},
	{"variable of two octets", []byte{0, 2, 0, 2, 0, 3}, []wire.Attribute{wire.TLV(2, []byte{0, 3})}},
	{"empty", []byte{0x7f, 0xff, 0, 0}, []wire.Attribute{wire.TLV(0x7fff, nil)}},
	{"several", []byte{0x80, 1, 0, 1, 0, 2, 0, 1, 9, 0x80, 3, 1, 0},
		[]wire.Attribute{wire.TV(1, 1), wire.TLV(2, []byte{9}), wire.TV(3, 256)}},
}

func TestAttributesBothWays(t *testing.T) {
	for _, tt := range attributeTests {
		t.Run(tt.name, func(t *testing.T) {
			r := wire.NewReader(tt.bytes)
			if got := wire.ParseAttributes(r); r.Done() != nil || !reflect.DeepEqual(got, tt.value) {
				t.Errorf("parsed %+v (%v), want %+v", got, r.Err(), tt.value)
			}
			if got, err := wire.AppendAttributes(nil, tt.value); err != nil || !bytes.Equal(got, tt.bytes) {
				t.Errorf("appended %x (%v), want %x", got, err, tt.bytes)
			}
		})
	}
}

func TestAttributesCutOff(t *testing.T) {
	for _, tt := range attributeTests {
		for n := range len(tt.bytes) {
			r := wire.NewReaderAt(tt.bytes[:n:n], 50)
			got := wire.ParseAttributes(r)
			if len(got) >= len(tt.value) {
				t.Errorf("%s: %d octets of %d give %d attributes", tt.name, n, len(tt.bytes), len(got))
			}
			if err := r.Err(); err != nil && !errors.Is(err, wire.ErrShort) {
				t.Errorf("%s: %d octets: error %v", tt.name, n, err)
			}
		}
	}
}

func TestAttributesThatCannotBeWritten(t *testing.T) {
	tests := map[string]wire.Attribute{
		"type of 16 bits":     wire.TV(0x8001, 1),
		"basic of one octet":  {Type: 1, Basic: true, Value: []byte{1}},
		"basic of four":       {Type: 1, Basic: true, Value: make([]byte, 4)},
		"65536 octets":        wire.TLV(1, make([]byte, 65536)),
		"basic without value": {Type: 1, Basic: true},
	}
	for name, a := range tests {
		b, err := wire.AppendAttributes([]byte{1, 2, 3}, []wire.Attribute{wire.TV(1, 1), a})
		var e *wire.Error
		if !errors.As(err, &e) || !errors.Is(err, wire.ErrLength) || e.Offset < 7 || b != nil {
			t.Errorf("%s: %x, %v", name, b, err)
		}
	}
}

func TestAttributeUint(t *testing.T) {
	tests := []struct {
		a    wire.Attribute
		want uint64
		ok   bool
	}{
		{wire.TV(1, 0x1234), 0x1234, true},
		{wire.TLV32(1, 86400), 86400, true},
		{wire.TLV(1, []byte{7}), 7, true},
		{wire.TLV(1, []byte{1, 2, 3, 4, 5, 6, 7, 8}), 0x0102030405060708, true},
		{wire.TLV(1, make([]byte, 9)), 0, false},
		{wire.TLV(1, nil), 0, false},
	}
	for _, tt := range tests {
		if got, ok := tt.a.Uint(); got != tt.want || ok != tt.ok {
			t.Errorf("%x: %d, %v, want %d, %v", tt.a.Value, got, ok, tt.want, tt.ok)
		}
	}
}

func TestAttributesAreAllocatedOnce(t *testing.T) {
	b := bytes.Repeat([]byte{0x80, 1, 0, 1, 0, 2, 0, 1, 9}, 20)
	// The second one is the Reader, where the compiler does not keep it on the stack, as with the race detector.
	if got := testing.AllocsPerRun(100, func() { wire.ParseAttributes(wire.NewReader(b)) }); got > 2 {
		t.Errorf("%v allocations, want 1 or 2", got)
	}
}

func FuzzAttributes(f *testing.F) {
	for _, tt := range attributeTests {
		f.Add(tt.bytes)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := wire.NewReaderAt(b, 28)
		as := wire.ParseAttributes(r)
		if err := r.Err(); err != nil {
			var e *wire.Error
			if !errors.As(err, &e) || e.Offset < 28 || e.Offset > 28+len(b) {
				t.Fatalf("error %v", err)
			}
			return
		}
		again, err := wire.AppendAttributes(nil, as)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("in %x, out %x (%v)", b, again, err)
		}
	})
}

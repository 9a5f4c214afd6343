package wire_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
)

func TestReaderTakesFieldsInOrder(t *testing.T) {
	r := wire.NewReaderAt([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}, 100)
	if got := r.Peek(2); !bytes.Equal(got, []byte{1, 2}) {
		t.Errorf("Peek = %x", got)
	}
	if got := r.Uint8("a"); got != 1 {
		t.Errorf("Uint8 = %#x", got)
	}
	if got := r.Uint16("b"); got != 0x0203 {
		t.Errorf("Uint16 = %#x", got)
	}
	if got := r.Uint32("c"); got != 0x04050607 {
		t.Errorf("Uint32 = %#x", got)
	}
	if got := r.Uint64("d"); got != 0x08090a0b0c0d0e0f {
		t.Errorf("Uint64 = %#x", got)
	}
	if got := r.Bytes(2, "e"); !bytes.Equal(got, []byte{16, 17}) || cap(got) != 2 {
		t.Errorf("Bytes = %x with capacity %d", got, cap(got))
	}
	if r.Offset() != 117 || r.Len() != 2 {
		t.Errorf("at %d with %d left, want 117 and 2", r.Offset(), r.Len())
	}
	if got := r.Rest(); !bytes.Equal(got, []byte{18, 19}) {
		t.Errorf("Rest = %x", got)
	}
	if err := r.Done(); err != nil {
		t.Errorf("Done = %v", err)
	}
}

func TestReaderErrors(t *testing.T) {
	tests := []struct {
		name string
		read func(*wire.Reader)
		want wire.Error
	}{
		{"nothing read", func(*wire.Reader) {}, wire.Error{Offset: 10, Field: "end", Err: wire.ErrTrailing}},
		{"one left", func(r *wire.Reader) { r.Bytes(4, "x") }, wire.Error{Offset: 14, Field: "end", Err: wire.ErrTrailing}},
		{"8 bits", func(r *wire.Reader) { r.Bytes(5, "x"); r.Uint8("y") }, wire.Error{Offset: 15, Field: "y", Err: wire.ErrShort}},
		{"16 bits", func(r *wire.Reader) { r.Uint32("x"); r.Uint16("y") }, wire.Error{Offset: 14, Field: "y", Err: wire.ErrShort}},
		{"32 bits", func(r *wire.Reader) { r.Uint16("x"); r.Uint32("y") }, wire.Error{Offset: 12, Field: "y", Err: wire.ErrShort}},
		{"64 bits", func(r *wire.Reader) { r.Uint64("y") }, wire.Error{Offset: 10, Field: "y", Err: wire.ErrShort}},
		{"octets", func(r *wire.Reader) { r.Bytes(6, "y") }, wire.Error{Offset: 10, Field: "y", Err: wire.ErrShort}},
		{"negative", func(r *wire.Reader) { r.Bytes(-1, "y") }, wire.Error{Offset: 10, Field: "y", Err: wire.ErrLength}},
		{"first one stays", func(r *wire.Reader) { r.Bytes(6, "y"); r.Uint64("z"); r.Fail(3, "w", wire.ErrLength) },
			wire.Error{Offset: 10, Field: "y", Err: wire.ErrShort}},
		{"adopted", func(r *wire.Reader) { r.Adopt(&wire.Error{Offset: 12, Field: "y", Err: wire.ErrLength}) },
			wire.Error{Offset: 12, Field: "y", Err: wire.ErrLength}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := wire.NewReaderAt([]byte{1, 2, 3, 4, 5}, 10)
			tt.read(r)
			var e *wire.Error
			if err := r.Done(); !errors.As(err, &e) || *e != tt.want || !errors.Is(err, tt.want.Err) {
				t.Errorf("error %v, want %v", err, &tt.want)
			}
			if r.Len() != 0 && tt.want.Err != wire.ErrTrailing {
				t.Errorf("%d octets left after an error", r.Len())
			}
		})
	}
}

func TestReaderGivesZerosAfterAnError(t *testing.T) {
	r := wire.NewReader([]byte{1, 2, 3, 4, 5})
	r.Bytes(9, "too much")
	if r.Uint8("a") != 0 || r.Uint16("b") != 0 || r.Uint32("c") != 0 || r.Uint64("d") != 0 || r.Rest() != nil || r.Bytes(1, "e") != nil {
		t.Error("a reader with an error still gives octets")
	}
}

func TestReaderAdoptsForeignErrors(t *testing.T) {
	r := wire.NewReaderAt([]byte{1}, 7)
	r.Adopt(nil)
	if err := r.Err(); err != nil {
		t.Fatalf("nil became %v", err)
	}
	foreign := errors.New("foreign")
	r.Adopt(foreign)
	var e *wire.Error
	if err := r.Err(); !errors.Is(err, foreign) || !errors.As(err, &e) || e.Offset != 7 {
		t.Errorf("error %v, want the foreign one at octet 7", err)
	}
}

func TestErrorText(t *testing.T) {
	err := &wire.Error{Offset: 32, Field: "SA DOI", Err: wire.ErrShort}
	if got, want := err.Error(), "SA DOI at octet 32: input ends too early"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

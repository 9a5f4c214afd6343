package wire

import (
	"encoding/binary"
	"errors"
)

// Reader takes fields off the front of an input. After its first error it returns zeros and nothing is left in it.
type Reader struct {
	b    []byte
	pos  int // of the next octet in b; a moving index is cheaper than a shrinking slice while the collector marks
	base int // absolute offset of b[0]
	err  *Error
}

// NewReader reads b, whose first octet has offset 0.
func NewReader(b []byte) *Reader { return NewReaderAt(b, 0) }

// NewReaderAt reads b, whose first octet has the offset base in the message.
func NewReaderAt(b []byte, base int) *Reader { return &Reader{b: b, base: base} }

// Bytes takes the next n octets, nil if n is 0. They alias the input. The field is named in an error.
func (r *Reader) Bytes(n int, field string) []byte {
	switch {
	case n < 0:
		r.Fail(r.Offset(), field, ErrLength)
		return nil
	case n > r.Len():
		r.short(field)
		return nil
	case n == 0:
		return nil
	}
	end := r.pos + n
	b := r.b[r.pos:end:end]
	r.pos = end
	return b
}

func (r *Reader) short(field string) { r.Fail(r.Offset(), field, ErrShort) }

// Uint8 takes one octet.
func (r *Reader) Uint8(field string) uint8 {
	if r.pos < len(r.b) {
		r.pos++
		return r.b[r.pos-1]
	}
	r.short(field)
	return 0
}

// Uint16 takes two octets.
func (r *Reader) Uint16(field string) uint16 {
	if b := r.b[r.pos:]; len(b) >= 2 {
		r.pos += 2
		return binary.BigEndian.Uint16(b)
	}
	r.short(field)
	return 0
}

// Uint32 takes four octets.
func (r *Reader) Uint32(field string) uint32 {
	if b := r.b[r.pos:]; len(b) >= 4 {
		r.pos += 4
		return binary.BigEndian.Uint32(b)
	}
	r.short(field)
	return 0
}

// Uint64 takes eight octets.
func (r *Reader) Uint64(field string) uint64 {
	if b := r.b[r.pos:]; len(b) >= 8 {
		r.pos += 8
		return binary.BigEndian.Uint64(b)
	}
	r.short(field)
	return 0
}

// Rest takes everything that is left.
func (r *Reader) Rest() []byte { return r.Bytes(r.Len(), "") }

// Peek looks at the next n octets without taking them; there may be fewer.
func (r *Reader) Peek(n int) []byte { return r.b[r.pos:min(r.pos+n, len(r.b))] }

// Len is how many octets are left, 0 after an error.
func (r *Reader) Len() int { return len(r.b) - r.pos }

// Offset is the absolute offset of the next octet, or of the field that could not be read.
func (r *Reader) Offset() int { return r.base + r.pos }

// Fail notes an error of a field at an absolute offset, unless there is one already, and drops what is left.
func (r *Reader) Fail(offset int, field string, err error) {
	if r.err == nil {
		r.err = &Error{Offset: offset, Field: field, Err: err}
	}
	r.b = r.b[:r.pos]
}

// Adopt notes the error of another Reader over a part of this input, unless it is nil or there is one already.
func (r *Reader) Adopt(err error) {
	if err == nil {
		return
	}
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Offset: r.Offset(), Field: "part", Err: err}
	}
	r.Fail(e.Offset, e.Field, e.Err)
}

// Err is the first error, an *Error.
func (r *Reader) Err() error {
	if r.err != nil {
		return r.err
	}
	return nil
}

// Done is the first error, or an *Error with ErrTrailing if anything is left.
func (r *Reader) Done() error {
	if r.err == nil && r.Len() > 0 {
		r.Fail(r.Offset(), "end", ErrTrailing)
	}
	return r.Err()
}

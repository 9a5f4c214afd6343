package wire

import (
	"encoding/binary"
	"errors"
)

// Reader takes fields off the front of an input. After its first error it returns zeros and nothing is left in it.
type Reader struct {
	left []byte
	at   int // absolute offset of left[0]
	err  *Error
}

// NewReader reads b, whose first octet has offset 0.
func NewReader(b []byte) *Reader { return NewReaderAt(b, 0) }

// NewReaderAt reads b, whose first octet has the offset base in the message.
func NewReaderAt(b []byte, base int) *Reader { return &Reader{left: b, at: base} }

// Bytes takes the next n octets, nil if n is 0. They alias the input. The field is named in an error.
func (r *Reader) Bytes(n int, field string) []byte {
	switch {
	case n < 0:
		r.Fail(r.at, field, ErrLength)
		return nil
	case n > len(r.left):
		r.Fail(r.at, field, ErrShort)
		return nil
	case n == 0:
		return nil
	}
	b := r.left[:n:n]
	r.left, r.at = r.left[n:], r.at+n
	return b
}

// Uint8 takes one octet.
func (r *Reader) Uint8(field string) uint8 {
	if b := r.Bytes(1, field); len(b) == 1 {
		return b[0]
	}
	return 0
}

// Uint16 takes two octets.
func (r *Reader) Uint16(field string) uint16 {
	if b := r.Bytes(2, field); len(b) == 2 {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// Uint32 takes four octets.
func (r *Reader) Uint32(field string) uint32 {
	if b := r.Bytes(4, field); len(b) == 4 {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// Uint64 takes eight octets.
func (r *Reader) Uint64(field string) uint64 {
	if b := r.Bytes(8, field); len(b) == 8 {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// Rest takes everything that is left.
func (r *Reader) Rest() []byte { return r.Bytes(len(r.left), "") }

// Len is how many octets are left, 0 after an error.
func (r *Reader) Len() int { return len(r.left) }

// Offset is the absolute offset of the next octet, or of the field that could not be read.
func (r *Reader) Offset() int { return r.at }

// Fail notes an error of a field at an absolute offset, unless there is one already, and drops what is left.
func (r *Reader) Fail(offset int, field string, err error) {
	if r.err == nil {
		r.err = &Error{Offset: offset, Field: field, Err: err}
	}
	r.left = nil
}

// Adopt notes the error of another Reader over a part of this input, unless it is nil or there is one already.
func (r *Reader) Adopt(err error) {
	if err == nil {
		return
	}
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Offset: r.at, Field: "part", Err: err}
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
	if r.err == nil && len(r.left) > 0 {
		r.Fail(r.at, "end", ErrTrailing)
	}
	return r.Err()
}

// Peek looks at the next n octets without taking them; there may be fewer.
func (r *Reader) Peek(n int) []byte { return r.left[:min(n, len(r.left))] }

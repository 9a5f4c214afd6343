package isakmp

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// GenericLen is the length of the generic payload header: next payload (1), reserved (1), payload length (2).
const GenericLen = 4

// Generic overrides the generic header of a payload. The zero value overrides nothing: next payload is what follows,
// reserved is 0, length is the length.
type Generic struct {
	Next        *PayloadType
	Reserved    uint8
	LengthDelta int // added to the length field, modulo 2^16
}

// Framed is a payload whose generic header is overridden. The fields are those of Generic.
type Framed struct {
	Payload
	Next        *PayloadType
	Reserved    uint8
	LengthDelta int
}

// Unwrap returns the payload inside any number of Framed.
func Unwrap(p Payload) Payload {
	for {
		f, ok := p.(Framed)
		if !ok {
			return p
		}
		p = f.Payload
	}
}

var errNoPayload = errors.New("there is no payload")

// AppendPayload appends one payload with its generic header. It fails with a *wire.Error if something does not fit
// into its field.
func AppendPayload(b []byte, next PayloadType, p Payload) ([]byte, error) {
	if Unwrap(p) == nil {
		return nil, &wire.Error{Offset: len(b), Field: "payload", Err: errNoPayload}
	}
	if f, ok := p.(Framed); ok {
		return Generic{f.Next, f.Reserved, f.LengthDelta}.append(b, next, f.Payload.AppendBody)
	}
	return Generic{}.append(b, next, p.AppendBody)
}

// append writes the generic header and the body, and then the length, which is known only then.
func (g Generic) append(b []byte, next PayloadType, body func([]byte) ([]byte, error)) ([]byte, error) {
	if g.Next != nil {
		next = *g.Next
	}
	start := len(b)
	b, err := body(append(b, byte(next), g.Reserved, 0, 0))
	if err != nil {
		return nil, err
	}
	n := len(b) - start
	if n > math.MaxUint16 {
		return nil, &wire.Error{Offset: start + 2, Field: "payload length", Err: wire.ErrLength}
	}
	binary.BigEndian.PutUint16(b[start+2:], uint16(n+g.LengthDelta))
	return b, nil
}

// ReadGeneric takes one payload with its generic header off r. The result has no Payload yet: the caller knows its
// type. Offset is that of the generic header.
func ReadGeneric(r *wire.Reader) Decoded {
	d := Decoded{Offset: r.Offset()}
	head := r.Peek(GenericLen)
	if len(head) < GenericLen {
		r.Fail(d.Offset, "generic payload header", wire.ErrShort)
		return d
	}
	n := int(binary.BigEndian.Uint16(head[2:]))
	if n < GenericLen || n > r.Len() {
		r.Fail(d.Offset+2, "payload length", wire.ErrLength)
		return d
	}
	d.Next, d.Reserved, d.Raw = PayloadType(head[0]), head[1], r.Bytes(n, "payload")
	return d
}

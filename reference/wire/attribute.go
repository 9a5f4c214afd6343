package wire

import (
	"encoding/binary"
	"math"
	"slices"
)

// Attribute is a data attribute (RFC 2408 §3.3):
//
//	Basic     1 type (15 bits) | value (2)
//	Variable  0 type (15 bits) | length (2) | value (length)
type Attribute struct {
	Type  uint16 // without the format bit
	Basic bool   // the format bit; Value has 2 octets then
	Value []byte
}

const (
	formatBit    = 0x8000
	attributeMin = 4
)

// TV makes a Basic attribute.
func TV(typ, value uint16) Attribute {
	return Attribute{Type: typ, Basic: true, Value: binary.BigEndian.AppendUint16(nil, value)}
}

// TLV makes a Variable attribute of any length.
func TLV(typ uint16, value []byte) Attribute { return Attribute{Type: typ, Value: value} }

// TLV32 makes a Variable attribute of four octets.
func TLV32(typ uint16, v uint32) Attribute {
	return Attribute{Type: typ, Value: binary.BigEndian.AppendUint32(nil, v)}
}

// Uint returns the value as a number. It fails if the value has no octets or more than eight.
func (a Attribute) Uint() (uint64, bool) {
	if len(a.Value) == 0 || len(a.Value) > 8 {
		return 0, false
	}
	var v uint64
	for _, octet := range a.Value {
		v = v<<8 | uint64(octet)
	}
	return v, true
}

// AppendAttributes appends the attributes in their order. It fails with an *Error if a type has more than 15 bits, a
// Basic value not two octets, or a Variable one more than 65535.
func AppendAttributes(b []byte, as []Attribute) ([]byte, error) {
	for i := range as {
		var err error
		if b, err = as[i].append(b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (a *Attribute) append(b []byte) ([]byte, error) {
	switch {
	case a.Type >= formatBit:
		return nil, &Error{Offset: len(b), Field: "attribute type", Err: ErrLength}
	case a.Basic && len(a.Value) != 2, len(a.Value) > math.MaxUint16:
		return nil, &Error{Offset: len(b) + 2, Field: "attribute value", Err: ErrLength}
	case a.Basic:
		b = binary.BigEndian.AppendUint16(b, a.Type|formatBit)
	default:
		b = binary.BigEndian.AppendUint16(b, a.Type)
		b = binary.BigEndian.AppendUint16(b, uint16(len(a.Value)))
	}
	return append(b, a.Value...), nil
}

// ParseAttributes reads attributes to the end of r. The values alias the input; errors are those of r.
func ParseAttributes(r *Reader) []Attribute { return ReadAttributes(nil, r) }

// ReadAttributes is ParseAttributes into a slice that the caller has: it appends to as.
func ReadAttributes(as []Attribute, r *Reader) []Attribute {
	as = slices.Grow(as, countAttributes(r.b[r.pos:]))
	for r.Len() > 0 {
		if a := readAttribute(r); r.err == nil {
			as = append(as, a)
		}
	}
	return as
}

func readAttribute(r *Reader) Attribute {
	typ := r.Uint16("attribute type")
	if typ&formatBit != 0 {
		return Attribute{Type: typ &^ formatBit, Basic: true, Value: r.Bytes(2, "attribute value")}
	}
	n := r.Uint16("attribute length")
	return Attribute{Type: typ, Value: r.Bytes(int(n), "attribute value")}
}

// countAttributes says how many whole attributes stand at the front of b, so that a list is allocated once.
func countAttributes(b []byte) int {
	n := 0
	for len(b) >= attributeMin {
		size := attributeMin
		if b[0]&(formatBit>>8) == 0 {
			size += int(binary.BigEndian.Uint16(b[2:]))
		}
		if size > len(b) {
			break
		}
		b = b[size:]
		n++
	}
	return n
}

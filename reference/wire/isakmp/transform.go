package isakmp

import (
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// Transform is a Transform payload inside a Proposal (RFC 2408 §3.6). The attributes of Phase 1 are the Attr constants.
//
//	number (1) | transform ID (1) | reserved (2) | attributes
type Transform struct {
	Generic    Generic // after decoding, only Reserved can be set
	Number     uint8
	ID         uint8
	Reserved2  uint16
	Attributes []wire.Attribute
}

func (t *Transform) appendBody(b []byte) ([]byte, error) {
	b = append(b, t.Number, t.ID)
	b = binary.BigEndian.AppendUint16(b, t.Reserved2)
	return wire.AppendAttributes(b, t.Attributes)
}

func parseTransform(d *Decoded) (Transform, error) {
	r := wire.NewReaderAt(d.Body(), d.Offset+GenericLen)
	t := Transform{
		Generic:    Generic{Reserved: d.Reserved},
		Number:     r.Uint8("transform number"),
		ID:         r.Uint8("transform ID"),
		Reserved2:  r.Uint16("transform reserved"),
		Attributes: wire.ParseAttributes(r),
	}
	if err := r.Done(); err != nil {
		return Transform{}, err
	}
	return t, nil
}

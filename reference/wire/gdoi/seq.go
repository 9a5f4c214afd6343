package gdoi

import (
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// SEQ is the Sequence Number payload (RFC 6407 §5.7).
//
//	number (4)
type SEQ struct{ Number uint32 }

// Type returns PayloadSEQ.
func (SEQ) Type() isakmp.PayloadType { return isakmp.PayloadSEQ }

// AppendBody appends the body.
func (p SEQ) AppendBody(b []byte) ([]byte, error) {
	return binary.BigEndian.AppendUint32(b, p.Number), nil
}

// ParseSEQ reads the body of a SEQ payload.
func ParseSEQ(body []byte, offset int) (SEQ, error) {
	r := wire.NewReaderAt(body, offset)
	p := SEQ{Number: r.Uint32("SEQ number")}
	if err := r.Done(); err != nil {
		return SEQ{}, err
	}
	return p, nil
}

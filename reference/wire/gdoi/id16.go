package gdoi

import (
	"encoding/binary"
	"math"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// ID16 is an identity inside a SAK or SAT, with a 16-bit port (RFC 6407 §5.3, §5.5.1).
//
//	type (1) | port (2) | data length (1) | data
type ID16 struct {
	Type uint8 // see the constants of isakmp.IDType
	Port uint16
	Data []byte
}

func (i *ID16) append(b []byte, field string) ([]byte, error) {
	if len(i.Data) > math.MaxUint8 {
		return nil, &wire.Error{Offset: len(b) + 3, Field: field, Err: wire.ErrLength}
	}
	b = append(b, i.Type)
	b = binary.BigEndian.AppendUint16(b, i.Port)
	b = append(b, byte(len(i.Data)))
	return append(b, i.Data...), nil
}

func readID16(r *wire.Reader, field string) ID16 {
	i := ID16{Type: r.Uint8(field), Port: r.Uint16(field)}
	n := r.Uint8(field)
	i.Data = r.Bytes(int(n), field)
	return i
}

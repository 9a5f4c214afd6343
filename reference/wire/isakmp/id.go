package isakmp

import (
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// ID is the Identification payload (RFC 2407 §4.6.2, RFC 6407 §5.1). In GDOI its protocol and port are 0.
//
//	ID type (1) | protocol (1) | port (2) | data
type ID struct {
	IDType   uint8 // see the constants of type IDType
	Protocol uint8
	Port     uint16
	Data     []byte
}

// Type returns PayloadID.
func (ID) Type() PayloadType { return PayloadID }

// AppendBody appends the body.
func (p ID) AppendBody(b []byte) ([]byte, error) {
	b = append(b, p.IDType, p.Protocol)
	b = binary.BigEndian.AppendUint16(b, p.Port)
	return append(b, p.Data...), nil
}

// ParseID reads the body of an ID payload.
func ParseID(body []byte, offset int) (ID, error) {
	r := wire.NewReaderAt(body, offset)
	p := ID{
		IDType:   r.Uint8("ID type"),
		Protocol: r.Uint8("ID protocol"),
		Port:     r.Uint16("ID port"),
		Data:     r.Rest(),
	}
	if err := r.Done(); err != nil {
		return ID{}, err
	}
	return p, nil
}

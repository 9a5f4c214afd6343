package isakmp

import (
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// ParseHeader reads the header at the front of a message:
//
//	initiator cookie (8) | responder cookie (8) | next payload (1) | version (1) | exchange (1) | flags (1) |
//	message ID (4) | length (4)
//
// It needs 28 octets and checks nothing else.
func ParseHeader(b []byte) (Header, error) {
	r := wire.NewReader(b)
	h := Header{
		InitiatorCookie: cookie(r.Bytes(8, "initiator cookie")),
		ResponderCookie: cookie(r.Bytes(8, "responder cookie")),
		NextPayload:     PayloadType(r.Uint8("next payload")),
		Version:         r.Uint8("version"),
		Exchange:        ExchangeType(r.Uint8("exchange type")),
		Flags:           Flags(r.Uint8("flags")),
		MessageID:       r.Uint32("message ID"),
		Length:          r.Uint32("length"),
	}
	if err := r.Err(); err != nil {
		return Header{}, err
	}
	return h, nil
}

func cookie(b []byte) (c Cookie) {
	copy(c[:], b)
	return c
}

// Append appends the 28 octets of the header.
func (h Header) Append(b []byte) []byte {
	b = append(b, h.InitiatorCookie[:]...)
	b = append(b, h.ResponderCookie[:]...)
	b = append(b, byte(h.NextPayload), h.Version, byte(h.Exchange), byte(h.Flags))
	b = binary.BigEndian.AppendUint32(b, h.MessageID)
	return binary.BigEndian.AppendUint32(b, h.Length)
}

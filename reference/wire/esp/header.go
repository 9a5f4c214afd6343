package esp

import (
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// HeaderLen is the length of the ESP header in octets.
const HeaderLen = 8

// Protocol is the IP protocol number of ESP.
const Protocol = 50

// Header is the ESP header (RFC 4303 §2.1, §2.2).
//
//	SPI (4) | sequence number (4)
type Header struct{ SPI, Sequence uint32 }

// ParseHeader reads the header at the front of an ESP packet. It needs 8 octets; its errors are *wire.Error.
func ParseHeader(b []byte) (Header, error) {
	r := wire.NewReader(b)
	h := Header{SPI: r.Uint32("ESP SPI"), Sequence: r.Uint32("ESP sequence number")}
	if err := r.Err(); err != nil {
		return Header{}, err
	}
	return h, nil
}

// Append appends the 8 octets of the header.
func (h Header) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, h.SPI)
	return binary.BigEndian.AppendUint32(b, h.Sequence)
}

package ikev2

import (
	"encoding/binary"
	"math"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Delete is the Delete payload (RFC 7296 §3.11). The IKE SA itself is deleted by ProtocolIKE and no SPI.
//
//	protocol (1) | SPI size (1) | number of SPIs (2) | SPIs
type Delete struct {
	Protocol ProtocolID
	SPISize  uint8
	SPIs     [][]byte
	Count    *uint16 // overrides the number of SPIs; after decoding, set only if SPIs of size 0 were announced
}

// Type returns PayloadD.
func (Delete) Type() isakmp.PayloadType { return PayloadD }

// AppendBody appends the body. The SPIs go out as they are, whatever SPISize says.
func (p Delete) AppendBody(b []byte) ([]byte, error) {
	if len(p.SPIs) > math.MaxUint16 {
		return nil, &wire.Error{Offset: len(b) + 2, Field: "delete number of SPIs", Err: wire.ErrLength}
	}
	count := uint16(len(p.SPIs))
	if p.Count != nil {
		count = *p.Count
	}
	b = binary.BigEndian.AppendUint16(append(b, byte(p.Protocol), p.SPISize), count)
	for _, spi := range p.SPIs {
		b = append(b, spi...)
	}
	return b, nil
}

// ParseDelete reads the body of a Delete payload.
func ParseDelete(body []byte, offset int) (Delete, error) {
	r := wire.NewReaderAt(body, offset)
	p := Delete{Protocol: ProtocolID(r.Uint8("delete protocol")), SPISize: r.Uint8("delete SPI size")}
	count := r.Uint16("delete number of SPIs")
	if p.SPISize == 0 && count > 0 {
		p.Count = &count // 65535 SPIs of no octets are not worth a list
	} else {
		p.SPIs = isakmp.ReadSPIs(r, int(count), int(p.SPISize))
	}
	if err := r.Done(); err != nil {
		return Delete{}, err
	}
	return p, nil
}

package isakmp

import (
	"encoding/binary"
	"math"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// Delete is the Delete payload (RFC 2408 §3.15, RFC 6407 §4.1). All its SPIs belong to one protocol.
//
//	DOI (4) | protocol (1) | SPI size (1) | number of SPIs (2) | SPIs
type Delete struct {
	DOI      uint32
	Protocol uint8
	SPISize  uint8
	SPIs     [][]byte
	Count    *uint16 // overrides the number of SPIs; after decoding, set only if SPIs of size 0 were announced
}

// Type returns PayloadD.
func (Delete) Type() PayloadType { return PayloadD }

// AppendBody appends the body. The SPIs go out as they are, whatever SPISize says.
func (p Delete) AppendBody(b []byte) ([]byte, error) {
	if len(p.SPIs) > math.MaxUint16 {
		return nil, &wire.Error{Offset: len(b) + 6, Field: "delete number of SPIs", Err: wire.ErrLength}
	}
	count := uint16(len(p.SPIs))
	if p.Count != nil {
		count = *p.Count
	}
	b = binary.BigEndian.AppendUint32(b, p.DOI)
	b = append(b, p.Protocol, p.SPISize)
	b = binary.BigEndian.AppendUint16(b, count)
	for _, spi := range p.SPIs {
		b = append(b, spi...)
	}
	return b, nil
}

// ParseDelete reads the body of a Delete payload.
func ParseDelete(body []byte, offset int) (Delete, error) {
	r := wire.NewReaderAt(body, offset)
	p := Delete{DOI: r.Uint32("delete DOI"), Protocol: r.Uint8("delete protocol"), SPISize: r.Uint8("delete SPI size")}
	count := r.Uint16("delete number of SPIs")
	if p.SPISize == 0 && count > 0 {
		p.Count = &count // 65535 SPIs of no octets are not worth a list
	} else {
		p.SPIs = ReadSPIs(r, int(count), int(p.SPISize))
	}
	if err := r.Done(); err != nil {
		return Delete{}, err
	}
	return p, nil
}

// ReadSPIs takes so many SPIs of that size, nil for none. There is a list only if all of them are there.
func ReadSPIs(r *wire.Reader, count, size int) [][]byte {
	if count == 0 {
		return nil
	}
	if count*size > r.Len() {
		r.Fail(r.Offset(), "delete SPIs", wire.ErrShort)
		return nil
	}
	spis := make([][]byte, count)
	for i := range spis {
		spis[i] = r.Bytes(size, "delete SPI")
	}
	return spis
}

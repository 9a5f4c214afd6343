package gdoi

import (
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// SAK is the SA KEK payload: how the PUSH travels and is protected (RFC 6407 §5.3). It stands inside an SA.
//
//	protocol (1) | source ID16 | destination ID16 | SPI (16) | reserved (4) | KEK attributes
type SAK struct {
	Protocol            uint8 // IP protocol of the PUSH
	Source, Destination ID16
	SPI                 [16]byte // initiator cookie, responder cookie of the PUSH
	Reserved2           uint32
	Attributes          []wire.Attribute // see KEKAttribute
}

// Type returns PayloadSAK.
func (SAK) Type() isakmp.PayloadType { return isakmp.PayloadSAK }

// AppendBody appends the body.
func (p SAK) AppendBody(b []byte) ([]byte, error) {
	b, err := p.Source.append(append(b, p.Protocol), "SAK source")
	if err != nil {
		return nil, err
	}
	if b, err = p.Destination.append(b, "SAK destination"); err != nil {
		return nil, err
	}
	b = append(b, p.SPI[:]...)
	b = binary.BigEndian.AppendUint32(b, p.Reserved2)
	return wire.AppendAttributes(b, p.Attributes)
}

// ParseSAK reads the body of a SAK payload.
func ParseSAK(body []byte, offset int) (SAK, error) {
	return parseSAK(body, offset, new(attributeSlab))
}

func parseSAK(body []byte, offset int, slab *attributeSlab) (SAK, error) {
	r := wire.NewReaderAt(body, offset)
	p := SAK{
		Protocol:    r.Uint8("SAK protocol"),
		Source:      readID16(r, "SAK source"),
		Destination: readID16(r, "SAK destination"),
	}
	copy(p.SPI[:], r.Bytes(len(p.SPI), "SAK SPI"))
	p.Reserved2 = r.Uint32("SAK reserved")
	p.Attributes = slab.read(r)
	if err := r.Done(); err != nil {
		return SAK{}, err
	}
	return p, nil
}

package isakmp

import (
	"encoding/binary"
	"math"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// DOIIPsec is the domain of the notifications that RFC 2407 §4.6.3 and RFC 3706 §5.3 define, also under an SA of another DOI.
const DOIIPsec = 1

// Notify is the Notification payload (RFC 2408 §3.14).
//
//	DOI (4) | protocol (1) | SPI size (1) | notify type (2) | SPI | data
type Notify struct {
	DOI        uint32
	Protocol   uint8
	SPI        []byte
	NotifyType NotifyType
	Data       []byte
}

// Type returns PayloadN.
func (Notify) Type() PayloadType { return PayloadN }

// AppendBody appends the body. It fails if the SPI is longer than 255 octets.
func (p Notify) AppendBody(b []byte) ([]byte, error) {
	if len(p.SPI) > math.MaxUint8 {
		return nil, &wire.Error{Offset: len(b) + 5, Field: "notify SPI size", Err: wire.ErrLength}
	}
	b = binary.BigEndian.AppendUint32(b, p.DOI)
	b = append(b, p.Protocol, byte(len(p.SPI)))
	b = binary.BigEndian.AppendUint16(b, uint16(p.NotifyType))
	b = append(b, p.SPI...)
	return append(b, p.Data...), nil
}

// ParseNotify reads the body of a Notification payload.
func ParseNotify(body []byte, offset int) (Notify, error) {
	r := wire.NewReaderAt(body, offset)
	p := Notify{DOI: r.Uint32("notify DOI"), Protocol: r.Uint8("notify protocol")}
	n := r.Uint8("notify SPI size")
	p.NotifyType = NotifyType(r.Uint16("notify type"))
	p.SPI = r.Bytes(int(n), "notify SPI")
	p.Data = r.Rest()
	if err := r.Done(); err != nil {
		return Notify{}, err
	}
	return p, nil
}

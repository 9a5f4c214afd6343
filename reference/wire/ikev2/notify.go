package ikev2

import (
	"encoding/binary"
	"math"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Notify is the Notify payload (RFC 7296 §3.10).
//
//	protocol (1) | SPI size (1) | notify type (2) | SPI | data
type Notify struct {
	Protocol   ProtocolID
	SPI        []byte
	NotifyType NotifyType
	Data       []byte
}

// Type returns PayloadN.
func (Notify) Type() isakmp.PayloadType { return PayloadN }

// AppendBody appends the body. It fails if the SPI is longer than 255 octets.
func (p Notify) AppendBody(b []byte) ([]byte, error) {
	if len(p.SPI) > math.MaxUint8 {
		return nil, &wire.Error{Offset: len(b) + 1, Field: "notify SPI size", Err: wire.ErrLength}
	}
	b = binary.BigEndian.AppendUint16(append(b, byte(p.Protocol), byte(len(p.SPI))), uint16(p.NotifyType))
	return append(append(b, p.SPI...), p.Data...), nil
}

// ParseNotify reads the body of a Notify payload.
func ParseNotify(body []byte, offset int) (Notify, error) {
	r := wire.NewReaderAt(body, offset)
	p := Notify{Protocol: ProtocolID(r.Uint8("notify protocol"))}
	n := r.Uint8("notify SPI size")
	p.NotifyType = NotifyType(r.Uint16("notify type"))
	p.SPI = r.Bytes(int(n), "notify SPI")
	p.Data = r.Rest()
	if err := r.Done(); err != nil {
		return Notify{}, err
	}
	return p, nil
}

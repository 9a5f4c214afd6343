package ikev2

import (
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// SK is the Encrypted payload (RFC 7296 §3.14), the last of its message.
//
//	IV | ciphertext | integrity check value, whose lengths the IKE SA knows
type SK struct {
	Inner isakmp.PayloadType // of the first payload inside, which its Next Payload names
	Body  []byte
}

// SKF is the Encrypted Fragment payload (RFC 7383 §2.5), the last of its message.
//
//	fragment number (2) | total fragments (2) | IV | ciphertext | integrity check value
type SKF struct {
	Inner         isakmp.PayloadType
	Number, Total uint16
	Body          []byte
}

// Type returns PayloadSK.
func (SK) Type() isakmp.PayloadType { return PayloadSK }

// Type returns PayloadSKF.
func (SKF) Type() isakmp.PayloadType { return PayloadSKF }

// AppendBody appends what is encrypted.
func (p SK) AppendBody(b []byte) ([]byte, error) { return append(b, p.Body...), nil }

// AppendBody appends the body.
func (p SKF) AppendBody(b []byte) ([]byte, error) {
	b = binary.BigEndian.AppendUint16(b, p.Number)
	b = binary.BigEndian.AppendUint16(b, p.Total)
	return append(b, p.Body...), nil
}

func parseSK(d *isakmp.Decoded) (isakmp.Payload, error) {
	return SK{Inner: d.Next, Body: d.Body()}, nil
}

func parseSKF(d *isakmp.Decoded) (isakmp.Payload, error) {
	r := wire.NewReaderAt(d.Body(), d.Offset+isakmp.GenericLen)
	p := SKF{Inner: d.Next, Number: r.Uint16("fragment number"), Total: r.Uint16("total fragments"), Body: r.Rest()}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return p, nil
}

// inner is the first payload type inside an encrypted payload, and whether it is one.
func inner(p isakmp.Payload) (isakmp.PayloadType, bool) {
	switch p := isakmp.Unwrap(p).(type) {
	case SK:
		return p.Inner, true
	case SKF:
		return p.Inner, true
	}
	return isakmp.PayloadNone, false
}

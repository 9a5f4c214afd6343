package isakmp

import "github.com/gdoilab/gdoilab/reference/wire"

// NATOA is the NAT Original Address payload (RFC 3947 §5.2).
//
//	ID type (1) | reserved (3) | address
type NATOA struct {
	IDType    uint8 // IDIPv4Addr or IDIPv6Addr
	Reserved2 [3]byte
	Address   []byte
}

// Type returns PayloadNATOA.
func (NATOA) Type() PayloadType { return PayloadNATOA }

// AppendBody appends the body.
func (p NATOA) AppendBody(b []byte) ([]byte, error) {
	b = append(append(b, p.IDType), p.Reserved2[:]...)
	return append(b, p.Address...), nil
}

// ParseNATOA reads the body of a NAT-OA payload.
func ParseNATOA(body []byte, offset int) (NATOA, error) {
	r := wire.NewReaderAt(body, offset)
	p := NATOA{IDType: r.Uint8("NAT-OA ID type")}
	copy(p.Reserved2[:], r.Bytes(len(p.Reserved2), "NAT-OA reserved"))
	p.Address = r.Rest()
	if err := r.Done(); err != nil {
		return NATOA{}, err
	}
	return p, nil
}

package ikev2

import (
	"encoding/binary"
	"math"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// SA is the Security Association payload (RFC 7296 §3.3): proposals in the order of preference.
type SA struct{ Proposals []Proposal }

// Proposal is a proposal substructure (RFC 7296 §3.3.1).
//
//	last (1) | reserved (1) | length (2) | number (1) | protocol (1) | SPI size (1) | number of transforms (1) | SPI | transforms
type Proposal struct {
	Reserved   uint8
	Number     uint8
	Protocol   ProtocolID
	SPI        []byte
	Transforms []Transform
	Count      *uint8 // overrides the number of transforms; after decoding, set if it was another than that of Transforms
}

// Transform is a transform substructure (RFC 7296 §3.3.2).
//
//	last (1) | reserved (1) | length (2) | type (1) | reserved (1) | transform ID (2) | attributes
type Transform struct {
	Reserved   uint8
	Type       TransformType
	Reserved2  uint8
	ID         uint16
	Attributes []wire.Attribute
}

// The values of the first octet of a substructure that is not the last (RFC 7296 §3.3.1 and §3.3.2).
const (
	moreProposals  isakmp.PayloadType = 2
	moreTransforms isakmp.PayloadType = 3
)

// KeyLength is the length of the key in bits that the transform names, 0 if it names none.
func (t Transform) KeyLength() int {
	for i := range t.Attributes {
		if bits, ok := t.Attributes[i].Uint(); ok && t.Attributes[i].Type == AttrKeyLength {
			return int(bits)
		}
	}
	return 0
}

// Type returns PayloadSA.
func (SA) Type() isakmp.PayloadType { return PayloadSA }

// AppendBody appends the proposals.
func (p SA) AppendBody(b []byte) ([]byte, error) {
	return appendChain(b, moreProposals, len(p.Proposals), func(i int) isakmp.Payload {
		return substructure{p.Proposals[i].Reserved, p.Proposals[i].appendBody}.framed()
	})
}

func (p *Proposal) appendBody(b []byte) ([]byte, error) {
	if len(p.SPI) > math.MaxUint8 || len(p.Transforms) > math.MaxUint8 && p.Count == nil {
		return nil, &wire.Error{Offset: len(b) + 2, Field: "proposal", Err: wire.ErrLength}
	}
	count := uint8(len(p.Transforms))
	if p.Count != nil {
		count = *p.Count
	}
	b = append(b, p.Number, byte(p.Protocol), byte(len(p.SPI)), count)
	return appendChain(append(b, p.SPI...), moreTransforms, len(p.Transforms), func(i int) isakmp.Payload {
		return substructure{p.Transforms[i].Reserved, p.Transforms[i].appendBody}.framed()
	})
}

func (t *Transform) appendBody(b []byte) ([]byte, error) {
	b = binary.BigEndian.AppendUint16(append(b, byte(t.Type), t.Reserved2), t.ID)
	return wire.AppendAttributes(b, t.Attributes)
}

// substructure is a proposal or a transform, whose first four octets are laid out as a generic payload header.
type substructure struct {
	reserved uint8
	body     func([]byte) ([]byte, error)
}

// Type returns nothing: what is last or not is told by appendChain.
func (substructure) Type() isakmp.PayloadType { return isakmp.PayloadNone }

// AppendBody appends what follows the length.
func (s substructure) AppendBody(b []byte) ([]byte, error) { return s.body(b) }

func (s substructure) framed() isakmp.Payload {
	return isakmp.Framed{Payload: s, Reserved: s.reserved}
}

// appendChain appends n substructures; the last has 0 in its first octet.
func appendChain(b []byte, more isakmp.PayloadType, n int, of func(int) isakmp.Payload) ([]byte, error) {
	for i := range n {
		next := more
		if i == n-1 {
			next = isakmp.PayloadNone
		}
		var err error
		if b, err = isakmp.AppendPayload(b, next, of(i)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// ParseSA reads the body of an SA payload.
func ParseSA(body []byte, offset int) (SA, error) {
	r := wire.NewReaderAt(body, offset)
	p := SA{Proposals: readChain(r, moreProposals, "proposal", parseProposal)}
	if err := r.Done(); err != nil {
		return SA{}, err
	}
	return p, nil
}

func parseProposal(d *isakmp.Decoded) (Proposal, error) {
	r := wire.NewReaderAt(d.Body(), d.Offset+isakmp.GenericLen)
	p := Proposal{Reserved: d.Reserved, Number: r.Uint8("proposal number"), Protocol: ProtocolID(r.Uint8("proposal protocol"))}
	size, count := r.Uint8("proposal SPI size"), r.Uint8("proposal number of transforms")
	p.SPI = r.Bytes(int(size), "proposal SPI")
	p.Transforms = readChain(r, moreTransforms, "transform", parseTransform)
	if err := r.Done(); err != nil {
		return Proposal{}, err
	}
	if int(count) != len(p.Transforms) {
		p.Count = &count
	}
	return p, nil
}

func parseTransform(d *isakmp.Decoded) (Transform, error) {
	r := wire.NewReaderAt(d.Body(), d.Offset+isakmp.GenericLen)
	t := Transform{
		Reserved:   d.Reserved,
		Type:       TransformType(r.Uint8("transform type")),
		Reserved2:  r.Uint8("transform reserved"),
		ID:         r.Uint16("transform ID"),
		Attributes: wire.ParseAttributes(r),
	}
	if err := r.Done(); err != nil {
		return Transform{}, err
	}
	return t, nil
}

// readChain reads substructures until the last, if there is anything left in r. It leaves what follows.
func readChain[T any](r *wire.Reader, more isakmp.PayloadType, name string, parse func(*isakmp.Decoded) (T, error)) []T {
	var list []T
	for again := r.Len() > 0; again; {
		d := isakmp.ReadGeneric(r)
		if d.Next != more && d.Next != isakmp.PayloadNone {
			r.Fail(d.Offset, "more after "+name, wire.ErrChain)
		}
		if r.Err() != nil {
			return nil
		}
		item, err := parse(&d)
		r.Adopt(err)
		list = append(list, item)
		again = d.Next == more
	}
	return list
}

package isakmp

import (
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// SA is the Security Association payload of Phase 1 (RFC 2408 §3.4, RFC 2409 §5). The one of GDOI is gdoi.SA.
//
//	DOI (4) | situation (4) | proposal payloads
type SA struct {
	DOI, Situation uint32
	Proposals      []Proposal
}

// Type returns PayloadSA.
func (SA) Type() PayloadType { return PayloadSA }

// AppendBody appends the body.
func (p SA) AppendBody(b []byte) ([]byte, error) {
	b = binary.BigEndian.AppendUint32(b, p.DOI)
	b = binary.BigEndian.AppendUint32(b, p.Situation)
	for i := range p.Proposals {
		var err error
		next := nested(PayloadProposal, i, len(p.Proposals))
		if b, err = p.Proposals[i].Generic.append(b, next, p.Proposals[i].appendBody); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// ParseSA reads the body of a Phase 1 SA payload.
func ParseSA(body []byte, offset int) (SA, error) {
	r := wire.NewReaderAt(body, offset)
	p := SA{DOI: r.Uint32("SA DOI"), Situation: r.Uint32("SA situation")}
	for more := r.Len() > 0; more; {
		d := ReadGeneric(r)
		more = continues(r, &d, PayloadProposal)
		proposal, err := parseProposal(&d)
		if r.Err() == nil && err != nil {
			return SA{}, err
		}
		p.Proposals = append(p.Proposals, proposal)
	}
	if err := r.Done(); err != nil {
		return SA{}, err
	}
	return p, nil
}

// nested is the Next Payload of the i-th of n payloads of one kind inside another.
func nested(typ PayloadType, i, n int) PayloadType {
	if i+1 < n {
		return typ
	}
	return PayloadNone
}

// continues reports whether another payload of that type follows d in r, and fails r if one of another type is named.
func continues(r *wire.Reader, d *Decoded, typ PayloadType) bool {
	if d.Next != typ && d.Next != PayloadNone {
		r.Fail(d.Offset, "next payload in "+PayloadSA.String(), wire.ErrChain)
	}
	return r.Err() == nil && d.Next == typ
}

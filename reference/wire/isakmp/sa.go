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
	return appendNested(b, PayloadProposal, p.Proposals, func(p *Proposal) (Generic, appendBody) {
		return p.Generic, p.appendBody
	})
}

// ParseSA reads the body of a Phase 1 SA payload.
func ParseSA(body []byte, offset int) (SA, error) {
	r := wire.NewReaderAt(body, offset)
	p := SA{DOI: r.Uint32("SA DOI"), Situation: r.Uint32("SA situation")}
	p.Proposals = readNested(r, PayloadProposal, parseProposal)
	if err := r.Done(); err != nil {
		return SA{}, err
	}
	return p, nil
}

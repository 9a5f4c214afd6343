package isakmp

import (
	"math"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// Proposal is a Proposal payload inside an SA (RFC 2408 §3.5).
//
//	number (1) | protocol (1) | SPI size (1) | number of transforms (1) | SPI | transform payloads
type Proposal struct {
	Generic    Generic // after decoding, only Reserved can be set
	Number     uint8
	Protocol   uint8
	SPI        []byte
	Transforms []Transform
	Count      *uint8 // overrides the number of transforms; after decoding, set if it was another than that of Transforms
}

func (p *Proposal) appendBody(b []byte) ([]byte, error) {
	if len(p.SPI) > math.MaxUint8 || len(p.Transforms) > math.MaxUint8 && p.Count == nil {
		return nil, &wire.Error{Offset: len(b) + 2, Field: "proposal", Err: wire.ErrLength}
	}
	count := uint8(len(p.Transforms))
	if p.Count != nil {
		count = *p.Count
	}
	b = append(b, p.Number, p.Protocol, byte(len(p.SPI)), count)
	b = append(b, p.SPI...)
	return appendNested(b, PayloadTransform, p.Transforms, func(t *Transform) (Generic, appendBody) {
		return t.Generic, t.appendBody
	})
}

func parseProposal(d *Decoded) (Proposal, error) {
	r := wire.NewReaderAt(d.Body(), d.Offset+GenericLen)
	p := Proposal{
		Generic:  Generic{Reserved: d.Reserved},
		Number:   r.Uint8("proposal number"),
		Protocol: r.Uint8("proposal protocol"),
	}
	spiSize, count := r.Uint8("proposal SPI size"), r.Uint8("proposal number of transforms")
	p.SPI = r.Bytes(int(spiSize), "proposal SPI")
	p.Transforms = readNested(r, PayloadTransform, parseTransform)
	if err := r.Done(); err != nil {
		return Proposal{}, err
	}
	if int(count) != len(p.Transforms) {
		p.Count = &count
	}
	return p, nil
}

package gdoi

import (
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// SA is the Security Association payload of GDOI (RFC 6407 §5.2). Unlike in Phase 1 it holds a chain of SAK, GAP and
// SAT payloads; its own generic header names what follows after the chain.
//
//	DOI (4) | situation (4) | SA attribute next payload (2) | reserved (2) | SAK, GAP, SAT payloads
type SA struct {
	DOI, Situation uint32
	AttributeNext  uint16 // when writing, 0 stands for the type of the first attribute payload
	Reserved2      uint16
	Attributes     []isakmp.Payload // SAK, GAP, SAT, or Raw; Framed after decoding if a reserved octet was not 0
}

// Type returns PayloadSA.
func (SA) Type() isakmp.PayloadType { return isakmp.PayloadSA }

// AppendBody appends the body.
func (p SA) AppendBody(b []byte) ([]byte, error) {
	next := p.AttributeNext
	if next == 0 {
		next = uint16(isakmp.FirstType(p.Attributes))
	}
	b = binary.BigEndian.AppendUint32(b, p.DOI)
	b = binary.BigEndian.AppendUint32(b, p.Situation)
	b = binary.BigEndian.AppendUint16(b, next)
	b = binary.BigEndian.AppendUint16(b, p.Reserved2)
	return isakmp.AppendPayloads(b, p.Attributes)
}

// ParseSA reads the body of a GDOI SA payload. The layout of the first attribute payload is told by the low octet of
// AttributeNext. The chain has to end where the body ends.
func ParseSA(body []byte, offset int) (SA, error) {
	r := wire.NewReaderAt(body, offset)
	p := readSAHead(r)
	if r.Len() > 0 {
		p.Attributes = readSAChain(r, isakmp.PayloadType(p.AttributeNext))
	} else if isakmp.PayloadType(p.AttributeNext) != isakmp.PayloadNone {
		r.Fail(r.Offset(), "SA attribute payloads", wire.ErrShort)
	}
	if err := r.Done(); err != nil {
		return SA{}, err
	}
	return p, nil
}

func readSAHead(r *wire.Reader) SA {
	return SA{
		DOI:           r.Uint32("SA DOI"),
		Situation:     r.Uint32("SA situation"),
		AttributeNext: r.Uint16("SA attribute next payload"),
		Reserved2:     r.Uint16("SA reserved"),
	}
}

func readSAChain(r *wire.Reader, first isakmp.PayloadType) []isakmp.Payload {
	c := newSAChain(r.Len())
	for typ := first; typ != isakmp.PayloadNone; {
		d := isakmp.ReadGeneric(r)
		if r.Err() != nil {
			return nil
		}
		var err error
		if d.Payload, err = c.parse(typ, d.Body(), d.Offset+isakmp.GenericLen); err != nil {
			r.Adopt(err)
			return nil
		}
		c.payloads = append(c.payloads, d.Framed())
		typ = d.Next
	}
	return c.payloads
}

// saChain is an SA's chain while it is read.
type saChain struct {
	payloads   []isakmp.Payload
	esps       []SATESP
	attributes attributeSlab
}

func (c *saChain) parse(typ isakmp.PayloadType, body []byte, offset int) (isakmp.Payload, error) {
	switch typ {
	case isakmp.PayloadSAK:
		return parseSAK(body, offset, &c.attributes)
	case isakmp.PayloadGAP:
		return parseGAP(body, offset, &c.attributes)
	case isakmp.PayloadSAT:
		c.esps = append(c.esps, SATESP{})
		return parseSAT(body, offset, &c.esps[len(c.esps)-1], &c.attributes)
	}
	return isakmp.Raw{PayloadType: typ, Body: body}, nil
}

var chainDialect = isakmp.Dialect{
	isakmp.PayloadSAK: isakmp.ParserOf(ParseSAK),
	isakmp.PayloadGAP: isakmp.ParserOf(ParseGAP),
	isakmp.PayloadSAT: isakmp.ParserOf(ParseSAT),
}

// AttributeChain returns the attribute payloads of a decoded GDOI SA payload with their generic headers and offsets.
func AttributeChain(sa *isakmp.Decoded) ([]isakmp.Decoded, error) {
	r := wire.NewReaderAt(sa.Body(), sa.Offset+isakmp.GenericLen)
	head := readSAHead(r)
	if err := r.Err(); err != nil {
		return nil, err
	}
	at := r.Offset()
	ps, rest, err := chainDialect.Parse(isakmp.PayloadType(head.AttributeNext), r.Rest(), at)
	if err == nil && len(rest) > 0 {
		end := sa.Offset + len(sa.Raw) - len(rest)
		return ps, &wire.Error{Offset: end, Field: "end", Err: wire.ErrTrailing}
	}
	return ps, err
}

package ikev2

import (
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Critical is the bit, in what ISAKMP has reserved in the generic payload header, of a payload that must not be skipped by who does
// not know its type (RFC 7296 §2.5 and §3.2).
const Critical uint8 = 0x80

// layouts are those of the payloads that are read. Others are kept as isakmp.Raw.
var layouts = isakmp.Dialect{
	PayloadSA:      isakmp.ParserOf(ParseSA),
	PayloadKE:      isakmp.ParserOf(ParseKE),
	PayloadIDi:     isakmp.ParserOf(ParseIDi),
	PayloadIDr:     isakmp.ParserOf(ParseIDr),
	PayloadCERT:    isakmp.ParserOf(ParseCERT),
	PayloadCERTREQ: isakmp.ParserOf(ParseCERTREQ),
	PayloadAUTH:    isakmp.ParserOf(ParseAUTH),
	PayloadNonce:   isakmp.ParserOf(ParseNonce),
	PayloadN:       isakmp.ParserOf(ParseNotify),
	PayloadD:       isakmp.ParserOf(ParseDelete),
	PayloadV:       isakmp.ParserOf(ParseVendorID),
	PayloadTSi:     isakmp.ParserOf(ParseTSi),
	PayloadTSr:     isakmp.ParserOf(ParseTSr),
}

// Parse walks the chain of payloads over b, which begins at the offset base of the message, usually isakmp.HeaderLen. The chain ends
// with an encrypted payload, whose Next Payload is of what is inside it (RFC 7296 §3.14). If a payload cannot be read or octets are
// left over, the payloads before are returned with a *wire.Error.
func Parse(first isakmp.PayloadType, b []byte, base int) (ps []isakmp.Decoded, err error) {
	r := wire.NewReaderAt(b, base)
	for typ := first; typ != isakmp.PayloadNone; {
		d := isakmp.ReadGeneric(r)
		if err := r.Err(); err != nil {
			return ps, err
		}
		if d.Payload, err = body(typ, &d); err != nil {
			return ps, err
		}
		ps = append(ps, d)
		typ = d.Next
		if _, last := inner(d.Payload); last {
			break
		}
	}
	return ps, r.Done()
}

func body(typ isakmp.PayloadType, d *isakmp.Decoded) (isakmp.Payload, error) {
	switch typ {
	case PayloadSK:
		return parseSK(d)
	case PayloadSKF:
		return parseSKF(d)
	}
	if parse, ok := layouts[typ]; ok {
		return parse(d.Body(), d.Offset+isakmp.GenericLen)
	}
	return isakmp.Raw{PayloadType: typ, Body: d.Body()}, nil
}

// Payloads returns what was decoded for encoding; Append then gives the octets that were received.
func Payloads(ps []isakmp.Decoded) []isakmp.Payload { return isakmp.Payloads(ps) }

// Append appends payloads with their generic headers. Each names the one that follows, an encrypted one what is inside it, the last
// has 0; isakmp.Framed ones say otherwise.
func Append(b []byte, ps []isakmp.Payload) ([]byte, error) {
	for i, p := range ps {
		next, last := inner(p)
		if !last {
			next = isakmp.FirstType(ps[i+1:])
		}
		var err error
		if b, err = isakmp.AppendPayload(b, next, p); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Assemble makes a message: the header with its Next Payload and Length filled in, then the payloads.
func Assemble(h isakmp.Header, ps []isakmp.Payload) ([]byte, error) {
	h.NextPayload = isakmp.FirstType(ps)
	b, err := Append(h.Append(nil), ps)
	if err != nil {
		return nil, err
	}
	h.Length = uint32(len(b))
	h.Append(b[:0])
	return b, nil
}

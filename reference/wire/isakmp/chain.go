package isakmp

import "github.com/gdoilab/gdoilab/reference/wire"

// Decoded is a payload as it was received. Parse fills in all of it.
type Decoded struct {
	Payload  Payload
	Next     PayloadType // the Next Payload field
	Reserved uint8       // the reserved octet of the generic header
	Offset   int         // of the generic header, from the start of the message
	Raw      []byte      // with the generic header; aliases the message
}

// Body returns the octets behind the generic header as they were received.
func (d *Decoded) Body() []byte { return d.Raw[min(GenericLen, len(d.Raw)):] }

// Framed returns the payload for encoding: wrapped if its reserved octet was not 0.
func (d *Decoded) Framed() Payload {
	if d.Reserved == 0 {
		return d.Payload
	}
	return Framed{Payload: d.Payload, Reserved: d.Reserved}
}

// BodyParser reads the body of a payload, which begins at that offset of the message. Its errors are *wire.Error.
type BodyParser func(body []byte, offset int) (Payload, error)

// ParserOf makes a BodyParser of a function that returns its own type of payload.
func ParserOf[T Payload](parse func([]byte, int) (T, error)) BodyParser {
	return func(body []byte, offset int) (Payload, error) {
		p, err := parse(body, offset)
		if err != nil {
			return nil, err
		}
		return p, nil
	}
}

// Dialect says which layout a payload number has in an exchange. Numbers that are not in it are read as Raw.
type Dialect map[PayloadType]BodyParser

// Parse walks the chain of payloads over b, which begins at the offset base of the message, usually HeaderLen. What
// remains after the last payload is padding. If a payload cannot be read, those before it are returned with a
// *wire.Error.
func (d Dialect) Parse(first PayloadType, b []byte, base int) (ps []Decoded, padding []byte, err error) {
	return d.Append(make([]Decoded, 0, countChain(first, b)), first, b, base)
}

// Append is Parse into a slice that is there already.
func (d Dialect) Append(ps []Decoded, first PayloadType, b []byte, base int) (_ []Decoded, padding []byte, err error) {
	r := wire.NewReaderAt(b, base)
	for typ := first; typ != PayloadNone; {
		p := ReadGeneric(r)
		if err := r.Err(); err != nil {
			return ps, nil, err
		}
		if p.Payload, err = d.body(typ, p.Body(), p.Offset+GenericLen); err != nil {
			return ps, nil, err
		}
		ps = append(ps, p)
		typ = p.Next
	}
	return ps, r.Rest(), nil
}

func (d Dialect) body(typ PayloadType, body []byte, offset int) (Payload, error) {
	if parse, ok := d[typ]; ok {
		return parse(body, offset)
	}
	return Raw{PayloadType: typ, Body: body}, nil
}

// countChain says how many whole payloads the chain has, so that the list is allocated once.
func countChain(first PayloadType, b []byte) int {
	n := 0
	for typ := first; typ != PayloadNone && len(b) >= GenericLen; n++ {
		size := int(b[2])<<8 | int(b[3])
		if size < GenericLen || size > len(b) {
			break
		}
		typ, b = PayloadType(b[0]), b[size:]
	}
	return n
}

// Find returns the first payload of that Go type.
func Find[T Payload](ps []Decoded) (T, *Decoded, bool) {
	for i := range ps {
		if p, ok := ps[i].Payload.(T); ok {
			return p, &ps[i], true
		}
	}
	var none T
	return none, nil, false
}

// Payloads returns what was decoded for encoding; AppendPayloads then gives the octets that were received.
func Payloads(ps []Decoded) []Payload {
	out := make([]Payload, len(ps))
	for i := range ps {
		out[i] = ps[i].Framed()
	}
	return out
}

// FirstType is the type of the first payload, PayloadNone if there is none: what the header's Next Payload says.
func FirstType(ps []Payload) PayloadType {
	if len(ps) == 0 || Unwrap(ps[0]) == nil {
		return PayloadNone
	}
	return ps[0].Type()
}

// AppendPayloads appends payloads with their generic headers. Each names the one that follows, the last has 0; Framed
// ones say otherwise.
func AppendPayloads(b []byte, ps []Payload) ([]byte, error) {
	for i, p := range ps {
		var err error
		if b, err = AppendPayload(b, FirstType(ps[i+1:]), p); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Assemble makes a message in clear: the header with its Next Payload and Length filled in, then the payloads.
func Assemble(h Header, ps []Payload) ([]byte, error) {
	h.NextPayload = FirstType(ps)
	b, err := AppendPayloads(h.Append(make([]byte, 0, HeaderLen+32*len(ps))), ps)
	if err != nil {
		return nil, err
	}
	h.Length = uint32(len(b))
	h.Append(b[:0])
	return b, nil
}

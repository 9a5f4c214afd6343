package ikev2

import (
	"encoding/binary"
	"math"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// TS is what the two Traffic Selector payloads hold (RFC 7296 §3.13).
//
//	number of selectors (1) | reserved (3) | selectors
type TS struct {
	Reserved  [3]byte
	Selectors []Selector
	Count     *uint8 // overrides the number of selectors; after decoding, set if it was another than that of Selectors
}

// TSi is the traffic of the initiator's side.
type TSi struct{ TS }

// TSr is the traffic of the responder's side.
type TSr struct{ TS }

// Selector is one traffic selector (RFC 7296 §3.13.1).
//
//	type (1) | IP protocol (1) | length (2) | start port (2) | end port (2) | start address | end address
type Selector struct {
	Kind               uint8
	Protocol           uint8 // 0: any
	StartPort, EndPort uint16
	Addresses          []byte // start and end, of one length; of a type that is not known, what stands there
}

// Type returns PayloadTSi.
func (TSi) Type() isakmp.PayloadType { return PayloadTSi }

// Type returns PayloadTSr.
func (TSr) Type() isakmp.PayloadType { return PayloadTSr }

// AppendBody appends the body.
func (p TS) AppendBody(b []byte) ([]byte, error) {
	if len(p.Selectors) > math.MaxUint8 && p.Count == nil {
		return nil, &wire.Error{Offset: len(b), Field: "number of selectors", Err: wire.ErrLength}
	}
	count := uint8(len(p.Selectors))
	if p.Count != nil {
		count = *p.Count
	}
	b = append(append(b, count), p.Reserved[:]...)
	for i := range p.Selectors {
		var err error
		if b, err = p.Selectors[i].append(b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// selectorHead is the length of a selector before its addresses.
const selectorHead = 8

func (s *Selector) append(b []byte) ([]byte, error) {
	length := selectorHead + len(s.Addresses)
	if length > math.MaxUint16 {
		return nil, &wire.Error{Offset: len(b) + 2, Field: "selector length", Err: wire.ErrLength}
	}
	b = binary.BigEndian.AppendUint16(append(b, s.Kind, s.Protocol), uint16(length))
	b = binary.BigEndian.AppendUint16(b, s.StartPort)
	b = binary.BigEndian.AppendUint16(b, s.EndPort)
	return append(b, s.Addresses...), nil
}

// addressesLen is the length of both addresses in a selector of that type; 0 if it is not known.
func addressesLen(kind uint8) int {
	switch kind {
	case TSIPv4AddrRange:
		return 2 * 4
	case TSIPv6AddrRange:
		return 2 * 16
	}
	return 0
}

// ParseTSi reads the body of a TSi payload.
func ParseTSi(body []byte, offset int) (TSi, error) {
	p, err := parseTS(body, offset)
	return TSi{p}, err
}

// ParseTSr reads the body of a TSr payload.
func ParseTSr(body []byte, offset int) (TSr, error) {
	p, err := parseTS(body, offset)
	return TSr{p}, err
}

func parseTS(body []byte, offset int) (TS, error) {
	r := wire.NewReaderAt(body, offset)
	count := r.Uint8("number of selectors")
	var p TS
	copy(p.Reserved[:], r.Bytes(len(p.Reserved), "selectors reserved"))
	for r.Err() == nil && r.Len() > 0 {
		p.Selectors = append(p.Selectors, readSelector(r))
	}
	if err := r.Done(); err != nil {
		return TS{}, err
	}
	if int(count) != len(p.Selectors) {
		p.Count = &count
	}
	return p, nil
}

func readSelector(r *wire.Reader) Selector {
	s := Selector{Kind: r.Uint8("selector type"), Protocol: r.Uint8("selector protocol")}
	at := r.Offset()
	length := int(r.Uint16("selector length"))
	s.StartPort, s.EndPort = r.Uint16("selector start port"), r.Uint16("selector end port")
	if want := addressesLen(s.Kind); length < selectorHead || want > 0 && length != selectorHead+want {
		r.Fail(at, "selector length", wire.ErrLength)
		return s
	}
	s.Addresses = r.Bytes(length-selectorHead, "selector addresses")
	return s
}

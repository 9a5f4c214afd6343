package gdoi

import (
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Protocol is the protocol of a SAT (RFC 6407 §5.5, RFC 8052 §2.2).
type Protocol uint8

// The protocols, untyped to compare with SAT.ProtocolID.
const (
	ProtoIPsecESP = 1
	ProtoIPsecAH  = 2
	ProtoIEC61850 = 3
)

var protocolNames = []string{"ESP", "AH", "IEC 61850"}

// String returns "ESP", "AH" or "IEC 61850".
func (p Protocol) String() string { return name(int(p), "protocol", protocolNames...) }

// SAT is the SA TEK payload: one Data-Security SA (RFC 6407 §5.5). It stands inside an SA.
//
//	protocol ID (1) | body
type SAT struct {
	ProtocolID uint8
	ESP        *SATESP      // the body if the protocol is ESP or AH
	IEC61850   *SATIEC61850 // the body if the protocol is IEC 61850
	Raw        []byte       // the body otherwise
}

// SATESP is the body of a SAT for ESP or AH (RFC 6407 §5.5.1).
//
//	protocol (1) | source ID16 | destination ID16 | transform ID (1) | SPI (4) | SA attributes
type SATESP struct {
	Protocol            uint8 // IP protocol of the traffic, 0: any
	Source, Destination ID16
	TransformID         uint8 // see ESPTransform, AHTransform
	SPI                 uint32
	Attributes          []wire.Attribute // see SAAttribute
}

// Type returns PayloadSAT.
func (SAT) Type() isakmp.PayloadType { return isakmp.PayloadSAT }

// AppendBody appends the body: that of ESP or IEC 61850 if it is there, whatever the protocol says, or else Raw.
func (p SAT) AppendBody(b []byte) ([]byte, error) {
	b = append(b, p.ProtocolID)
	switch {
	case p.ESP != nil:
		return p.ESP.append(b)
	case p.IEC61850 != nil:
		return p.IEC61850.append(b)
	}
	return append(b, p.Raw...), nil
}

func (e *SATESP) append(b []byte) ([]byte, error) {
	b, err := e.Source.append(append(b, e.Protocol), "SAT source")
	if err != nil {
		return nil, err
	}
	if b, err = e.Destination.append(b, "SAT destination"); err != nil {
		return nil, err
	}
	b = append(b, e.TransformID)
	b = binary.BigEndian.AppendUint32(b, e.SPI)
	return wire.AppendAttributes(b, e.Attributes)
}

// ParseSAT reads the body of a SAT payload.
func ParseSAT(body []byte, offset int) (SAT, error) {
	return parseSAT(body, offset, new(SATESP), new(attributeSlab))
}

// parseSAT fills in esp and points to it if the protocol is ESP or AH.
func parseSAT(body []byte, offset int, esp *SATESP, slab *attributeSlab) (SAT, error) {
	r := wire.NewReaderAt(body, offset)
	p := SAT{ProtocolID: r.Uint8("SAT protocol ID")}
	switch p.ProtocolID {
	case ProtoIPsecESP, ProtoIPsecAH:
		esp.read(r, slab)
		p.ESP = esp
	case ProtoIEC61850:
		p.IEC61850 = readSATIEC61850(r, slab)
	default:
		p.Raw = r.Rest()
	}
	if err := r.Done(); err != nil {
		return SAT{}, err
	}
	return p, nil
}

func (e *SATESP) read(r *wire.Reader, slab *attributeSlab) {
	e.Protocol = r.Uint8("SAT protocol")
	e.Source = readID16(r, "SAT source")
	e.Destination = readID16(r, "SAT destination")
	e.TransformID = r.Uint8("SAT transform ID")
	e.SPI = r.Uint32("SAT SPI")
	e.Attributes = slab.read(r)
}

package gdoi

import (
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// GAP is the Group Associated Policy payload (RFC 6407 §5.4): inside an SA when and for how long SAs serve, in message 3
// of the PULL how many Sender-IDs the member asks for.
//
//	GAP attributes
type GAP struct {
	Attributes []wire.Attribute // see GAPAttribute
}

// Type returns PayloadGAP.
func (GAP) Type() isakmp.PayloadType { return isakmp.PayloadGAP }

// AppendBody appends the body.
func (p GAP) AppendBody(b []byte) ([]byte, error) { return wire.AppendAttributes(b, p.Attributes) }

// ParseGAP reads the body of a GAP payload.
func ParseGAP(body []byte, offset int) (GAP, error) {
	return parseGAP(body, offset, new(attributeSlab))
}

func parseGAP(body []byte, offset int, slab *attributeSlab) (GAP, error) {
	r := wire.NewReaderAt(body, offset)
	p := GAP{Attributes: slab.read(r)}
	if err := r.Done(); err != nil {
		return GAP{}, err
	}
	return p, nil
}

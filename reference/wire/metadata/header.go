package metadata

import (
	"encoding/binary"
	"errors"

	"github.com/gdoilab/gdoilab/reference/wire"
)

// Protocol is the number that the Next Header of ESP has in front of a Metadata header unless it is configured otherwise: that of
// any private encryption scheme in the registry of IP protocols.
const Protocol = 99

// The lengths of headers in octets: those with a pseudotime in both of their forms, and those with a tag.
const (
	ShortStampLen = 12
	LongStampLen  = 16
	TagLen        = 8
)

// Kind is what a header carries.
type Kind uint16

// The kinds.
const (
	KindStamp Kind = 1 // pseudotime of the sender
	KindTag   Kind = 2 // security group tag of the packet
)

// String returns "pseudotime" or "security group tag".
func (k Kind) String() string {
	switch k {
	case KindStamp:
		return "pseudotime"
	case KindTag:
		return "security group tag"
	}
	return "unknown"
}

var (
	errKind   = errors.New("not a kind of Metadata header")
	errLength = errors.New("not the length of that kind")
	errZero   = errors.New("reserved octets that are not 0")
)

// Header is one Metadata header.
//
//	next header (1) | length (1) | kind (2) = 1 | pseudotime (8) [| reserved (4)]
//	next header (1) | length (1) | kind (2) = 2 | tag (2) | reserved (2)
type Header struct {
	Next   uint8 // protocol of what follows
	Length int   // of the header in octets
	Kind   Kind
	Stamp  uint64 // of KindStamp: hundredths of a second
	Tag    uint16 // of KindTag
}

// Append appends the header. Its Length is one that its Kind may have.
func (h Header) Append(b []byte) []byte {
	b = append(b, h.Next, uint8(h.Length))
	b = binary.BigEndian.AppendUint16(b, uint16(h.Kind))
	if h.Kind == KindTag {
		return append(binary.BigEndian.AppendUint16(b, h.Tag), 0, 0)
	}
	b = binary.BigEndian.AppendUint64(b, h.Stamp)
	if h.Length == LongStampLen {
		b = append(b, 0, 0, 0, 0)
	}
	return b
}

// Parse reads the header at the front of b; what it is in front of begins at Length. Its errors are *wire.Error.
func Parse(b []byte) (Header, error) {
	r := wire.NewReader(b)
	h := Header{Next: r.Uint8("metadata next header"), Length: int(r.Uint8("metadata length")), Kind: Kind(r.Uint16("metadata kind"))}
	switch {
	case r.Err() != nil:
	case h.Kind != KindStamp && h.Kind != KindTag:
		r.Fail(2, "metadata kind", errKind)
	case !h.fits():
		r.Fail(1, "metadata length", errLength)
	case h.Kind == KindStamp:
		h.Stamp = uint64(r.Uint32("metadata pseudotime"))<<32 | uint64(r.Uint32("metadata pseudotime"))
	default:
		h.Tag = r.Uint16("metadata tag")
	}
	if rest := r.Bytes(h.Length-r.Offset(), "metadata reserved"); r.Err() == nil && !zero(rest) {
		r.Fail(r.Offset()-len(rest), "metadata reserved", errZero)
	}
	if err := r.Err(); err != nil {
		return Header{}, err
	}
	return h, nil
}

// fits reports whether the length is one of the kind.
func (h Header) fits() bool {
	if h.Kind == KindTag {
		return h.Length == TagLen
	}
	return h.Length == ShortStampLen || h.Length == LongStampLen
}

func zero(b []byte) bool {
	for _, octet := range b {
		if octet != 0 {
			return false
		}
	}
	return true
}

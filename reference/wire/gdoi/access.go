package gdoi

import "github.com/gdoilab/gdoilab/reference/wire"

// AccessEntry is the body of a SAT that protects nothing: its packets travel in clear. It has the head of the body of ESP and is the
// vendor profile's; its Protocol-ID is of the range for private use (RFC 6407 §5.5).
//
//	protocol (1) | source ID16 | destination ID16
type AccessEntry struct {
	Protocol            uint8 // IP protocol of the traffic, 0: any
	Source, Destination ID16
}

// Append appends the body.
func (e AccessEntry) Append(b []byte) ([]byte, error) {
	b, err := e.Source.append(append(b, e.Protocol), "access entry source")
	if err != nil {
		return nil, err
	}
	return e.Destination.append(b, "access entry destination")
}

// ParseAccessEntry reads the body.
func ParseAccessEntry(body []byte, offset int) (AccessEntry, error) {
	r := wire.NewReaderAt(body, offset)
	e := AccessEntry{Protocol: r.Uint8("access entry protocol")}
	e.Source = readID16(r, "access entry source")
	e.Destination = readID16(r, "access entry destination")
	if err := r.Done(); err != nil {
		return AccessEntry{}, err
	}
	return e, nil
}

package natt

import "github.com/gdoilab/gdoilab/reference/wire"

// Port is the UDP port of both ends (RFC 3948 §2).
const Port = 4500

// MarkerLen is the length of the marker of zeros in front of an ISAKMP message. It stands where ESP has its SPI, which is
// never 0 (RFC 3948 §2.2).
const MarkerLen = 4

// keepalive is the only octet of a keepalive (RFC 3948 §2.3).
const keepalive = 0xff

// Kind is what a datagram holds.
type Kind uint8

// The kinds.
const (
	KindISAKMP Kind = iota + 1
	KindESP
	KindKeepalive
)

// String returns "ISAKMP", "ESP" or "keepalive".
func (k Kind) String() string {
	switch k {
	case KindISAKMP:
		return "ISAKMP"
	case KindESP:
		return "ESP"
	case KindKeepalive:
		return "keepalive"
	}
	return "unknown"
}

// Split tells what a datagram holds, and returns the ISAKMP message or ESP packet in it; it aliases the datagram. It fails
// with a *wire.Error if the datagram is neither a keepalive nor long enough for a marker or an SPI.
func Split(datagram []byte) (Kind, []byte, error) {
	switch {
	case len(datagram) == 1 && datagram[0] == keepalive:
		return KindKeepalive, nil, nil
	case len(datagram) < MarkerLen:
		return 0, nil, &wire.Error{Offset: 0, Field: "marker or SPI", Err: wire.ErrShort}
	case [MarkerLen]byte(datagram) == [MarkerLen]byte{}:
		return KindISAKMP, datagram[MarkerLen:], nil
	}
	return KindESP, datagram, nil
}

// AppendMarker appends the marker that an ISAKMP message follows.
func AppendMarker(b []byte) []byte { return append(b, make([]byte, MarkerLen)...) }

// AppendKeepalive appends a keepalive.
func AppendKeepalive(b []byte) []byte { return append(b, keepalive) }

package isakmp

import "encoding/hex"

// Cookie is one half of the cookie pair that names an ISAKMP SA (RFC 2408 §2.5.3).
type Cookie [8]byte

// String returns the cookie in hexadecimal.
func (c Cookie) String() string { return hex.EncodeToString(c[:]) }

// IsZero reports whether the cookie is all zeros, as the responder's is in the first message.
func (c Cookie) IsZero() bool { return c == Cookie{} }

// PayloadType is the Next Payload number (RFC 2408 §3.1, RFC 6407 §5).
type PayloadType uint8

// ExchangeType is the exchange of a message (RFC 2408 §3.1, RFC 6407 §8, RFC 8263 §3.1).
type ExchangeType uint8

// Flags are the header flags (RFC 2408 §3.1).
type Flags uint8

// HeaderLen is the length of the ISAKMP header in octets.
const HeaderLen = 28

// Version10 is the version octet of ISAKMP 1.0.
const Version10 = 0x10

// Header is the ISAKMP header (RFC 2408 §3.1).
type Header struct {
	InitiatorCookie, ResponderCookie Cookie
	NextPayload                      PayloadType
	Version                          uint8
	Exchange                         ExchangeType
	Flags                            Flags
	MessageID                        uint32
	Length                           uint32
}

// Payload is the body of one payload, without its generic header.
type Payload interface {
	Type() PayloadType
	// AppendBody appends the body's octets to b.
	AppendBody(b []byte) ([]byte, error)
}

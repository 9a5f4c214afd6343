package ike

import (
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Stream is one exchange under an SA (a GROUPKEY-PULL, an Informational): its own Message ID and chain of IVs.
type Stream struct{}

// NewStream begins an exchange under the SA, one's own or one that the peer began.
func (sa *SA) NewStream(exchange isakmp.ExchangeType, messageID uint32) *Stream { return nil }

// MessageID returns the Message ID.
func (s *Stream) MessageID() uint32 { return 0 }

// Seal makes an encrypted message of HASH and the payloads. It calls hash with the Message ID as on the wire and the octets
// that follow HASH, generic headers included.
func (s *Stream) Seal(kind core.Kind, hash func(mid [4]byte, after []byte) []byte, ps []isakmp.Payload) (Datagram, error) {
	return Datagram{}, nil
}

// Open decrypts a message of this exchange and checks its header and form, but not its HASH. The chain of IVs stays where
// it is until Commit. The error is a *rule.Violation.
func (s *Stream) Open(data []byte, d isakmp.Dialect) (*Opened, error) { return nil, nil }

// Opened is a message that was decrypted and read, but not yet proven.
type Opened struct {
	Header   isakmp.Header
	Payloads []isakmp.Decoded // HASH is the first
	Hash     []byte           // body of HASH
	After    []byte           // octets of the payloads that follow HASH, as they came, without padding
}

// Commit accepts the message: the next one is chained to it (RFC 2409 §10).
func (o *Opened) Commit() {}

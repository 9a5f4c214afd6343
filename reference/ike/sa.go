package ike

import (
	"io"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// SA is an established Phase 1 SA (ISAKMP SA). It is not safe for concurrent use.
type SA struct{}

// Cookies returns the cookie pair that names the SA: the Phase 1 initiator's first, whoever sends.
func (sa *SA) Cookies() (i, r isakmp.Cookie) { return }

// Initiator reports whether this side began Phase 1.
func (sa *SA) Initiator() bool { return false }

// PeerID returns the identity that the peer has proven.
func (sa *SA) PeerID() isakmp.ID { return isakmp.ID{} }

// Peer returns the address and port that Phase 1 was completed with.
func (sa *SA) Peer() netip.AddrPort { return netip.AddrPort{} }

// Expiry returns when the SA's lifetime ends.
func (sa *SA) Expiry() time.Time { return time.Time{} }

// Hash returns the negotiated hash, whose HMAC is the PRF.
func (sa *SA) Hash() keymat.Hash { return 0 }

// SKEYIDa returns the key of HASH(1) to HASH(4).
func (sa *SA) SKEYIDa() []byte { return nil }

// Secret returns what a reader of a capture needs.
func (sa *SA) Secret() core.Phase1Secret { return core.Phase1Secret{} }

// Duplicate reports whether data is a message of the Phase 1 that made this SA. A repeat of the last one is answered with
// the last reply, if there was one.
func (sa *SA) Duplicate(data []byte) ([]Datagram, bool) { return nil, false }

// NewMessageID makes the Message ID of a new exchange under the SA: random and never zero (RFC 2408 §3.1).
func (sa *SA) NewMessageID(rand io.Reader) uint32 { return NewMessageID(rand) }

// NewMessageID makes a random Message ID that is never zero (RFC 2408 §3.1).
func NewMessageID(rand io.Reader) uint32 { return 1 }

package ike

import (
	"cmp"
	"encoding/binary"
	"io"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// SA is an established Phase 1 SA (ISAKMP SA). It is not safe for concurrent use.
type SA struct {
	expiry    time.Time
	liveness  liveness
	cfg       *Config
	initiator bool
	peer      netip.AddrPort
	local     netip.AddrPort // where the peer's messages come to
	nat       traversal
	peerID    isakmp.ID
	subject   []string // of the certificate that proved it
	ci, cr    isakmp.Cookie
	suite     Suite
	agreed    choice
	begun     time.Time
	keys      keymat.Phase1Keys
	key       []byte
	firstIV   []byte // of Main Mode 5
	shared    []byte // g^xy
	lastBlock []byte // of Main Mode 6
	history   history
	protected uint64 // octets
	peerDPD   bool   // the peer answers R-U-THERE
	streams   uint32 // how many were begun
	latest    uint32 // Message ID of the one begun last
}

// establish makes the SA of a completed exchange.
func (x *Exchange) establish(now time.Time) {
	x.sa = &SA{
		cfg:       x.cfg,
		initiator: x.initiator,
		peerID:    x.peerID,
		subject:   x.subject,
		ci:        x.ci,
		cr:        x.cr,
		suite:     x.chosen.suite,
		agreed:    x.chosen,
		begun:     now,
		expiry:    now.Add(timerLifetime.Delay(x.cfg.Rules, x.chosen.lifetime)),
		keys:      x.keys,
		key:       x.key,
		firstIV:   x.firstIV,
		shared:    x.shared,
		lastBlock: x.iv,
		peerDPD:   x.peerDPD,
	}
	x.sa.Heard(now)
}

// Cookies returns the cookie pair that names the SA: the Phase 1 initiator's first, whoever sends.
func (sa *SA) Cookies() (i, r isakmp.Cookie) { return sa.ci, sa.cr }

// Initiator reports whether this side began Phase 1.
func (sa *SA) Initiator() bool { return sa.initiator }

// PeerID returns the identity that the peer has proven.
func (sa *SA) PeerID() isakmp.ID { return sa.peerID }

// PeerName returns who the peer has proven to be, with what the certificate that proved it says of it.
func (sa *SA) PeerName() policy.Peer {
	return policy.Peer{Identity: identityOf(sa.peerID), Subject: sa.subject}
}

// Peer returns the address and port that Phase 1 was completed with, or that Follow was told since.
func (sa *SA) Peer() netip.AddrPort { return sa.peer }

// Expiry returns when the SA's lifetime ends: the shorter of what was agreed and what the own configuration allows.
func (sa *SA) Expiry() time.Time { return sa.expiry }

// Suite returns the negotiated algorithms.
func (sa *SA) Suite() Suite { return sa.suite }

// Hash returns the negotiated hash, whose HMAC is the PRF.
func (sa *SA) Hash() keymat.Hash { return sa.suite.Hash }

// SKEYIDa returns the key of HASH(1) to HASH(4).
func (sa *SA) SKEYIDa() []byte { return sa.keys.A }

// Secret returns what a reader of a capture needs.
func (sa *SA) Secret() core.Phase1Secret {
	return core.Phase1Secret{
		InitiatorCookie: sa.ci,
		ResponderCookie: sa.cr,
		SKEYID:          sa.keys.SKEYID,
		SKEYIDd:         sa.keys.D,
		SKEYIDa:         sa.keys.A,
		SKEYIDe:         sa.keys.E,
		CipherKey:       sa.key,
		FirstIV:         sa.firstIV,
		Shared:          sa.shared,
	}
}

// Duplicate reports whether data is a message of the Phase 1 that made this SA. A repeat of the last one is answered with
// the last reply, if there was one.
func (sa *SA) Duplicate(data []byte) ([]Datagram, bool) {
	known, latest := sa.history.find(data)
	if !latest {
		return nil, known
	}
	again := sa.cfg.transmit(sa.history.last, sa.peer)
	for i := range again {
		again[i].From = sa.Local()
	}
	return again, true
}

// NewMessageID makes the Message ID of a new exchange under the SA: random and never zero (RFC 2408 §3.1).
func (sa *SA) NewMessageID(rand io.Reader) uint32 {
	if !dutyStreamID.Kept(sa.cfg.Rules) {
		return sa.streams + 1
	}
	return newMessageID(rand)
}

// newMessageID makes a random Message ID that is never zero (RFC 2408 §3.1). The source must not fail.
func newMessageID(rand io.Reader) uint32 {
	const instead = 1 // one of the others, so that a source of zeros does not keep it waiting
	return cmp.Or(binary.BigEndian.Uint32(random(rand, 4)), instead)
}

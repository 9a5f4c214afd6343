package ike

import (
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Exchange is one Phase 1 in progress. It is not safe for concurrent use.
type Exchange struct{}

// Initiate begins Main Mode with the peer: message 1.
func Initiate(cfg Config, now time.Time, peer netip.AddrPort) (*Exchange, []Datagram) {
	return nil, nil
}

// Respond takes message 1 of a peer and answers with message 2. If the message is refused the error is a *rule.Violation
// and nothing is kept; an offer without an acceptable transform is answered with NO-PROPOSAL-CHOSEN all the same.
func Respond(cfg Config, now time.Time, from netip.AddrPort, data []byte) (*Exchange, []Datagram, error) {
	return nil, nil, nil
}

// Handle takes a datagram with the cookies of this exchange. The SA is returned once, when it is established. An error
// (*rule.Violation, *Notified) leaves the exchange as it was. A repeat of the last message gets the last reply again.
func (x *Exchange) Handle(now time.Time, from netip.AddrPort, data []byte) ([]Datagram, *SA, error) {
	return nil, nil, nil
}

// Timeout is called at the Deadline: the initiator repeats its last message. After ErrTimeout the exchange is over.
func (x *Exchange) Timeout(now time.Time) ([]Datagram, error) { return nil, nil }

// Deadline is when Timeout is due; false once the exchange is over.
func (x *Exchange) Deadline() (time.Time, bool) { return time.Time{}, false }

// Cookies returns the cookie pair. The responder's is zero in an initiator that has not had message 2.
func (x *Exchange) Cookies() (i, r isakmp.Cookie) { return }

// Peer returns where messages go to.
func (x *Exchange) Peer() netip.AddrPort { return netip.AddrPort{} }

// Initiator reports whether this side began.
func (x *Exchange) Initiator() bool { return false }

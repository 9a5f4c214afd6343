package core

import (
	"fmt"
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Kind names a protocol message by its exchange and its place in it.
type Kind uint8

// The messages.
const (
	KindUnknown Kind = iota
	MainMode1
	MainMode2
	MainMode3
	MainMode4
	MainMode5
	MainMode6
	Informational
	Pull1
	Pull2
	Pull3
	Pull4
	Push
	PushACK
	Keepalive // one octet on port 4500 (RFC 3948 §2.3)
	Aggressive1
	Aggressive2
	Aggressive3
)

var kindNames = [...]string{"unknown", "MM1", "MM2", "MM3", "MM4", "MM5", "MM6", "INFO", "PULL1", "PULL2", "PULL3", "PULL4",
	"PUSH", "PUSH-ACK", "KEEPALIVE", "AM1", "AM2", "AM3"}

// String returns a short name such as "PULL2".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Stage is how far a message has been built when a Tap sees it.
type Stage uint8

// The stages. What is changed at Built is covered by the HASH or SIG made afterwards; at Authenticated by the
// encryption only; at Sealed it is the bytes as they would leave. Leaving, which only nodes with NAT traversal have, is the
// datagram itself, with its ports and what stands in front of the message on port 4500.
const (
	Built Stage = iota
	Authenticated
	Sealed
	Leaving
)

// Outgoing is a message on its way out of a core.
type Outgoing struct {
	Kind     Kind
	Header   isakmp.Header
	Payloads []isakmp.Payload // until Authenticated; HASH and SIG stand in their places from Authenticated on
	Bytes    []byte           // at Sealed and Leaving
	From, To netip.AddrPort   // at Leaving
	Withhold bool             // set by a Tap: the message is not sent; the core believes that it was
}

// Tap sees every outgoing message of a core at each stage and may change it. A nil Tap changes nothing.
type Tap func(Stage, *Outgoing)

// See calls the tap if there is one.
func (t Tap) See(stage Stage, o *Outgoing) {
	if t != nil {
		t(stage, o)
	}
}

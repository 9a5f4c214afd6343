package ikev2

import (
	"bytes"
	"cmp"
	"fmt"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/ikev2"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// State is how far an SA has come.
type State uint8

// The states of an SA.
const (
	Beginning   State = iota // IKE_SA_INIT is under way
	Proving                  // IKE_AUTH is
	Established              // both sides have proven who they are
	Closed                   // it was given up or deleted
)

// SA is an IKE SA from its first message to its end. It is not safe for concurrent use.
type SA struct {
	cfg         *Config
	initiator   bool // this side is the original initiator
	state       State
	peer, local netip.AddrPort
	between     bool // a NAT changes addresses or ports
	spiI, spiR  [8]byte
	suite       Suite
	keys        keymat.IKEv2Keys
	shared      []byte
	sealed      uint64 // IVs used so far

	group    uint16
	private  keymat.PrivateKey
	ni, nr   []byte
	cookie   []byte
	restarts int
	first    [2][]byte // IKE_SA_INIT as sent: the initiator's message and the responder's
	hashes   []keymat.Hash

	peerID  policy.Identity
	subject []string

	send, expect uint32 // Message IDs: of the next own request, and of the peer's
	request      []byte // the own one that is under way
	asked        isakmp.ExchangeType
	rekey        *rekey
	copies       int
	due          time.Time
	answered     []byte // the peer's last request, and the response to it
	response     []byte

	closing   bool // a Delete is under way
	successor *SA
	probes    int
}

// State is how far the SA has come.
func (sa *SA) State() State { return sa.state }

// SPIs are those of the initiator and the responder.
func (sa *SA) SPIs() (i, r [8]byte) { return sa.spiI, sa.spiR }

// Suite is what was agreed on.
func (sa *SA) Suite() Suite { return sa.suite }

// Peer is where the peer's messages come from, and Local where they come to.
func (sa *SA) Peer() netip.AddrPort { return sa.peer }

// Local is where the peer's messages come to.
func (sa *SA) Local() netip.AddrPort { return sa.local }

// PeerName is who the peer has proven to be.
func (sa *SA) PeerName() policy.Peer { return policy.Peer{Identity: sa.peerID, Subject: sa.subject} }

// Keys are those of the SA, for who reads a capture.
func (sa *SA) Keys() keymat.IKEv2Keys { return sa.keys }

// Successor is the SA that a rekey has made, nil before (RFC 7296 §2.18).
func (sa *SA) Successor() *SA { return sa.successor }

// Idle reports whether no own request is under way.
func (sa *SA) Idle() bool { return sa.request == nil }

// Probes is how many requests of the peer were signs of life: they held nothing (RFC 7296 §2.4).
func (sa *SA) Probes() int { return sa.probes }

// Deadline is when Timeout is to be called, unless something arrives before; false: never.
func (sa *SA) Deadline() (time.Time, bool) { return sa.due, !sa.due.IsZero() && sa.state != Closed }

// Timeout repeats the own request, and gives up when nobody has answered its last copy (RFC 7296 §2.1, §2.4). A responder that waits for
// IKE_AUTH gives up too. After ErrTimeout the SA is closed.
func (sa *SA) Timeout(now time.Time) ([]Datagram, error) {
	if due, ok := sa.Deadline(); !ok || now.Before(due) {
		return nil, nil
	}
	if sa.request == nil || sa.copies >= sa.cfg.Retries {
		sa.close()
		return nil, ErrTimeout
	}
	sa.copies++
	sa.due = now.Add(sa.cfg.Retransmit << sa.copies)
	return sa.out(sa.request), nil
}

func (sa *SA) close() {
	sa.state, sa.due, sa.request = Closed, time.Time{}, nil
}

func (sa *SA) out(data []byte) []Datagram {
	return []Datagram{{From: sa.local, To: sa.peer, Data: data}}
}

// ask sends an own request.
func (sa *SA) ask(now time.Time, exchange isakmp.ExchangeType, ps ...isakmp.Payload) ([]Datagram, error) {
	switch {
	case sa.state == Closed:
		return nil, ErrClosed
	case sa.request != nil:
		return nil, ErrBusy
	}
	data, err := sa.seal(exchange, false, sa.send, ps...)
	if err != nil {
		return nil, err
	}
	return sa.under(now, exchange, data), nil
}

// under notes an own request that goes out.
func (sa *SA) under(now time.Time, exchange isakmp.ExchangeType, data []byte) []Datagram {
	sa.request, sa.asked, sa.copies, sa.due = data, exchange, 0, now.Add(sa.cfg.Retransmit)
	return sa.out(data)
}

// Probe asks the peer for a sign of life (RFC 7296 §2.4).
func (sa *SA) Probe(now time.Time) ([]Datagram, error) {
	return sa.ask(now, ikev2.ExchangeInformational)
}

// Delete tells the peer that the SA ends (RFC 7296 §1.4.1). It is closed with the answer.
func (sa *SA) Delete(now time.Time) ([]Datagram, error) {
	out, err := sa.ask(now, ikev2.ExchangeInformational, ikev2.Delete{Protocol: ikev2.ProtocolIKE})
	sa.closing = err == nil
	return out, err
}

// Handle takes a message with the SPIs of the SA, which came to that own port. An error leaves the SA as it was, unless the peer
// says that it has failed; what goes out goes out all the same.
func (sa *SA) Handle(now time.Time, from, to netip.AddrPort, data []byte) ([]Datagram, error) {
	if sa.answered != nil && bytes.Equal(data, sa.answered) { // the last request of all may be one that has ended the SA
		return []Datagram{{From: to, To: from, Data: sa.response}}, ErrRepeated
	}
	if sa.state == Closed {
		return nil, ErrClosed
	}
	h, err := readHeader(data)
	if err != nil {
		return nil, err
	}
	if err := sa.owns(h); err != nil {
		return nil, err
	}
	if h.Flags&ikev2.FlagResponse == 0 {
		return sa.onRequest(now, from, to, h, data)
	}
	return sa.onResponse(now, from, to, h, data)
}

// owns checks that a header is one that the peer makes for this SA (RFC 7296 §2.6, §3.1).
func (sa *SA) owns(h isakmp.Header) error {
	known := sa.spiR != [8]byte{}
	switch {
	case h.InitiatorCookie != sa.spiI, known && h.ResponderCookie != sa.spiR:
		return fmt.Errorf("ikev2: SPIs %s %s are of another SA", h.InitiatorCookie, h.ResponderCookie)
	case (h.Flags&ikev2.FlagInitiator != 0) == sa.initiator:
		return fmt.Errorf("ikev2: the sender calls itself what this side is (RFC 7296 §3.1)")
	}
	return nil
}

// onRequest takes a request of the peer.
func (sa *SA) onRequest(now time.Time, from, to netip.AddrPort, h isakmp.Header, data []byte) ([]Datagram, error) {
	if h.MessageID != sa.expect {
		return nil, fmt.Errorf("ikev2: request %d, not %d (RFC 7296 §2.2)", h.MessageID, sa.expect)
	}
	m, err := sa.open(h, data)
	if m == nil {
		return nil, err
	}
	sa.peer, sa.local = from, to
	reply := []isakmp.Payload{notify(ikev2.NotifyInvalidSyntax)}
	then := sa.close // what has the right checksum and cannot be read ends the SA (RFC 7296 §2.21.3)
	if err == nil {
		reply, then, err = sa.answer(now, m)
	}
	response, failed := sa.seal(h.Exchange, true, h.MessageID, reply...)
	if failed != nil {
		return nil, failed
	}
	sa.expect++
	sa.answered, sa.response = m.data, response
	out := sa.out(response)
	then()
	return out, err
}

// answer makes the response to a request, and says what is to be done when it is sent: INVALID_SYNTAX ends the SA (RFC 7296 §2.21.3).
func (sa *SA) answer(now time.Time, m *message) (reply []isakmp.Payload, then func(), err error) {
	none := func() {}
	if t, ok := m.critical(); ok {
		return []isakmp.Payload{notify(ikev2.NotifyUnsupportedCriticalPayload, byte(t))}, none, fmt.Errorf("ikev2: payload %d is critical (RFC 7296 §2.5)", t)
	}
	switch e := m.header.Exchange; {
	case e == ikev2.ExchangeIKEAuth && sa.state == Proving && !sa.initiator:
		return sa.onAuth(now, m)
	case sa.state != Established:
		return []isakmp.Payload{notify(ikev2.NotifyInvalidSyntax)}, sa.close, fmt.Errorf("ikev2: %s before the peer has proven who it is", ikev2.ExchangeName(e))
	case e == ikev2.ExchangeInformational:
		return sa.onInformational(m)
	case e == ikev2.ExchangeCreateChildSA:
		return sa.onCreateChildSA(m)
	}
	return []isakmp.Payload{notify(ikev2.NotifyInvalidSyntax)}, sa.close, fmt.Errorf("ikev2: %s under an SA", ikev2.ExchangeName(m.header.Exchange))
}

// onInformational answers with nothing (RFC 7296 §1.4).
func (sa *SA) onInformational(m *message) ([]isakmp.Payload, func(), error) {
	for _, d := range m.payloads {
		if p, ok := d.Payload.(ikev2.Delete); ok && p.Protocol == ikev2.ProtocolIKE {
			return nil, sa.close, nil
		}
	}
	if len(m.payloads) == 0 {
		sa.probes++
	}
	return nil, func() {}, nil
}

// onResponse takes the response to the own request.
func (sa *SA) onResponse(now time.Time, from, to netip.AddrPort, h isakmp.Header, data []byte) ([]Datagram, error) {
	if sa.request == nil || h.MessageID != sa.send || h.Exchange != sa.asked {
		return nil, ErrRepeated
	}
	if h.Exchange == ikev2.ExchangeIKESAInit {
		return sa.onInitResponse(now, from, to, data)
	}
	m, err := sa.open(h, data)
	if m == nil {
		return nil, err
	}
	sa.peer, sa.local = from, to
	sa.request, sa.due = nil, time.Time{}
	sa.send++
	if _, fatal := m.notified(ikev2.NotifyInvalidSyntax); err != nil || fatal {
		sa.close()
		return nil, cmp.Or(err, m.failure())
	}
	switch {
	case h.Exchange == ikev2.ExchangeIKEAuth:
		return nil, sa.onAuthResponse(now, m)
	case h.Exchange == ikev2.ExchangeCreateChildSA:
		return nil, sa.onRekeyed(m)
	case sa.closing:
		sa.close()
	}
	return nil, m.failure()
}

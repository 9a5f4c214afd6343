package ike

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// Exchange is one Phase 1 in progress. It is not safe for concurrent use.
//
// A message is handled on a copy of the exchange, which takes its place only if nothing was wrong. So slices are replaced,
// never written to.
type Exchange struct {
	cfg       *Config
	initiator bool
	peer      netip.AddrPort
	local     netip.AddrPort // where the peer's last message came to
	ci, cr    isakmp.Cookie
	expect    core.Kind // the message that is awaited; KindUnknown once the exchange is over

	offer    offer
	chosen   choice
	nat      traversal
	psk      policy.PSK
	asked    []isakmp.CR // certificate requests of the peer so far
	private  keymat.PrivateKey
	gxi, gxr []byte // KE bodies
	ni, nr   []byte // nonce bodies

	keys    keymat.Phase1Keys
	key     []byte // of the cipher
	firstIV []byte
	shared  []byte // g^xy
	iv      []byte // of the next encrypted message

	aggressive aggressive
	peerDPD    bool      // the peer detects dead peers (RFC 3706)
	peerID     isakmp.ID // once proven
	subject    []string  // of the certificate that proved it

	history history
	timer   timer
	sa      *SA // once established
}

// message is one that was received and has the right form.
type message struct {
	data     []byte
	from     netip.AddrPort
	header   isakmp.Header
	payloads []isakmp.Decoded
	nextIV   []byte
}

// Initiate begins Phase 1 with the peer, in the mode of the configuration: message 1.
func Initiate(cfg Config, now time.Time, peer netip.AddrPort) (*Exchange, []Datagram) {
	x := &Exchange{cfg: cfg.withDefaults(), initiator: true, peer: peer, local: cfg.Local}
	if cfg.NATT && peer.Port() == natt.Port { // all of it may be there from the start (RFC 3947 §4)
		x.local = netip.AddrPortFrom(cfg.Local.Addr(), natt.Port)
	}
	x.ci = x.cfg.newCookie()
	next, send := core.MainMode2, x.sendOffer
	if x.cfg.Mode == policy.AggressiveMode {
		next, send = core.Aggressive2, x.sendAggressive1
	}
	first, err := send()
	if err != nil {
		first = sent{} // only a tap makes a message that cannot be encoded; it counts as withheld
	}
	x.await(next, now, first)
	return x, x.leave(x.cfg.transmit(first, peer))
}

// Respond takes message 1 of a peer, which came to Config.Local, and answers with message 2. If the message is refused the error is a *rule.Violation
// and nothing is kept; an offer without an acceptable transform is answered with NO-PROPOSAL-CHOSEN all the same.
func Respond(cfg Config, now time.Time, from netip.AddrPort, data []byte) (*Exchange, []Datagram, error) {
	x := &Exchange{cfg: cfg.withDefaults(), peer: from, local: cfg.Local}
	x.expect = x.cfg.opening(data)
	m, err := x.open(from, bytes.Clone(data))
	if err != nil {
		return nil, nil, err
	}
	reply, err := x.step(now, m)
	if err != nil {
		return nil, x.leave(x.refusal(m, err)), err
	}
	x.history.add(m.data)
	x.await(x.expect, now, reply)
	return x, x.leave(x.cfg.transmit(reply, from)), nil
}

// Handle takes a datagram with the cookies of this exchange. The SA is returned once, when it is established. An error
// (a *rule.Violation, a *Notified, ErrOver) leaves the exchange as it was. A repeat of the last message gets the last
// reply again, a repeat of an earlier one gets nothing.
func (x *Exchange) Handle(now time.Time, from netip.AddrPort, data []byte) ([]Datagram, *SA, error) {
	return x.HandleAt(now, from, x.local, data)
}

// HandleAt is Handle for a node of several ports: the datagram came to that one.
func (x *Exchange) HandleAt(now time.Time, from, to netip.AddrPort, data []byte) ([]Datagram, *SA, error) {
	if err := x.former(to); err != nil {
		return nil, nil, err
	}
	if again, known := x.repeated(from, data); known {
		return x.leave(again), nil, nil
	}
	if x.expect == core.KindUnknown {
		return nil, nil, ErrOver
	}
	m, err := x.open(from, bytes.Clone(data))
	if err != nil {
		return nil, nil, err
	}
	next := *x
	next.peer, next.local = from, to
	reply, err := next.step(now, m)
	if err != nil {
		return nil, nil, err
	}
	next.history.add(m.data)
	next.await(next.expect, now, reply)
	*x = next
	answer := x.cfg.transmit(reply, x.peer)
	if x.sa != nil {
		x.sa.peer, x.sa.local, x.sa.nat, x.sa.history = x.peer, x.local, x.nat, x.history
		answer = append(answer, x.announce()...)
	}
	return x.leave(answer), x.sa, nil
}

// step takes the awaited message, says in expect which one is next, and returns the reply.
func (x *Exchange) step(now time.Time, m *message) (sent, error) {
	x.peerDPD = x.peerDPD || hasDPD(m.payloads)
	x.hear(m.payloads)
	switch x.expect {
	case core.MainMode1:
		x.expect = core.MainMode3
		return x.onMain1(m)
	case core.MainMode2:
		x.expect = core.MainMode4
		return x.onMain2(m)
	case core.MainMode3:
		x.expect = core.MainMode5
		return x.onMain3(m)
	case core.MainMode4:
		x.expect = core.MainMode6
		return x.onMain4(m)
	case core.MainMode5:
		x.expect = core.KindUnknown
		return x.onMain5(now, m)
	case core.Aggressive1:
		x.expect = core.Aggressive3
		return x.onAggressive1(m)
	case core.Aggressive2:
		x.expect = core.KindUnknown
		return x.onAggressive2(now, m)
	case core.Aggressive3:
		x.expect = core.KindUnknown
		return x.onAggressive3(now, m)
	default:
		x.expect = core.KindUnknown
		return x.onMain6(now, m)
	}
}

// repeated answers a datagram that was handled before.
func (x *Exchange) repeated(from netip.AddrPort, data []byte) ([]Datagram, bool) {
	known, latest := x.history.find(data)
	if !latest {
		return nil, known
	}
	return x.cfg.transmit(x.history.last, from), true
}

// Cookies returns the cookie pair. The responder's is zero in an initiator that has not had message 2.
func (x *Exchange) Cookies() (i, r isakmp.Cookie) { return x.ci, x.cr }

// Peer returns the address and port of the peer's last message; at first those that Initiate was given.
func (x *Exchange) Peer() netip.AddrPort { return x.peer }

// Initiator reports whether this side began.
func (x *Exchange) Initiator() bool { return x.initiator }

// open checks the header of a message, decrypts it, and checks its payloads.
func (x *Exchange) open(from netip.AddrPort, data []byte) (*message, error) {
	h, err := x.cfg.header(data)
	if err != nil {
		return nil, err
	}
	if err := x.checkHeader(from, h); err != nil {
		return nil, err
	}
	if h.Exchange == isakmp.ExchangeInformational {
		return nil, x.notified(h, data[isakmp.HeaderLen:])
	}
	m := &message{data: data, from: from, header: h, nextIV: x.iv}
	body, block := data[isakmp.HeaderLen:], 0
	if mayEncrypt(x.expect) && h.Flags&isakmp.FlagEncryption != 0 {
		if body, m.nextIV, err = x.cfg.decrypt(x.cipher(), body); err != nil {
			return nil, err
		}
		block = len(x.iv)
		if !dutyIVCommit.Kept(x.cfg.Rules) {
			x.iv = m.nextIV
		}
	}
	if m.payloads, _, err = x.cfg.chain(isakmp.Phase1, h.NextPayload, body, block); err != nil {
		return nil, err
	}
	if err := x.cfg.checkPlaces(x.expect, x.places(), m.payloads); err != nil {
		return nil, err
	}
	return m, nil
}

// encrypted reports whether a message has to be, mayEncrypt whether it can be: the last of Aggressive Mode is the sender's
// choice (RFC 2409 §5).
func encrypted(k core.Kind) bool { return k == core.MainMode5 || k == core.MainMode6 }

func mayEncrypt(k core.Kind) bool { return encrypted(k) || k == core.Aggressive3 }

// opens reports whether a message begins an exchange.
func opens(k core.Kind) bool { return k == core.MainMode1 || k == core.Aggressive1 }

func (x *Exchange) checkHeader(from netip.AddrPort, h isakmp.Header) error {
	r := x.cfg.Rules
	if err := x.cfg.version(h); err != nil {
		return err
	}
	if !checkParty.Holds(r, from.Addr().Unmap() == x.peer.Addr().Unmap()) {
		return checkParty.Violated("cookies of an exchange with %s", x.peer.Addr())
	}
	if !checkCookies.Holds(r, x.owns(h)) {
		return checkCookies.Violated("cookies %s %s in %s", h.InitiatorCookie, h.ResponderCookie, x.expect)
	}
	if h.Exchange == isakmp.ExchangeInformational && !opens(x.expect) {
		return nil
	}
	return x.checkMainHeader(h)
}

func (x *Exchange) checkMainHeader(h isakmp.Header) error {
	r, same := x.cfg.Rules, h.Exchange == exchangeOf(x.expect)
	if opens(x.expect) && !checkExchange.Holds(r, same) {
		return checkExchange.Violated("exchange type %s begins no Phase 1 here", h.Exchange)
	}
	if !opens(x.expect) && !checkSameExchange.Holds(r, same) {
		return checkSameExchange.Violated("exchange type %s instead of %s", h.Exchange, x.expect)
	}
	if !checkMessageID.Holds(r, h.MessageID == 0) {
		return checkMessageID.Violated("Message ID %08x in %s", h.MessageID, x.expect)
	}
	if !mayEncrypt(x.expect) {
		return x.cfg.flags(h, 0)
	}
	if encrypted(x.expect) && !checkEncrypted.Holds(r, h.Flags&isakmp.FlagEncryption != 0) {
		return checkEncrypted.Violated("%s in clear", x.expect)
	}
	return x.cfg.flags(h, isakmp.FlagEncryption)
}

// owns reports whether the cookies are right for the awaited message. An Informational in clear need not know the
// responder's.
func (x *Exchange) owns(h isakmp.Header) bool {
	switch {
	case opens(x.expect):
		return !h.InitiatorCookie.IsZero() && h.ResponderCookie.IsZero()
	case h.InitiatorCookie != x.ci:
		return false
	case h.Exchange == isakmp.ExchangeInformational:
		return true
	case x.expect == core.MainMode2 || x.expect == core.Aggressive2:
		return !h.ResponderCookie.IsZero()
	}
	return h.ResponderCookie == x.cr
}

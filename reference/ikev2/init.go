package ikev2

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/ikev2"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// Initiate begins an SA with the peer.
func Initiate(cfg Config, now time.Time, peer netip.AddrPort) (*SA, []Datagram, error) {
	sa := &SA{cfg: cfg.withDefaults(), initiator: true, peer: peer, local: cfg.Local, group: cfg.FirstGroup}
	sa.spiI, sa.ni = sa.cfg.spi(), sa.cfg.random(nonceLen)
	if sa.group == 0 {
		sa.group = cfg.Suites[0].Group
	}
	out, err := sa.begin(now)
	return sa, out, err
}

// begin sends the first message, with what the peer has asked for meanwhile (RFC 7296 §2.6.1).
func (sa *SA) begin(now time.Time) ([]Datagram, error) {
	if sa.private == nil {
		key, err := sa.cfg.private(sa.group)
		if err != nil {
			return nil, err
		}
		sa.private = key
	}
	var ps []isakmp.Payload
	if sa.cookie != nil {
		ps = append(ps, notify(ikev2.NotifyCookie, sa.cookie...))
	}
	ps = append(ps, offer(sa.cfg.Suites, nil), ikev2.KE{Group: sa.group, Data: sa.private.Public()}, ikev2.Nonce{Data: sa.ni})
	data, err := ikev2.Assemble(sa.header(ikev2.ExchangeIKESAInit, false, 0), append(ps, sa.announce(nil)...))
	if err != nil {
		return nil, err
	}
	sa.first[0] = data
	return sa.under(now, ikev2.ExchangeIKESAInit, data), nil
}

// announce are the notifications of IKE_SA_INIT: the addresses as they are seen here, and the hashes of signatures (RFC 7427 §4).
func (sa *SA) announce(ps []isakmp.Payload) []isakmp.Payload {
	if sa.cfg.NATT {
		ps = append(ps, notify(ikev2.NotifyNATDetectionSourceIP, sa.seen(sa.spiR, sa.local)...), notify(ikev2.NotifyNATDetectionDestinationIP, sa.seen(sa.spiR, sa.peer)...))
	}
	if sa.cfg.Signed {
		var numbers []byte
		for _, h := range signatureHashes {
			numbers = binary.BigEndian.AppendUint16(numbers, h.number)
		}
		ps = append(ps, notify(ikev2.NotifySignatureHashAlgorithms, numbers...))
	}
	return ps
}

// seen is the hash of an end, with the SPIs of the message that has it (RFC 7296 §2.23): the responder's is zero in the first.
func (sa *SA) seen(spiR isakmp.Cookie, end netip.AddrPort) []byte {
	return keymat.NATD(keymat.SHA1, sa.spiI, spiR, end)
}

// discover looks for a NAT, and notes whether there is one. Without both notifications nothing is known.
func (sa *SA) discover(m *message, from, to netip.AddrPort) {
	there, ok := m.notified(ikev2.NotifyNATDetectionDestinationIP)
	if !sa.cfg.NATT || !ok {
		return
	}
	spiR := m.header.ResponderCookie
	here := slices.ContainsFunc(m.payloads, func(d isakmp.Decoded) bool {
		n, ok := d.Payload.(ikev2.Notify)
		return ok && n.NotifyType == ikev2.NotifyNATDetectionSourceIP && bytes.Equal(n.Data, sa.seen(spiR, from))
	})
	sa.between = !here || !bytes.Equal(there.Data, sa.seen(spiR, to))
}

// Respond takes the first message of a peer, which came to that own port. Of what is refused nothing is kept, though it may be answered;
// ErrCookie says that the initiator was asked for a cookie.
func Respond(cfg Config, now time.Time, from, to netip.AddrPort, data []byte) (*SA, []Datagram, error) {
	c := cfg.withDefaults()
	m, err := readClear(data)
	if err != nil {
		return nil, nil, err
	}
	h := m.header
	if h.Exchange != ikev2.ExchangeIKESAInit || h.Flags != ikev2.FlagInitiator || h.MessageID != 0 || h.InitiatorCookie.IsZero() || !h.ResponderCookie.IsZero() {
		return nil, nil, fmt.Errorf("ikev2: %s that begins nothing (RFC 7296 §2.2, §3.1)", ikev2.ExchangeName(h.Exchange))
	}
	sa := &SA{cfg: c, state: Proving, peer: from, local: to, spiI: h.InitiatorCookie}
	refuse := func(n ikev2.Notify, err error) (*SA, []Datagram, error) {
		answer, failed := ikev2.Assemble(sa.header(ikev2.ExchangeIKESAInit, true, 0), []isakmp.Payload{n})
		if failed != nil {
			return nil, nil, failed
		}
		return nil, sa.out(answer), err
	}
	if t, ok := m.critical(); ok {
		return refuse(notify(ikev2.NotifyUnsupportedCriticalPayload, byte(t)), fmt.Errorf("ikev2: payload %d is critical (RFC 7296 §2.5)", t))
	}
	offered, _, hasSA := isakmp.Find[ikev2.SA](m.payloads)
	ke, _, hasKE := isakmp.Find[ikev2.KE](m.payloads)
	nonce, _, hasNonce := isakmp.Find[ikev2.Nonce](m.payloads)
	if !hasSA || !hasKE || !hasNonce || len(nonce.Data) < 16 || len(nonce.Data) > 256 {
		return refuse(notify(ikev2.NotifyInvalidSyntax), fmt.Errorf("ikev2: IKE_SA_INIT without SA, KE or a nonce of 16 to 256 octets (RFC 7296 §1.2, §3.9)"))
	}
	if want := sa.cookieFor(nonce.Data); want != nil {
		if got, _ := m.notified(ikev2.NotifyCookie); !bytes.Equal(got.Data, want) {
			return refuse(notify(ikev2.NotifyCookie, want...), ErrCookie)
		}
	}
	suite, answer, ok := choose(c.Suites, offered, nil)
	if !ok {
		return refuse(notify(ikev2.NotifyNoProposalChosen), fmt.Errorf("ikev2: no proposal is acceptable (RFC 7296 §2.7)"))
	}
	if ke.Group != suite.Group {
		return refuse(notify(ikev2.NotifyInvalidKEPayload, byte(suite.Group>>8), byte(suite.Group)),
			fmt.Errorf("ikev2: a public value of group %d, not %d (RFC 7296 §1.2)", ke.Group, suite.Group))
	}
	return sa.accept(now, m, suite, answer, ke, nonce)
}

// cookieFor is the cookie of the initiator with that nonce (RFC 7296 §2.6); nil if none is asked for.
func (sa *SA) cookieFor(nonce []byte) []byte {
	if len(sa.cfg.CookieKey) == 0 {
		return nil
	}
	return keymat.SHA256.PRF(sa.cfg.CookieKey, nonce, sa.peer.Addr().AsSlice(), sa.spiI[:])
}

// accept answers the first message.
func (sa *SA) accept(now time.Time, m *message, suite Suite, answer ikev2.Proposal, ke ikev2.KE, nonce ikev2.Nonce) (*SA, []Datagram, error) {
	key, err := sa.cfg.private(suite.Group)
	if err != nil {
		return nil, nil, err
	}
	if sa.shared, err = key.Shared(ke.Data); err != nil {
		return nil, nil, fmt.Errorf("ikev2: KE: %w", err)
	}
	sa.discover(m, sa.peer, sa.local)
	sa.learnHashes(m)
	sa.suite, sa.ni, sa.nr, sa.spiR = suite, bytes.Clone(nonce.Data), sa.cfg.random(nonceLen), sa.cfg.spi()
	ps := []isakmp.Payload{ikev2.SA{Proposals: []ikev2.Proposal{answer}}, ikev2.KE{Group: suite.Group, Data: key.Public()}, ikev2.Nonce{Data: sa.nr}}
	ps = append(ps, sa.requests()...)
	ps = append(sa.announce(ps), notify(ikev2.NotifyChildlessIKEv2Supported))
	data, err := ikev2.Assemble(sa.header(ikev2.ExchangeIKESAInit, true, 0), ps)
	if err != nil {
		return nil, nil, err
	}
	sa.first = [2][]byte{bytes.Clone(m.data), data}
	sa.answered, sa.response, sa.expect = sa.first[0], data, 1
	sa.derive()
	sa.due = now.Add(sa.cfg.Retransmit << (sa.cfg.Retries + 1)) // for so long an initiator may repeat itself
	return sa, sa.out(data), nil
}

func (sa *SA) derive() {
	sa.keys = sa.suite.Derive(keymat.IKEv2Input{Shared: sa.shared, Ni: sa.ni, Nr: sa.nr, SPIi: sa.spiI, SPIr: sa.spiR})
}

// onInitResponse takes the answer to the first message. What it refuses nobody has proven, so it waits on for another (RFC 7296 §2.21.1)
// but for what it is asked to do better.
func (sa *SA) onInitResponse(now time.Time, from, to netip.AddrPort, data []byte) ([]Datagram, error) {
	m, err := readClear(data)
	if err != nil {
		return nil, err
	}
	if t, ok := m.critical(); ok {
		return nil, fmt.Errorf("ikev2: payload %d is critical (RFC 7296 §2.5)", t)
	}
	if again, ok, err := sa.restart(now, m); ok || err != nil {
		return again, err
	}
	if err := m.failure(); err != nil {
		return nil, err
	}
	answer, _, hasSA := isakmp.Find[ikev2.SA](m.payloads)
	ke, _, hasKE := isakmp.Find[ikev2.KE](m.payloads)
	nonce, _, hasNonce := isakmp.Find[ikev2.Nonce](m.payloads)
	if !hasSA || !hasKE || !hasNonce || len(nonce.Data) < 16 || len(nonce.Data) > 256 || m.header.ResponderCookie.IsZero() {
		return nil, fmt.Errorf("ikev2: IKE_SA_INIT without SA, KE, an SPI or a nonce of 16 to 256 octets (RFC 7296 §1.2, §3.9)")
	}
	suite, _, err := chosen(sa.cfg.Suites, answer)
	if err != nil {
		return nil, err
	}
	if suite.Group != sa.group || ke.Group != sa.group {
		return nil, fmt.Errorf("ikev2: group %d and a public value of %d, where one of %d was sent (RFC 7296 §1.2)", suite.Group, ke.Group, sa.group)
	}
	shared, err := sa.private.Shared(ke.Data)
	if err != nil {
		return nil, fmt.Errorf("ikev2: KE: %w", err)
	}
	sa.peer, sa.local = from, to
	sa.suite, sa.shared, sa.nr, sa.spiR, sa.first[1] = suite, shared, bytes.Clone(nonce.Data), m.header.ResponderCookie, bytes.Clone(data)
	sa.discover(m, from, to)
	sa.learnHashes(m)
	sa.derive()
	sa.state, sa.request, sa.send = Proving, nil, 1
	if sa.between {
		sa.peer, sa.local = netip.AddrPortFrom(from.Addr(), natt.Port), netip.AddrPortFrom(to.Addr(), natt.Port)
	}
	return sa.prove(now)
}

// restart begins again with a cookie or in another group, if the answer asks for it. A group that was not offered, or that is the one of
// the request, is none to begin again with, and what is asked again and again is not (RFC 7296 §2.6, §2.7).
func (sa *SA) restart(now time.Time, m *message) ([]Datagram, bool, error) {
	cookie, asksCookie := m.notified(ikev2.NotifyCookie)
	group, asksGroup := m.notified(ikev2.NotifyInvalidKEPayload)
	if !asksCookie && !asksGroup {
		return nil, false, nil
	}
	if sa.restarts++; sa.restarts > maxRestart {
		return nil, false, fmt.Errorf("ikev2: asked to begin again %d times (RFC 7296 §2.6)", sa.restarts)
	}
	switch {
	case asksCookie && (len(cookie.Data) == 0 || len(cookie.Data) > 64):
		return nil, false, fmt.Errorf("ikev2: a cookie of %d octets (RFC 7296 §2.6)", len(cookie.Data))
	case asksCookie:
		sa.cookie = bytes.Clone(cookie.Data)
	case len(group.Data) != 2:
		return nil, false, fmt.Errorf("ikev2: INVALID_KE_PAYLOAD that names no group (RFC 7296 §1.2)")
	default:
		wanted := binary.BigEndian.Uint16(group.Data)
		if wanted == sa.group || !slices.ContainsFunc(sa.cfg.Suites, func(s Suite) bool { return s.Group == wanted }) {
			return nil, false, fmt.Errorf("ikev2: asked for group %d, which was not offered (RFC 7296 §1.2)", wanted)
		}
		sa.group, sa.private = wanted, nil
	}
	out, err := sa.begin(now)
	return out, true, err
}

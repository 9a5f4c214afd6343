package ikev2

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/gdoilab/gdoilab/reference/wire/ikev2"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// message is one that was received.
type message struct {
	data     []byte
	header   isakmp.Header
	payloads []isakmp.Decoded
}

// readHeader reads the header of a message and checks what does not depend on an SA.
func readHeader(data []byte) (isakmp.Header, error) {
	h, err := isakmp.ParseHeader(data)
	switch {
	case err != nil:
		return h, fmt.Errorf("ikev2: %w", err)
	case h.Version>>4 != ikev2.Version20>>4:
		return h, fmt.Errorf("ikev2: version %d.%d (RFC 7296 §2.5)", h.Version>>4, h.Version&0xf)
	case int(h.Length) != len(data):
		return h, fmt.Errorf("ikev2: %d octets, and the header says %d (RFC 7296 §3.1)", len(data), h.Length)
	}
	return h, nil
}

// readClear reads a message of IKE_SA_INIT.
func readClear(data []byte) (*message, error) {
	h, err := readHeader(data)
	if err != nil {
		return nil, err
	}
	ps, err := ikev2.Parse(h.NextPayload, data[isakmp.HeaderLen:], isakmp.HeaderLen)
	if err != nil {
		return nil, fmt.Errorf("ikev2: %s: %w", ikev2.ExchangeName(h.Exchange), err)
	}
	return &message{data, h, ps}, nil
}

// critical returns the first payload that is not known and must be understood (RFC 7296 §2.5).
func (m *message) critical() (isakmp.PayloadType, bool) {
	for _, d := range m.payloads {
		if raw, ok := d.Payload.(isakmp.Raw); ok && d.Reserved&ikev2.Critical != 0 {
			return raw.PayloadType, true
		}
	}
	return 0, false
}

// notified returns the first notification of a type.
func (m *message) notified(t ikev2.NotifyType) (ikev2.Notify, bool) {
	for _, d := range m.payloads {
		if n, ok := d.Payload.(ikev2.Notify); ok && n.NotifyType == t {
			return n, true
		}
	}
	return ikev2.Notify{}, false
}

// failure returns the first notification of an error, if there is one.
func (m *message) failure() error {
	for _, d := range m.payloads {
		if n, ok := d.Payload.(ikev2.Notify); ok && n.NotifyType.IsError() {
			return &Notified{n.NotifyType, n.Data}
		}
	}
	return nil
}

// seal makes a protected message of this side.
func (sa *SA) seal(exchange isakmp.ExchangeType, response bool, id uint32, ps ...isakmp.Payload) ([]byte, error) {
	inner, err := ikev2.Append(nil, ps)
	if err != nil {
		return nil, err
	}
	n := sa.suite.SealedLen(len(inner))
	h := sa.header(exchange, response, id)
	h.NextPayload, h.Length = ikev2.PayloadSK, uint32(isakmp.HeaderLen+isakmp.GenericLen+n)
	head := append(h.Append(nil), byte(isakmp.FirstType(ps)), 0)
	head = binary.BigEndian.AppendUint16(head, uint16(isakmp.GenericLen+n))
	e, a := sa.keysOf(sa.initiator)
	return sa.suite.Seal(head, e, a, sa.iv(), inner)
}

// iv is that of the next message: random for CBC, and a counter for GCM, which must never come twice (RFC 5282 §3.1).
func (sa *SA) iv() []byte {
	if !sa.suite.GCM {
		return sa.cfg.random(sa.suite.IVLen())
	}
	sa.sealed++
	return binary.BigEndian.AppendUint64(nil, sa.sealed)
}

// open reads a protected message of the peer, whose header was read.
func (sa *SA) open(h isakmp.Header, data []byte) (*message, error) {
	ps, err := ikev2.Parse(h.NextPayload, data[isakmp.HeaderLen:], isakmp.HeaderLen)
	if err != nil {
		return nil, fmt.Errorf("ikev2: %w", err)
	}
	sk, d, ok := isakmp.Find[ikev2.SK](ps)
	if !ok {
		return nil, fmt.Errorf("ikev2: %s in clear (RFC 7296 §3.14)", ikev2.ExchangeName(h.Exchange))
	}
	at := d.Offset + isakmp.GenericLen
	e, a := sa.keysOf(!sa.initiator)
	plain, err := sa.suite.Open(data[:at], e, a, data[at:])
	if err != nil {
		return nil, fmt.Errorf("ikev2: %s: %w", ikev2.ExchangeName(h.Exchange), err)
	}
	m := &message{data: bytes.Clone(data), header: h}
	if m.payloads, err = ikev2.Parse(sk.Inner, plain, 0); err != nil {
		return m, fmt.Errorf("ikev2: inside SK: %w", err)
	}
	return m, nil
}

// keysOf are the keys of encryption and integrity of what the original initiator sends, or the responder (RFC 7296 §2.14).
func (sa *SA) keysOf(initiator bool) (e, a []byte) {
	if initiator {
		return sa.keys.EI, sa.keys.AI
	}
	return sa.keys.ER, sa.keys.AR
}

func (sa *SA) header(exchange isakmp.ExchangeType, response bool, id uint32) isakmp.Header {
	h := isakmp.Header{InitiatorCookie: sa.spiI, ResponderCookie: sa.spiR, Version: ikev2.Version20, Exchange: exchange, MessageID: id}
	if sa.initiator {
		h.Flags |= ikev2.FlagInitiator
	}
	if response {
		h.Flags |= ikev2.FlagResponse
	}
	return h
}

func notify(t ikev2.NotifyType, data ...byte) ikev2.Notify {
	return ikev2.Notify{NotifyType: t, Data: data}
}

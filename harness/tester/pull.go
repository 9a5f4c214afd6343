package tester

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// ErrPhase1 means that a Phase 1 SA cannot be used from what is known of it.
var ErrPhase1 = errors.New("tester: no usable Phase 1 SA")

// Pull is a GROUPKEY-PULL made by hand under somebody's Phase 1 SA, for messages that no member would send: a Message ID of
// zero or of an exchange that is over, a group asked for in passing, two exchanges at a time (RFC 6407 §3.2).
type Pull struct {
	ci, cr   isakmp.Cookie
	id       uint32
	hash     keymat.Hash
	cipher   keymat.Cipher
	prove    []byte // SKEYID_a
	key, iv  []byte
	ni, nr   []byte
	received bool // message 2 was
}

// NewPull begins an exchange. Phase1 is the key log of the SA, from whose lengths hash and cipher follow; last is the last datagram of its Main Mode, to whose end the
// first message is chained (RFC 2409 appendix B).
func NewPull(phase1 keylog.Entry, last []byte, id uint32) (*Pull, error) {
	p := &Pull{id: id}
	var cookies, firstIV []byte
	var err error
	for _, part := range []struct {
		into *[]byte
		text string
	}{{&cookies, phase1.CookieI + phase1.CookieR}, {&p.prove, phase1.SKEYIDa}, {&p.key, phase1.CipherKey}, {&firstIV, phase1.FirstIV}} {
		if *part.into, err = hex.DecodeString(part.text); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPhase1, err)
		}
	}
	var hashed, ciphered bool
	p.hash, hashed = keymat.HashOfSize(len(p.prove))
	p.cipher, ciphered = keymat.CipherOfBlock(len(firstIV))
	if len(cookies) != 16 || !hashed || !ciphered || len(last) < isakmp.HeaderLen+len(firstIV) {
		return nil, fmt.Errorf("%w: cookies %x, SKEYID_a of %d octets, first IV of %d, a last message of %d", ErrPhase1,
			cookies, len(p.prove), len(firstIV), len(last))
	}
	p.ci, p.cr = isakmp.Cookie(cookies[:8]), isakmp.Cookie(cookies[8:])
	p.iv = keymat.PhaseTwoIV(p.hash, last[len(last)-len(firstIV):], id)
	return p, nil
}

// First makes message 1, which asks for a group: HDR*, HASH(1), Ni, ID.
func (p *Pull) First(ni []byte, group uint32) ([]byte, error) {
	p.ni = ni
	return p.seal(nil, isakmp.Nonce{Data: ni}, isakmp.ID{IDType: isakmp.IDKeyID, Data: be32(group)})
}

// Second takes message 2, HDR*, HASH(2), Nr, SA, as it comes; HASH(2) is not checked.
func (p *Pull) Second(data []byte) error {
	h, err := isakmp.ParseHeader(data)
	if err != nil {
		return fmt.Errorf("tester: message 2: %w", err)
	}
	plain, iv, err := p.cipher.DecryptCBC(p.key, p.iv, data[isakmp.HeaderLen:])
	if err != nil {
		return fmt.Errorf("tester: message 2: %w", err)
	}
	ps, _, err := gdoi.Pull.Parse(h.NextPayload, plain, isakmp.HeaderLen)
	if err != nil {
		return fmt.Errorf("tester: message 2: %w", err)
	}
	nr, _, ok := isakmp.Find[isakmp.Nonce](ps)
	if !ok {
		return errors.New("tester: message 2 has no nonce")
	}
	p.iv, p.nr, p.received = iv, nr.Data, true
	return nil
}

// Third makes message 3, which proves that message 2 was received: HDR*, HASH(3) and what is asked for.
func (p *Pull) Third(ps ...isakmp.Payload) ([]byte, error) {
	if !p.received {
		return nil, errors.New("tester: message 3 before message 2")
	}
	return p.seal([][]byte{p.ni, p.nr}, ps...)
}

// seal makes a message whose HASH covers the Message ID, the nonces and the payloads (RFC 6407 §3.2).
func (p *Pull) seal(nonces [][]byte, ps ...isakmp.Payload) ([]byte, error) {
	after, err := isakmp.AppendPayloads(nil, ps)
	if err != nil {
		return nil, fmt.Errorf("tester: %w", err)
	}
	parts := append([][]byte{binary.BigEndian.AppendUint32(nil, p.id)}, nonces...)
	hash := isakmp.Hash{Data: p.hash.PRF(p.prove, append(parts, after)...)}
	plain, err := isakmp.AppendPayloads(nil, append([]isakmp.Payload{hash}, ps...))
	if err != nil {
		return nil, fmt.Errorf("tester: %w", err)
	}
	body, iv, err := p.cipher.EncryptCBC(p.key, p.iv, plain)
	if err != nil {
		return nil, fmt.Errorf("tester: %w", err)
	}
	p.iv = iv
	h := isakmp.Header{InitiatorCookie: p.ci, ResponderCookie: p.cr, NextPayload: isakmp.PayloadHASH, Version: isakmp.Version10,
		Exchange: isakmp.ExchangePull, Flags: isakmp.FlagEncryption, MessageID: p.id, Length: uint32(isakmp.HeaderLen + len(body))}
	return append(h.Append(nil), body...), nil
}

package ike

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// sent is a message as it was made, before a tap sees it Sealed.
type sent struct {
	kind     core.Kind
	header   isakmp.Header
	data     []byte
	withheld bool
}

// cipher is what a message is encrypted with: nothing if key is nil.
type cipher struct {
	of      keymat.Cipher
	key, iv []byte
}

// build takes a message through Built and Authenticated to its octets. Authenticate, which may be nil, adds what proves
// the payloads as they are after Built. The returned IV is that of the next message.
func (c *Config) build(o *core.Outgoing, authenticate func(*core.Outgoing) error, with cipher) (sent, []byte, error) {
	if !dutyReserved.Kept(c.Rules) && len(o.Payloads) > 0 {
		o.Payloads = slices.Clone(o.Payloads)
		o.Payloads[0] = isakmp.Framed{Payload: o.Payloads[0], Reserved: 1}
	}
	c.Tap.See(core.Built, o)
	if authenticate != nil {
		if err := authenticate(o); err != nil {
			return sent{}, nil, err
		}
	}
	c.Tap.See(core.Authenticated, o)
	data, iv, err := c.encode(o, with)
	if err != nil {
		return sent{}, nil, err
	}
	return sent{kind: o.Kind, header: o.Header, data: data, withheld: o.Withhold}, iv, nil
}

// encode makes the octets of a message, encrypted if it has the E flag and there is a key for it, and fills in the header.
func (c *Config) encode(o *core.Outgoing, with cipher) (data, nextIV []byte, err error) {
	body, err := isakmp.AppendPayloads(nil, o.Payloads)
	if err != nil {
		return nil, nil, err
	}
	h, plain := o.Header, len(body)
	if h.NextPayload == isakmp.PayloadNone {
		h.NextPayload = isakmp.FirstType(o.Payloads)
	}
	nextIV = with.iv
	if with.key != nil && h.Flags&isakmp.FlagEncryption != 0 {
		if body, nextIV, err = c.encrypt(with, body); err != nil {
			return nil, nil, err
		}
	}
	if h.Length == 0 {
		h.Length = uint32(isakmp.HeaderLen + len(body))
		if !dutyPadded.Kept(c.Rules) {
			h.Length = uint32(isakmp.HeaderLen + plain)
		}
	}
	o.Header = h
	return append(h.Append(make([]byte, 0, isakmp.HeaderLen+len(body))), body...), nextIV, nil
}

func (c *Config) encrypt(with cipher, plain []byte) (ciphertext, nextIV []byte, err error) {
	clear := 0
	if !dutyWhole.Kept(c.Rules) {
		clear = min(len(with.iv), len(plain))
	}
	ciphertext, nextIV, err = with.of.EncryptCBC(with.key, with.iv, plain[clear:])
	return slices.Concat(plain[:clear], ciphertext), c.advance(with.iv, nextIV), err
}

// advance is the running IV after a message.
func (c *Config) advance(iv, next []byte) []byte {
	if !dutyIVChain.Kept(c.Rules) {
		return iv
	}
	return next
}

// transmit passes one copy of a message through Sealed.
func (c *Config) transmit(s sent, to netip.AddrPort) []Datagram {
	if s.data == nil || s.withheld {
		return nil
	}
	o := &core.Outgoing{Kind: s.kind, Header: s.header, Bytes: bytes.Clone(s.data)}
	c.Tap.See(core.Sealed, o)
	if o.Withhold {
		return nil
	}
	return []Datagram{{Kind: s.kind, To: to, Data: o.Bytes}}
}

// newHeader makes the header of a message in Phase 1 or of an Informational.
func (c *Config) newHeader(ci, cr isakmp.Cookie, exchange isakmp.ExchangeType, flags isakmp.Flags) isakmp.Header {
	h := isakmp.Header{
		InitiatorCookie: ci,
		ResponderCookie: cr,
		Version:         isakmp.Version10,
		Exchange:        exchange,
		Flags:           flags,
	}
	if !dutyVersion.Kept(c.Rules) {
		h.Version++
	}
	if !dutyFlags.Kept(c.Rules) {
		h.Flags |= 0x80
	}
	if !dutyCookieOrder.Kept(c.Rules) {
		h.InitiatorCookie, h.ResponderCookie = cr, ci
	}
	return h
}

// sentBody is the body of the first payload of that type, as it goes out.
func sentBody(ps []isakmp.Payload, typ isakmp.PayloadType) []byte {
	for _, p := range ps {
		if isakmp.Unwrap(p) == nil || p.Type() != typ {
			continue
		}
		if body, err := p.AppendBody(nil); err == nil {
			return body
		}
	}
	return nil
}

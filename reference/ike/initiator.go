package ike

import (
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// sendOffer makes message 1:
//
//	I --> R  HDR, SA
func (x *Exchange) sendOffer() (sent, error) {
	x.offer.sa = x.cfg.offerSA()
	o := x.clear(core.MainMode1, append(x.cfg.leading(x.offer.sa), x.vendorIDs()...)...)
	message, _, err := x.cfg.build(o, func(o *core.Outgoing) error {
		x.offer = x.offer.asSent(o.Payloads)
		return nil
	}, cipher{})
	return message, err
}

// asSent is the offer that a message makes, which a tap may have altered. If its SA cannot be read back the one that was
// meant stays, with the octets that were sent.
func (o offer) asSent(ps []isakmp.Payload) offer {
	o.body = sentBody(ps, isakmp.PayloadSA)
	if sa, err := isakmp.ParseSA(o.body, 0); err == nil {
		o.sa = sa
	}
	return o
}

// onMain2 takes the reply to the offer and begins the key exchange:
//
//	I <-- R  HDR, SA
//	I --> R  HDR, KE, Ni
func (x *Exchange) onMain2(m *message) (sent, error) {
	sa, _, _ := isakmp.Find[isakmp.SA](m.payloads)
	var err error
	if x.chosen, err = x.cfg.checkReply(x.offer, sa); err != nil {
		return sent{}, err
	}
	if err = x.method().ready(x); err != nil {
		return sent{}, err
	}
	x.cr = m.header.ResponderCookie
	x.agreeNATT(m.payloads)
	if x.private, err = x.chosen.suite.group().NewKey(x.cfg.Rand); err != nil {
		return sent{}, err
	}
	reply, ke, nonce, err := x.sendKE(core.MainMode3)
	x.gxi, x.ni = ke, nonce
	return reply, err
}

// onMain4 has both public values and nonces, and proves the own identity:
//
//	I <-- R  HDR, KE, Nr
//	I --> R  HDR*, IDii, HASH_I
func (x *Exchange) onMain4(m *message) (sent, error) {
	var err error
	if x.gxr, x.nr, err = x.receiveKE(m); err != nil {
		return sent{}, err
	}
	x.discover(m)
	shared, err := x.agree(x.gxr)
	if err != nil {
		return sent{}, err
	}
	x.derive(shared)
	return x.sendAuth(core.MainMode5, keymat.HashI)
}

// onMain6 checks the responder's proof. The SA is established:
//
//	I <-- R  HDR*, IDir, HASH_R
func (x *Exchange) onMain6(now time.Time, m *message) (sent, error) {
	if err := x.receiveAuth(now, m, keymat.HashR); err != nil {
		return sent{}, err
	}
	x.heed(m)
	x.establish(now)
	return sent{}, nil
}

// clear begins a message without encryption.
func (x *Exchange) clear(kind core.Kind, ps ...isakmp.Payload) *core.Outgoing {
	h := x.cfg.newHeader(x.ci, x.cr, exchangeOf(kind), 0)
	if !dutyMessageID.Kept(x.cfg.Rules) {
		h.MessageID = 1
	}
	return &core.Outgoing{Kind: kind, Header: h, Payloads: ps}
}

// leading makes the first payloads of messages 1 and 2.
func (c *Config) leading(sa isakmp.SA) []isakmp.Payload {
	var p isakmp.Payload = sa
	if !dutySANext.Kept(c.Rules) {
		next := isakmp.PayloadProposal
		p = isakmp.Framed{Payload: sa, Next: &next}
	}
	ps := append([]isakmp.Payload{p}, c.vendors()...)
	if !dutySAFirst.Kept(c.Rules) {
		ps = slices.Insert(ps, 0, isakmp.Payload(isakmp.VID{Data: []byte("gdoilab")}))
	}
	return ps
}

// newCookie makes a cookie that is never zero (RFC 2408 §2.5.3).
func (c *Config) newCookie() (cookie isakmp.Cookie) {
	copy(cookie[:], c.random(len(cookie)))
	if cookie.IsZero() || !dutyCookie.Kept(c.Rules) {
		cookie = isakmp.Cookie{1}
	}
	return cookie
}

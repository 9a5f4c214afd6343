package ike

import (
	"crypto/hmac"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// presharedKey is authentication with a key that both sides know, chosen by the peer's address or, in Aggressive Mode, by its
// identity (RFC 2409 §5.4).
type presharedKey struct{}

var _ method = presharedKey{}

func (presharedKey) ready(x *Exchange) error {
	owner, known := x.keyOwner()
	if known && x.cfg.PSK != nil {
		x.psk, known = x.cfg.PSK(owner)
	}
	if !checkPeer.Holds(x.cfg.Rules, known && x.cfg.PSK != nil) {
		return checkPeer.Violated("no pre-shared key for %s", x.peer.Addr())
	}
	return nil
}

func (presharedKey) asks(*Exchange) []isakmp.Payload { return nil }

func (presharedKey) keys(x *Exchange, in keymat.Phase1Input) keymat.Phase1Keys {
	in.PSK = x.psk
	return keymat.DerivePSK(in)
}

func (presharedKey) hash(s Suite) keymat.Hash { return s.Hash }

func (presharedKey) shows(*Exchange) []isakmp.Payload { return nil }

func (presharedKey) prove(_ *Exchange, hash []byte) (isakmp.Payload, error) {
	return isakmp.Hash{Data: hash}, nil
}

func (presharedKey) verify(x *Exchange, c claim) error {
	got, _, _ := isakmp.Find[isakmp.Hash](c.payloads)
	if !checkHash.Holds(x.cfg.Rules, hmac.Equal(got.Data, c.hash)) {
		return checkHash.Violated("HASH_%s does not verify for %s", x.side(), isakmp.IDType(c.id.IDType))
	}
	return nil
}

func (presharedKey) places() places {
	return places{isakmp.PayloadID: once, isakmp.PayloadHASH: once, isakmp.PayloadN: often}
}

package ike

import (
	"crypto/hmac"
	"fmt"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// presharedKey is authentication with a key that both sides know, chosen by the peer's address or, in Aggressive Mode, by its
// identity (RFC 2409 §5.4).
type presharedKey struct{}

var _ method = presharedKey{}

func (presharedKey) ready(x *Exchange) error {
	key, known := x.findKey()
	if !checkPeer.Holds(x.cfg.Rules, known) {
		return checkPeer.Violated("no pre-shared key for %s", x.unknownPeer())
	}
	x.psk = key
	return nil
}

// findKey finds the key of the peer. In Main Mode only its address is known so far; a name comes in the message that the key is
// needed for. In Aggressive Mode it has said who it is, and the key is that of the identity wherever it sends from. Whoever calls
// a peer at an address knows that it means this one, whose key may be for the address alone.
func (x *Exchange) findKey() (key policy.PSK, known bool) {
	if x.cfg.PSK == nil {
		return key, false
	}
	from := x.peer.Addr().Unmap()
	if id := x.aggressive.claimed; id != nil && dutyByIdentity.Kept(x.cfg.Rules) {
		if key, known = x.cfg.PSK(from, identityOf(*id)); known || !x.initiator {
			return key, known
		}
	}
	return x.cfg.PSK(from, policy.Identity{})
}

// unknownPeer says of whom there is no key, as far as that is known when it is looked for.
func (x *Exchange) unknownPeer() string {
	if id := x.aggressive.claimed; id != nil {
		return fmt.Sprintf("%s at %s", identityOf(*id), x.peer.Addr())
	}
	return fmt.Sprintf("%s, and Main Mode knows a peer by nothing but its address", x.peer.Addr())
}

func (presharedKey) asks(*Exchange) []isakmp.Payload { return nil }

func (presharedKey) keys(x *Exchange, in keymat.Phase1Input) keymat.Phase1Keys {
	in.PSK = x.psk.Key
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

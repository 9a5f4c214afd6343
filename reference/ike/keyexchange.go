package ike

import (
	"bytes"
	"crypto/hmac"
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// nonceLen is the length of the nonces that are sent (RFC 2409 §5 allows 8 to 256).
const nonceLen = 32

// psk is the pre-shared key for the peer's address.
func (c *Config) psk(peer netip.AddrPort) ([]byte, error) {
	var key []byte
	var known bool
	if c.PSK != nil {
		key, known = c.PSK(peer.Addr().Unmap())
	}
	if !checkPeer.Holds(c.Rules, known) {
		return nil, checkPeer.Violated("no pre-shared key for %s", peer.Addr())
	}
	return key, nil
}

// sendKE makes message 3 or 4. The public value and nonce are returned as they were sent.
func (x *Exchange) sendKE(kind core.Kind) (message sent, ke, nonce []byte, err error) {
	public := x.private.Public()
	if !dutyKELength.Kept(x.cfg.Rules) {
		public = public[1:]
	}
	ps := append([]isakmp.Payload{isakmp.KE{Data: public}, isakmp.Nonce{Data: x.cfg.newNonce()}}, x.discovery()...)
	o := x.clear(kind, ps...)
	message, _, err = x.cfg.build(o, func(o *core.Outgoing) error {
		ke, nonce = sentBody(o.Payloads, isakmp.PayloadKE), sentBody(o.Payloads, isakmp.PayloadNonce)
		return nil
	}, cipher{})
	return message, ke, nonce, err
}

func (c *Config) newNonce() []byte {
	nonce := c.random(nonceLen)
	if !dutyNonceLength.Kept(c.Rules) {
		nonce = nonce[:7]
	}
	if !dutyNonceFresh.Kept(c.Rules) {
		clear(nonce)
	}
	return nonce
}

// receiveKE checks the public value and nonce of message 3 or 4 as far as that is cheap.
func (x *Exchange) receiveKE(m *message) (ke, nonce []byte, err error) {
	r := x.cfg.Rules
	value, _, _ := isakmp.Find[isakmp.KE](m.payloads)
	random, _, _ := isakmp.Find[isakmp.Nonce](m.payloads)
	if want := x.chosen.suite.group().PublicLen(); !checkKELength.Holds(r, len(value.Data) == want) {
		return nil, nil, checkKELength.Violated("public value of %d octets instead of %d", len(value.Data), want)
	}
	if n := uint64(len(random.Data)); !boundNonceMin.AtLeast(r, n, 8) {
		return nil, nil, boundNonceMin.Violated("nonce of %d octets", n)
	}
	if n := uint64(len(random.Data)); !boundNonceMax.AtMost(r, n, 256) {
		return nil, nil, boundNonceMax.Violated("nonce of %d octets", n)
	}
	return value.Data, random.Data, nil
}

// agree computes the shared secret with a peer's public value.
func (x *Exchange) agree(peer []byte) ([]byte, error) {
	group := x.chosen.suite.group()
	shared, err := x.private.Shared(fit(peer, group.PublicLen()))
	if !checkKEValue.Holds(x.cfg.Rules, err == nil) {
		return nil, checkKEValue.Violated("%v", err)
	}
	if err != nil {
		return make([]byte, group.SharedLen()), nil
	}
	return shared, nil
}

// fit returns b with that length: padded or cut on the left, as numbers are.
func fit(b []byte, size int) []byte {
	if len(b) == size {
		return b
	}
	out := make([]byte, size)
	copy(out[max(0, size-len(b)):], b[max(0, len(b)-size):])
	return out
}

// derive makes the keys of the SA (RFC 2409 §5 and appendix B).
func (x *Exchange) derive(shared []byte) {
	suite := x.chosen.suite
	in := keymat.Phase1Input{Hash: suite.Hash, PSK: x.psk, Ni: x.ni, Nr: x.nr, Shared: shared, CookieI: x.ci, CookieR: x.cr}
	if !dutyKeys.Kept(x.cfg.Rules) {
		in.Ni, in.Nr = in.Nr, in.Ni
	}
	x.keys = keymat.DerivePSK(in)
	x.key = x.cfg.cipherKey(suite, x.keys.E)
	block := suite.Cipher().BlockSize()
	x.firstIV = keymat.FirstIV(suite.Hash, x.gxi, x.gxr, block)
	if !dutyFirstIV.Kept(x.cfg.Rules) {
		x.firstIV = make([]byte, block)
	}
	x.iv = x.firstIV
	x.shared = shared
	x.private = nil
}

// cipherKey makes the cipher's key of SKEYID_e (RFC 2409 appendix B).
func (c *Config) cipherKey(s Suite, skeyidE []byte) []byte {
	if !dutyExpand.Kept(c.Rules) && s.keyLen() > len(skeyidE) {
		return append(bytes.Clone(skeyidE), make([]byte, s.keyLen()-len(skeyidE))...)
	}
	return keymat.CipherKey(s.Hash, skeyidE, s.keyLen())
}

// cipher is what the next message of Phase 1 is encrypted with.
func (x *Exchange) cipher() cipher { return cipher{x.chosen.suite.Cipher(), x.key, x.iv} }

// hashFunc is keymat.HashI or keymat.HashR.
type hashFunc func(h keymat.Hash, skeyid, gxi, gxr []byte, ci, cr [8]byte, saBody, idBody []byte) []byte

func (x *Exchange) hash(of hashFunc, saBody, idBody []byte) []byte {
	return of(x.chosen.suite.Hash, x.keys.SKEYID, x.gxi, x.gxr, x.ci, x.cr, saBody, idBody)
}

// sendAuth makes message 5 or 6: identity and HASH, encrypted.
func (x *Exchange) sendAuth(kind core.Kind, of hashFunc) (sent, error) {
	o := x.clear(kind, x.cfg.identity())
	if dutyEncryption.Kept(x.cfg.Rules) {
		o.Header.Flags |= isakmp.FlagEncryption
	}
	message, iv, err := x.cfg.build(o, func(o *core.Outgoing) error {
		o.Payloads = append(o.Payloads[:len(o.Payloads):len(o.Payloads)], isakmp.Hash{Data: x.ownHash(of, o.Payloads)})
		return nil
	}, x.cipher())
	x.iv = iv
	return message, err
}

func (x *Exchange) ownHash(of hashFunc, ps []isakmp.Payload) []byte {
	saBody, idBody := x.offer.body, sentBody(ps, isakmp.PayloadID)
	if !dutyHashSA.Kept(x.cfg.Rules) {
		saBody = saBody[min(8, len(saBody)):] // without DOI and Situation
	}
	if !dutyHashID.Kept(x.cfg.Rules) {
		idBody = nil
	}
	return x.hash(of, saBody, idBody)
}

// receiveAuth checks message 5 or 6 and returns the identity that it proves.
func (x *Exchange) receiveAuth(m *message, of hashFunc) (isakmp.ID, error) {
	id, d, _ := isakmp.Find[isakmp.ID](m.payloads)
	if err := x.cfg.checkIdentity(id); err != nil {
		return isakmp.ID{}, err
	}
	got, _, _ := isakmp.Find[isakmp.Hash](m.payloads)
	if want := x.hash(of, x.offer.body, body(d)); !checkHash.Holds(x.cfg.Rules, hmac.Equal(got.Data, want)) {
		return isakmp.ID{}, checkHash.Violated("%s does not verify for %s", x.expectedHash(), isakmp.IDType(id.IDType))
	}
	x.iv = x.cfg.advance(x.iv, m.nextIV)
	return id, nil
}

func (x *Exchange) expectedHash() string {
	if x.initiator {
		return "HASH_R"
	}
	return "HASH_I"
}

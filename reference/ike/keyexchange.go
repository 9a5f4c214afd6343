package ike

import (
	"bytes"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// nonceLen is the length of the nonces that are sent (RFC 2409 §5 allows 8 to 256).
const nonceLen = 32

// sendKE makes message 3 or 4. The public value and nonce are returned as they were sent.
func (x *Exchange) sendKE(kind core.Kind) (message sent, ke, nonce []byte, err error) {
	public := x.private.Public()
	if !dutyKELength.Kept(x.cfg.Rules) {
		public = public[1:]
	}
	ps := []isakmp.Payload{isakmp.KE{Data: public}, isakmp.Nonce{Data: x.cfg.newNonce()}}
	ps = append(ps, x.method().asks(x)...)
	o := x.clear(kind, append(ps, x.discovery()...)...)
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
	in := keymat.Phase1Input{Hash: suite.Hash, Ni: x.ni, Nr: x.nr, Shared: shared, CookieI: x.ci, CookieR: x.cr}
	if !dutyKeys.Kept(x.cfg.Rules) {
		in.Ni, in.Nr = in.Nr, in.Ni
	}
	x.keys = x.method().keys(x, in)
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

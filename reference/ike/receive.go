package ike

import (
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// header reads the header of any message and checks what does not depend on the exchange.
func (c *Config) header(data []byte) (isakmp.Header, error) {
	h, err := isakmp.ParseHeader(data)
	if err != nil {
		return h, checkLength.Violated("datagram of %d octets: %v", len(data), err)
	}
	if !checkLength.Holds(c.Rules, uint64(h.Length) == uint64(len(data))) {
		return h, checkLength.Violated("the header says %d octets, the datagram has %d", h.Length, len(data))
	}
	return h, nil
}

// version checks the version of a message in Phase 1 or of an Informational.
func (c *Config) version(h isakmp.Header) error {
	if !checkVersionAbove.Holds(c.Rules, h.Version <= isakmp.Version10) {
		return checkVersionAbove.Violated("version %#02x", h.Version)
	}
	if !checkVersionBelow.Holds(c.Rules, h.Version >= isakmp.Version10) {
		return checkVersionBelow.Violated("version %#02x", h.Version)
	}
	return nil
}

// flags checks that no flags are set but these and Commit, which has no function in GDOI and is ignored.
func (c *Config) flags(h isakmp.Header, allowed isakmp.Flags) error {
	if !checkFlags.Holds(c.Rules, h.Flags&^(allowed|isakmp.FlagCommit) == 0) {
		return checkFlags.Violated("flags %#02x", uint8(h.Flags))
	}
	return nil
}

// decrypt returns the plaintext of whole blocks and the IV of the next message.
func (c *Config) decrypt(with cipher, ciphertext []byte) (plain, nextIV []byte, err error) {
	over := len(ciphertext) % len(with.iv)
	if !checkBlocks.Holds(c.Rules, over == 0) {
		return nil, nil, checkBlocks.Violated("%d encrypted octets are no whole blocks", len(ciphertext))
	}
	return with.of.DecryptCBC(with.key, with.iv, ciphertext[:len(ciphertext)-over])
}

// chain reads the payloads of a message and checks their form. Block is the cipher's block size, 0 for a message in
// clear. The octets that belong to payloads are returned too.
func (c *Config) chain(d isakmp.Dialect, first isakmp.PayloadType, body []byte, block int) ([]isakmp.Decoded, []byte, error) {
	ps, padding, err := d.Parse(first, body, isakmp.HeaderLen)
	if !checkForm.Holds(c.Rules, err == nil) {
		if block > 0 {
			return nil, nil, checkForm.Violated("no payloads after decryption, the keys may differ: %v", err)
		}
		return nil, nil, checkForm.Violated("%v", err)
	}
	if !checkEnd.Holds(c.Rules, isPadding(padding, block, len(body))) {
		return nil, nil, checkEnd.Violated("%d octets follow the last payload", len(padding))
	}
	for i := range ps {
		if err := reserved(c.Rules, &ps[i]); err != nil {
			return nil, nil, err
		}
	}
	return ps, body[:len(body)-len(padding)], nil
}

// isPadding reports whether octets behind the last payload of a message of that length are padding. Of an encrypted one that is less than a
// block of anything, since some peers pad with random octets, and zeros of any length; of one in clear the zeros that
// align it on four octets (RFC 2408 §3.6).
func isPadding(b []byte, block, length int) bool {
	const alignment = 4
	if len(b) < max(block, 1) {
		return true
	}
	zeros := !slices.ContainsFunc(b, func(octet byte) bool { return octet != 0 })
	return zeros && (block > 0 || len(b) < alignment && length%alignment == 0)
}

func reserved(rules *rule.Switches, d *isakmp.Decoded) error {
	if !checkReserved.Holds(rules, d.Reserved == 0) {
		return checkReserved.Violated("reserved octet %#02x in %s", d.Reserved, d.Payload.Type())
	}
	sa, ok := d.Payload.(isakmp.SA)
	if !ok {
		return nil
	}
	for _, p := range sa.Proposals {
		if !checkReserved.Holds(rules, p.Generic.Reserved == 0) {
			return checkReserved.Violated("reserved octet %#02x in a proposal", p.Generic.Reserved)
		}
		for _, t := range p.Transforms {
			if !checkReserved.Holds(rules, t.Generic.Reserved == 0) {
				return checkReserved.Violated("reserved octet %#02x in a transform", t.Generic.Reserved)
			}
			if !checkReserved2.Holds(rules, t.Reserved2 == 0) {
				return checkReserved2.Violated("RESERVED2 %#04x in a transform", t.Reserved2)
			}
		}
	}
	return nil
}

// places are the payload types that have a place in a message, and whether they come once.
type places map[isakmp.PayloadType]bool

const once, often = true, false

// Where payloads may stand (RFC 2409 §5.4). Order is free but for SA. Aggressive Mode has no place for a notification, since
// nothing would prove it (RFC 2407 §4.6.3).
var (
	saMessage = places{isakmp.PayloadSA: once}
	keMessage = places{isakmp.PayloadKE: once, isakmp.PayloadNonce: once, isakmp.PayloadNATD: often}
	anywhere  = places{isakmp.PayloadVID: often, isakmp.PayloadCR: often}

	phase1Places = map[core.Kind]places{
		core.MainMode1: saMessage, core.MainMode2: saMessage,
		core.MainMode3: keMessage, core.MainMode4: keMessage,
		core.Aggressive1: {isakmp.PayloadSA: once, isakmp.PayloadKE: once, isakmp.PayloadNonce: once, isakmp.PayloadID: once},
	}
)

// places are those of the awaited message. In messages 5 and 6 they are the method's.
func (x *Exchange) places() places {
	if encrypted(x.expect) {
		return x.method().places()
	}
	if x.expect == core.Aggressive2 || x.expect == core.Aggressive3 {
		return x.aggressivePlaces()
	}
	return phase1Places[x.expect]
}

// checkPlaces checks that the payloads of a message of Phase 1 belong there.
func (c *Config) checkPlaces(kind core.Kind, has places, ps []isakmp.Decoded) error {
	seen := make(map[isakmp.PayloadType]bool)
	for _, p := range ps {
		typ := p.Payload.Type()
		single, here := has[typ]
		_, always := anywhere[typ]
		if !checkPayload.Holds(c.Rules, here || always) {
			return checkPayload.Violated("payload %s in %s", typ, kind)
		}
		if !checkOnce.Holds(c.Rules, !single || !seen[typ]) {
			return checkOnce.Violated("second payload %s in %s", typ, kind)
		}
		seen[typ] = true
	}
	if _, leads := has[isakmp.PayloadSA]; leads && !checkSAFirst.Holds(c.Rules, startsWithSA(ps)) {
		return checkSAFirst.Violated("%s does not begin with SA", kind)
	}
	return nil
}

func startsWithSA(ps []isakmp.Decoded) bool {
	return len(ps) > 0 && ps[0].Payload.Type() == isakmp.PayloadSA
}

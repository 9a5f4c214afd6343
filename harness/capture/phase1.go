package capture

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// maxEnds bounds the ends of IV chains that are tried for one message.
const maxEnds = 16

// phase1 is a Phase 1 SA as far as the conversation has shown it.
type phase1 struct {
	cookies
	keys      []phase1Keys
	initiator []netip.AddrPort // one on each side of a NAT, if both were seen
	offer     []byte           // body of the initiator's SA payload
	gxi, gxr  []byte
	ends      [][]byte // of the ciphertexts of its messages
	streams   map[streamName]*stream

	initiatorID []byte // body of the ID payload of Aggressive Mode 1
}

// offer is what message 1 said.
type offer struct {
	from    []netip.AddrPort
	sa      []byte // body of the SA payload
	gxi, id []byte // bodies of KE and ID, in Aggressive Mode
}

// phase1Keys are the keys that one node logged.
type phase1Keys struct {
	hash                          keymat.Hash
	skeyid, a, cipherKey, firstIV []byte
}

// ivs are the last blocks of the ciphertexts that end so.
func (k phase1Keys) ivs(ends [][]byte) [][]byte {
	var ivs [][]byte
	for _, end := range ends {
		if n := k.block(); len(end) >= n {
			ivs = append(ivs, end[len(end)-n:])
		}
	}
	return ivs
}

// block is the block size of the cipher: that of AES if the first IV was not logged.
func (k phase1Keys) block() int {
	if k.firstIV == nil {
		return keymat.BlockSize
	}
	return len(k.firstIV)
}

// streamName tells exchanges under one Phase 1 SA apart.
type streamName struct {
	exchange isakmp.ExchangeType
	id       uint32
}

// stream is one exchange with its own IV chain (RFC 2409 appendix B).
type stream struct {
	initiator netip.AddrPort
	ends      [][]byte // of the ciphertexts of its messages
	ni, nr    [][]byte // bodies of the nonces that were seen, the proven ones first
	came      [5]bool  // which messages of a PULL were there, right or wrong, by their number
}

func (d *decoder) addPhase1(k keylog.Entry) {
	name := cookies{cookie(k.CookieI), cookie(k.CookieR)}
	keys := phase1Keys{skeyid: unhex(k.SKEYID), a: unhex(k.SKEYIDa), cipherKey: unhex(k.CipherKey), firstIV: unhex(k.FirstIV)}
	var known bool
	if keys.hash, known = keymat.HashOfSize(len(keys.skeyid)); !known { // the PRF is HMAC of the negotiated hash
		return
	}
	p := d.phase1SA(name)
	if !slices.ContainsFunc(p.keys, func(have phase1Keys) bool {
		return bytes.Equal(have.a, keys.a) && bytes.Equal(have.cipherKey, keys.cipherKey)
	}) {
		p.keys = append(p.keys, keys)
	}
}

// phase1SA is the SA of that name, known or new.
func (d *decoder) phase1SA(name cookies) *phase1 {
	p := d.phase1[name]
	if p == nil {
		p = &phase1{cookies: name, streams: make(map[streamName]*stream)}
		d.phase1[name] = p
	}
	return p
}

// mainMode decodes a message of Main Mode with pre-shared keys (RFC 2409 §5.4):
//
//	I --> R  1  HDR, SA          R --> I  2  HDR, SA
//	I --> R  3  HDR, KE, Ni      R --> I  4  HDR, KE, Nr
//	I --> R  5  HDR*, IDii, HASH_I    R --> I  6  HDR*, IDir, HASH_R
func (d *decoder) mainMode(m *Message, h isakmp.Header, data []byte) {
	if h.ResponderCookie.IsZero() {
		d.mainMode1(m, h, data)
		return
	}
	p := d.phase1SA(cookies{h.InitiatorCookie, h.ResponderCookie})
	if m.Encrypted {
		d.mainMode56(m, h, p, d.fromInitiator(m, p, false), data)
		return
	}
	o := read(h, data)
	m.show(o)
	first := func(types ...isakmp.PayloadType) bool {
		return o.has(types...) || slices.Contains(types, h.NextPayload)
	}
	initiator := d.fromInitiator(m, p, first(isakmp.PayloadSA))
	names := label{isakmp.PayloadNonce: "Nr", isakmp.PayloadID: "IDir"}
	switch {
	case first(isakmp.PayloadSA): // also if it could not be read
		m.Kind = core.MainMode2.String()
	case first(isakmp.PayloadKE, isakmp.PayloadNonce) && initiator:
		m.Kind, names[isakmp.PayloadNonce] = core.MainMode3.String(), "Ni"
	case first(isakmp.PayloadKE, isakmp.PayloadNonce):
		m.Kind = core.MainMode4.String()
	default:
		m.Kind = core.KindUnknown.String()
	}
	if ke, _, ok := isakmp.Find[isakmp.KE](o.payloads); ok && initiator {
		p.gxi = ke.Data
	} else if ok {
		p.gxr = ke.Data
	}
	m.summarize(o, names)
}

// fromInitiator reports whether the initiator of the SA sent the message: whose offer was seen or, in a capture that
// begins later, who did not answer one, else who speaks first.
func (d *decoder) fromInitiator(m *Message, p *phase1, answer bool) bool {
	if first := d.offers[p.i]; first != nil && (p.offer == nil || bytes.Equal(p.offer, first.sa)) {
		p.initiator, p.offer = first.from, first.sa
	}
	if len(p.initiator) == 0 {
		p.initiator = []netip.AddrPort{m.From}
		if answer {
			p.initiator[0] = m.To
		}
	}
	return slices.ContainsFunc(p.initiator, m.sentBy)
}

// sentBy reports whether that end sent the message. Ports count only if both ends have one address: a NAT changes them.
func (m *Message) sentBy(a netip.AddrPort) bool {
	if m.From.Addr() == m.To.Addr() {
		return m.From == a
	}
	return m.From.Addr() == a.Addr()
}

func (d *decoder) mainMode1(m *Message, h isakmp.Header, data []byte) {
	m.Kind = core.MainMode1.String()
	o := read(h, data)
	m.show(o)
	m.summarize(o, nil)
	if _, sa, ok := isakmp.Find[isakmp.SA](o.payloads); ok {
		o := &offer{sa: sa.Body()}
		if before := d.offers[h.InitiatorCookie]; before != nil && bytes.Equal(before.sa, o.sa) {
			o.from = before.from
		}
		o.from = append(slices.Clip(o.from), m.From)
		d.offers[h.InitiatorCookie] = o
	}
}

func (d *decoder) mainMode56(m *Message, h isakmp.Header, p *phase1, initiator bool, data []byte) {
	m.Kind = core.MainMode6.String()
	names := label{isakmp.PayloadHASH: "HASH_R", isakmp.PayloadSIG: "SIG_R", isakmp.PayloadID: "IDir"}
	if initiator {
		m.Kind = core.MainMode5.String()
		names = label{isakmp.PayloadHASH: "HASH_I", isakmp.PayloadSIG: "SIG_I", isakmp.PayloadID: "IDii"}
	}
	ivs := func(k phase1Keys) [][]byte { return append(k.ivs(p.ends), k.firstIV) }
	o, k := p.open(m, h, data, ivs, func(o *opened, k phase1Keys) bool { return p.proof(o, k, initiator) == nil })
	m.summarize(o, names)
	if o == nil {
		p.ends = remember(p.ends, data, false)
		m.unchecked(names[isakmp.PayloadHASH], "not decrypted")
		return
	}
	m.show(o)
	err := p.proof(o, k, initiator)
	p.ends = remember(p.ends, data, o.err == nil && (err == nil || errors.Is(err, errMissing) || errors.Is(err, errNoKey)))
	m.identityChecked(names, o, err)
}

// identityChecked notes the outcome of HASH_I or HASH_R, or of a signature over it.
func (m *Message) identityChecked(names label, o *opened, err error) {
	name := names[isakmp.PayloadHASH]
	if o.has(isakmp.PayloadSIG) {
		name = names[isakmp.PayloadSIG]
	}
	switch {
	case errors.Is(err, errMissing) || errors.Is(err, errNoKey):
		m.unchecked(name, err.Error())
	case err != nil:
		m.check(name, false, err.Error())
	default:
		m.check(name, true, "")
	}
}

var (
	errMissing = errors.New("the capture lacks an earlier message of Phase 1")
	errNoHash  = errors.New("there is no HASH payload")
	errHash    = errors.New("it is not the one that the keys give")
)

// identityHash checks HASH_I or HASH_R (RFC 2409 §5).
func (p *phase1) identityHash(o *opened, k phase1Keys, initiator bool) error {
	hash, _, found := isakmp.Find[isakmp.Hash](o.payloads)
	if !found {
		return errNoHash
	}
	expected, err := p.expectedHash(o, k, initiator)
	if err == nil && !bytes.Equal(hash.Data, expected) {
		err = errHash
	}
	return err
}

// expectedHash is HASH_I or HASH_R as the keys and the identity of the message give it.
func (p *phase1) expectedHash(o *opened, k phase1Keys, initiator bool) ([]byte, error) {
	id, identified := o.identity()
	switch {
	case !identified:
		return nil, errNoHash
	case p.offer == nil || p.gxi == nil || p.gxr == nil:
		return nil, errMissing
	}
	of := keymat.HashR
	if initiator {
		of = keymat.HashI
	}
	return of(k.hash, k.skeyid, p.gxi, p.gxr, p.i, p.r, p.offer, id), nil
}

// identity is the body of the ID payload that a message proves: its own, or that of an earlier one.
func (o *opened) identity() ([]byte, bool) {
	if _, id, identified := isakmp.Find[isakmp.ID](o.payloads); identified {
		return id.Body(), true
	}
	return o.claimed, o.claimed != nil
}

// open decrypts a message under the SA. Since a message may be lost, repeated or forged, several IVs can come before it:
// those that ivs gives, the likely ones last. The first that proves right is taken, else the first of those that give the most likely
// message. A message in clear is read as it is. Nil means that nothing opened it.
func (p *phase1) open(m *Message, h isakmp.Header, data []byte, ivs func(phase1Keys) [][]byte,
	proven func(*opened, phase1Keys) bool) (*opened, phase1Keys) {
	if !m.Encrypted {
		var k phase1Keys
		if len(p.keys) > 0 {
			k = p.keys[0]
		}
		return read(h, data), k
	}
	var best *opened
	var with phase1Keys
	most := 0
	for _, k := range p.keys {
		for _, iv := range slices.Backward(ivs(k)) {
			o := decrypt(h, k.cipherKey, iv, data)
			if o == nil {
				continue
			}
			if o.err == nil && proven(o, k) {
				m.Decrypted = true
				return o, k
			}
			if l := likelihood(o, len(iv)); l > most {
				best, with, most = o, k, l
			}
		}
	}
	m.Decrypted = best != nil
	return best, with
}

// decrypt opens a message with one key and IV, whose length tells the cipher; nil if they do not fit its length.
func decrypt(h isakmp.Header, key, iv, data []byte) *opened {
	cipher, known := keymat.CipherOfBlock(len(iv))
	if !known {
		return nil
	}
	plain, _, err := cipher.DecryptCBC(key, iv, data[isakmp.HeaderLen:])
	if err != nil {
		return nil
	}
	return read(h, append(slices.Clone(data[:isakmp.HeaderLen]), plain...))
}

// plausible reports whether a decrypted message can be one: all of its payloads could be read, or the first.
func plausible(o *opened) bool { return likelihood(o, 1) > 0 }

// likelihood is the greater the more a decrypted message looks like one, 0 if it looks like none. The chain of payloads may well end
// somewhere in octets that are none, but hardly where less than a block of padding is left.
func likelihood(o *opened, block int) int {
	if len(o.payloads) == 0 || o.err != nil && o.payloads[0].Reserved != 0 {
		return 0
	}
	if o.err != nil {
		return 1
	}
	last := &o.payloads[len(o.payloads)-1]
	if len(o.data)-last.Offset-len(last.Raw) >= block {
		return 2
	}
	return 3
}

// remember adds the end of a message's ciphertext, as long as the longest block, to the ends of a chain, the likeliest of
// them last. A message that did not open or is wrong counts too, for what was damaged on the way may have been right where
// it was sent.
func remember(ends [][]byte, data []byte, good bool) [][]byte {
	ciphertext := data[isakmp.HeaderLen:]
	end := slices.Clone(ciphertext[max(0, len(ciphertext)-keymat.BlockSize):])
	if good {
		ends = append(ends, end)
	} else {
		ends = slices.Insert(ends, 0, end)
	}
	return ends[max(0, len(ends)-maxEnds):]
}

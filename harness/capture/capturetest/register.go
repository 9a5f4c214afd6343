package capturetest

import (
	"encoding/binary"
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Phase1 is an established Phase 1 SA between a member and the key server.
type Phase1 struct {
	t          *Talk
	gm, ks     netip.AddrPort
	hash       keymat.Hash
	cipher     keymat.Cipher
	ci, cr     isakmp.Cookie
	keys       keymat.Phase1Keys
	cipherKey  []byte
	iv         []byte // end of the Phase 1 chain
	PullStream *Stream
}

// Stream is one exchange under a Phase 1 SA.
type Stream struct {
	p        *Phase1
	exchange isakmp.ExchangeType
	id       uint32
	iv       []byte
	ni, nr   []byte
}

// MainMode adds the six messages of Main Mode (RFC 2409 §5.4).
func (t *Talk) MainMode(member netip.Addr) *Phase1 {
	return t.MainModeUnder(member, policy.DefaultProposal)
}

// offer is the SA payload of both sides, and the octets of a cipher key.
func offer(o policy.Proposal) (sa isakmp.SA, key int) {
	as := []wire.Attribute{wire.TV(isakmp.AttrEncryptionAlgorithm, uint16(o.Encryption))}
	key = 24
	if o.KeyBits > 0 {
		as, key = append(as, wire.TV(isakmp.AttrKeyLength, uint16(o.KeyBits))), o.KeyBits/8
	}
	as = append(as, wire.TV(isakmp.AttrHashAlgorithm, uint16(o.Hash)), wire.TV(isakmp.AttrAuthenticationMethod, isakmp.AuthPreSharedKey),
		wire.TV(isakmp.AttrGroupDescription, uint16(o.Group)), wire.TV(isakmp.AttrLifeType, isakmp.LifeSeconds),
		wire.TLV32(isakmp.AttrLifeDuration, 86400))
	return isakmp.SA{DOI: gdoi.DOI, Proposals: []isakmp.Proposal{{Number: 1, Protocol: isakmp.ProtoISAKMP,
		Transforms: []isakmp.Transform{{Number: 1, ID: isakmp.TransformKeyIKE, Attributes: as}}}}}, key
}

// MainModeUnder adds the six messages of Main Mode under these algorithms.
func (t *Talk) MainModeUnder(member netip.Addr, o policy.Proposal) *Phase1 {
	hash := keymat.Hash(o.Hash)
	p := &Phase1{t: t, gm: netip.AddrPortFrom(member, 848), ks: netip.AddrPortFrom(KS, 848), hash: hash, ci: isakmp.Cookie(t.bytes(8)), cr: isakmp.Cookie(t.bytes(8))}
	if o.Encryption == policy.Phase13DES {
		p.cipher = keymat.TripleDES
	}
	sa, key := offer(o)
	group, _ := keymat.DHGroup(uint16(o.Group))
	xi, err := group.NewKey(t.rand)
	must(err)
	xr, err := group.NewKey(t.rand)
	must(err)
	ni, nr := t.bytes(32), t.bytes(32)
	p.clear(true, isakmp.Cookie{}, sa)
	p.clear(false, p.cr, sa)
	p.clear(true, p.cr, isakmp.KE{Data: xi.Public()}, isakmp.Nonce{Data: ni})
	p.clear(false, p.cr, isakmp.KE{Data: xr.Public()}, isakmp.Nonce{Data: nr})
	shared, err := xi.Shared(xr.Public())
	must(err)
	p.keys = keymat.DerivePSK(keymat.Phase1Input{Hash: hash, PSK: []byte("gdoi-psk"), Ni: ni, Nr: nr, Shared: shared, CookieI: p.ci, CookieR: p.cr})
	p.cipherKey = keymat.CipherKey(hash, p.keys.E, key)
	p.iv = keymat.FirstIV(hash, xi.Public(), xr.Public(), p.cipher.BlockSize())
	secret := &core.Phase1Secret{InitiatorCookie: p.ci, ResponderCookie: p.cr, SKEYID: p.keys.SKEYID, SKEYIDd: p.keys.D, SKEYIDa: p.keys.A,
		SKEYIDe: p.keys.E, CipherKey: p.cipherKey, FirstIV: p.iv, Shared: shared}
	t.log("KS", &core.Secret{Phase1: secret})
	t.log("GM", &core.Secret{Phase1: secret})

	saBody, err := sa.AppendBody(nil)
	must(err)
	idi, idr := address(member), address(KS)
	hi := keymat.HashI(hash, p.keys.SKEYID, xi.Public(), xr.Public(), p.ci, p.cr, saBody, body(idi))
	hr := keymat.HashR(hash, p.keys.SKEYID, xi.Public(), xr.Public(), p.ci, p.cr, saBody, body(idr))
	main := &Stream{p: p, exchange: isakmp.ExchangeMainMode, iv: p.iv}
	proof := []isakmp.Payload{idi, isakmp.Hash{Data: hi}}
	if t.Proof != nil {
		proof = append(proof[:1], t.Proof(func(h keymat.Hash) []byte {
			return keymat.HashI(h, p.keys.SKEYID, xi.Public(), xr.Public(), p.ci, p.cr, saBody, body(idi))
		})...)
	}
	main.send(true, proof...)
	main.send(false, idr, isakmp.Hash{Data: hr})
	p.iv = main.iv
	return p
}

// clear adds a message of Phase 1 that is not encrypted.
func (p *Phase1) clear(fromGM bool, responder isakmp.Cookie, ps ...isakmp.Payload) {
	data, err := isakmp.Assemble(isakmp.Header{InitiatorCookie: p.ci, ResponderCookie: responder, Version: isakmp.Version10, Exchange: isakmp.ExchangeMainMode}, ps)
	must(err)
	p.datagram(fromGM, data)
}

func (p *Phase1) datagram(fromGM bool, data []byte) {
	if fromGM {
		p.t.UDP(p.gm, p.ks, data)
		return
	}
	p.t.UDP(p.ks, p.gm, data)
}

// Stream begins an exchange under the SA.
func (p *Phase1) Stream(exchange isakmp.ExchangeType) *Stream {
	id := binary.BigEndian.Uint32(p.t.bytes(4)) | 1
	return &Stream{p: p, exchange: exchange, id: id, iv: keymat.PhaseTwoIV(p.hash, p.iv, id)}
}

// send encrypts the payloads and adds the message.
func (s *Stream) send(fromGM bool, ps ...isakmp.Payload) {
	h := isakmp.Header{InitiatorCookie: s.p.ci, ResponderCookie: s.p.cr, NextPayload: isakmp.FirstType(ps), Version: isakmp.Version10,
		Exchange: s.exchange, Flags: isakmp.FlagEncryption, MessageID: s.id}
	plain, err := isakmp.AppendPayloads(nil, ps)
	must(err)
	sealed, next, err := s.p.cipher.EncryptCBC(s.p.cipherKey, s.iv, plain)
	must(err)
	s.iv = next
	h.Length = uint32(isakmp.HeaderLen + len(sealed))
	s.p.datagram(fromGM, append(h.Append(nil), sealed...))
}

// Send puts a HASH in front of the payloads and adds the message. The nonces named come before them in the hash.
func (s *Stream) Send(fromGM bool, nonces [][]byte, ps ...isakmp.Payload) {
	after, err := isakmp.AppendPayloads(nil, ps)
	must(err)
	parts := append([][]byte{binary.BigEndian.AppendUint32(nil, s.id)}, nonces...)
	sum := s.p.hash.PRF(s.p.keys.A, append(parts, after)...)
	s.send(fromGM, append([]isakmp.Payload{isakmp.Hash{Data: sum}}, ps...)...)
}

// Pull adds the four messages of a registration (RFC 6407 §3.2).
func (p *Phase1) Pull(sid uint32) *Stream {
	s := p.Stream(isakmp.ExchangePull)
	s.ni, s.nr = p.t.bytes(32), p.t.bytes(32)
	t := p.t
	sids := &policy.SIDs{Bits: 8, Values: []uint32{sid}}
	t.log("GM", &core.Secret{Group: GroupID, SIDs: sids})
	id := isakmp.ID{IDType: isakmp.IDKeyID, Data: binary.BigEndian.AppendUint32(nil, GroupID)}
	s.Send(true, nil, isakmp.Nonce{Data: s.ni}, id)
	s.Send(false, [][]byte{s.ni}, isakmp.Nonce{Data: s.nr}, t.saPayload(&t.Rekey, t.SAs[len(t.SAs)-1]))
	s.Send(true, [][]byte{s.ni, s.nr})
	s.Send(false, [][]byte{s.ni, s.nr}, gdoi.SEQ{Number: t.Sequence}, kdPayload(&t.Rekey, sids, t.SAs[len(t.SAs)-1]))
	p.PullStream = s
	return s
}

// Register adds a whole registration of a member.
func (t *Talk) Register(member netip.Addr, sid uint32) *Phase1 {
	p := t.MainMode(member)
	p.Pull(sid)
	return p
}

// Inform adds an Informational with HASH(1) (RFC 2409 §5.7).
func (p *Phase1) Inform(fromGM bool, ps ...isakmp.Payload) {
	p.Stream(isakmp.ExchangeInformational).Send(fromGM, nil, ps...)
}

func address(a netip.Addr) isakmp.ID {
	return isakmp.ID{IDType: isakmp.IDIPv4Addr, Data: a.AsSlice()}
}

func body(p isakmp.Payload) []byte {
	b, err := p.AppendBody(nil)
	must(err)
	return b
}

package capturetest

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// saPayload is the SA payload of a group (RFC 6407 §5.2).
func (t *Talk) saPayload(rekey *policy.RekeySA, sas ...policy.TrafficSA) gdoi.SA {
	p := gdoi.SA{DOI: gdoi.DOI}
	if rekey != nil {
		p.Attributes = append(p.Attributes, gdoi.SAK{Protocol: 17, Source: id16(rekey.Source), Destination: id16(rekey.Destination), SPI: rekey.SPI,
			Attributes: []wire.Attribute{wire.TV(gdoi.KEKAlgorithm, uint16(rekey.Cipher)), wire.TV(gdoi.KEKKeyLength, uint16(rekey.KeyBits)),
				wire.TLV32(gdoi.KEKKeyLifetime, uint32(rekey.Lifetime.Seconds())), wire.TV(gdoi.SigHashAlgorithm, uint16(rekey.SigHash)),
				wire.TV(gdoi.SigAlgorithm, uint16(rekey.SigAlgorithm)), wire.TV(gdoi.SigKeyLength, uint16(rekey.SigKeyBits)),
				wire.TV(gdoi.KEKAckRequested, uint16(rekey.Ack))}})
	}
	p.Attributes = append(p.Attributes, gdoi.GAP{Attributes: []wire.Attribute{wire.TV(gdoi.GAPActivation, 5), wire.TV(gdoi.GAPDeactivation, 10)}})
	for _, sa := range sas {
		p.Attributes = append(p.Attributes, satPayload(sa))
	}
	return p
}

func satPayload(sa policy.TrafficSA) gdoi.SAT {
	as := []wire.Attribute{wire.TV(gdoi.SALifeType, 1), wire.TLV32(gdoi.SALifeDuration, uint32(sa.Lifetime.Seconds())),
		wire.TV(gdoi.EncapsulationMode, uint16(sa.Transform.Mode)), wire.TV(gdoi.KeyLength, uint16(sa.Transform.KeyBits)),
		wire.TV(gdoi.AddressPreservation, uint16(sa.Transform.Preservation))}
	if sa.Transform.Integrity != policy.IntegrityNone {
		as = append(as, wire.TV(gdoi.AuthAlgorithm, uint16(sa.Transform.Integrity)))
	}
	return gdoi.SAT{ProtocolID: gdoi.ProtoIPsecESP, ESP: &gdoi.SATESP{Source: subnet(sa.Selector.Source), Destination: subnet(sa.Selector.Destination),
		TransformID: uint8(sa.Transform.Cipher), SPI: sa.SPI, Attributes: as}}
}

// kdPayload is the KD payload with the keys of a group (RFC 6407 §5.6).
func kdPayload(rekey *policy.RekeySA, sids *policy.SIDs, sas ...policy.TrafficSA) gdoi.KD {
	var p gdoi.KD
	if rekey != nil {
		p.Packets = append(p.Packets, gdoi.KEKPacket(rekey.SPI,
			wire.TLV(gdoi.KEKAlgorithmKey, append(append([]byte{}, rekey.IV...), rekey.Key...)), wire.TLV(gdoi.SigAlgorithmKey, rekey.PublicKey)))
	}
	for _, sa := range sas {
		as := []wire.Attribute{wire.TLV(gdoi.TEKAlgorithmKey, sa.CipherKey)}
		if len(sa.IntegrityKey) > 0 {
			as = append(as, wire.TLV(gdoi.TEKIntegrityKey, sa.IntegrityKey))
		}
		p.Packets = append(p.Packets, gdoi.TEKPacket(sa.SPI, as...))
	}
	if sids != nil {
		p.Packets = append(p.Packets, gdoi.SIDPacket(uint16(sids.Bits), sids.Values[0]))
	}
	return p
}

// Push adds a multicast GROUPKEY-PUSH with the next number that brings the newest TEK (RFC 6407 §4).
func (t *Talk) Push() {
	t.Sequence++
	sa := t.SAs[len(t.SAs)-1]
	t.PushPayloads(gdoi.SEQ{Number: t.Sequence}, t.saPayload(nil, sa), kdPayload(nil, nil, sa))
}

// PushPayloads adds a PUSH with these payloads and a SIG over the length before padding.
func (t *Talk) PushPayloads(ps ...isakmp.Payload) { t.push(false, ps) }

// PushPadded is PushPayloads with a SIG over the length after padding.
func (t *Talk) PushPadded(ps ...isakmp.Payload) { t.push(true, ps) }

func (t *Talk) push(padded bool, ps []isakmp.Payload) {
	spi := t.Rekey.SPI
	h := isakmp.Header{InitiatorCookie: isakmp.Cookie(spi[:8]), ResponderCookie: isakmp.Cookie(spi[8:]), NextPayload: isakmp.FirstType(ps),
		Version: isakmp.Version10, Exchange: isakmp.ExchangePush, Flags: isakmp.FlagEncryption}
	scheme, cipher, sigLen := gdoimap.SchemeOf(t.Rekey), gdoimap.CipherOf(t.Rekey), keymat.SignatureLen(t.signer.Public())
	plain, err := isakmp.AppendPayloads(nil, append(ps, isakmp.SIG{Data: make([]byte, sigLen)}))
	must(err)
	sent := isakmp.HeaderLen + (len(plain)+cipher.BlockSize()-1)/cipher.BlockSize()*cipher.BlockSize()
	h.Length = uint32(isakmp.HeaderLen + len(plain))
	if padded {
		h.Length = uint32(sent)
	}
	sig, err := scheme.Sign(t.signer, scheme.Digest(h.Append(nil), plain[:len(plain)-isakmp.GenericLen-sigLen]))
	must(err)
	copy(plain[len(plain)-len(sig):], sig)
	sealed, _, err := cipher.EncryptCBC(t.Rekey.Key, t.Rekey.IV, plain)
	must(err)
	h.Length = uint32(sent)
	t.UDP(t.Rekey.Source, t.Rekey.Destination, append(h.Append(nil), sealed...))
}

// Ack adds a member's acknowledgement of the last PUSH (RFC 8263 §3).
func (t *Talk) Ack(member netip.Addr) {
	spi := t.Rekey.SPI
	seq, err := isakmp.AppendPayload(nil, isakmp.PayloadID, gdoi.SEQ{Number: t.Sequence})
	must(err)
	id, err := isakmp.AppendPayload(nil, isakmp.PayloadNone, address(member))
	must(err)
	by := gdoimap.AckOf(t.Rekey.Ack)
	sum := by.Hash(by.Key(t.Rekey.Key, spi), seq, id)
	data, err := isakmp.Assemble(isakmp.Header{InitiatorCookie: isakmp.Cookie(spi[:8]), ResponderCookie: isakmp.Cookie(spi[8:]),
		Version: isakmp.Version10, Exchange: isakmp.ExchangePushACK}, []isakmp.Payload{isakmp.Hash{Data: sum}, gdoi.SEQ{Number: t.Sequence}, address(member)})
	must(err)
	t.UDP(netip.AddrPortFrom(member, 848), netip.AddrPortFrom(KS, 848), data)
}

// Sender is a member's sending side of an ESP SA.
type Sender struct {
	t  *Talk
	sa *esp.SA
}

// Sender makes a sender of the newest SA.
func (t *Talk) Sender(sid uint32) *Sender {
	sa, err := esp.New(t.SAs[len(t.SAs)-1], esp.Options{SID: sid, SIDBits: 8, HasSID: true, Rand: t.rand, Window: 64, First: t.FirstSequence})
	must(err)
	return &Sender{t, sa}
}

// Send adds an echo request from host to host, under ESP in tunnel mode with both addresses preserved.
func (s *Sender) Send(from, to netip.Addr, seq uint16) {
	inner := serialize(s.t.ip(from, to, layers.IPProtocolICMPv4), echo(seq), gopacket.Payload(strings.Repeat("group traffic ", 4)))
	s.seal(from, to, inner, esp.NextIPv4)
}

// SendInner adds any packet under ESP in tunnel mode, between Host1 and Host2, with that Next Header.
func (s *Sender) SendInner(inner []byte, next uint8) { s.seal(Host1, Host2, inner, next) }

func (s *Sender) seal(from, to netip.Addr, inner []byte, next uint8) {
	packet, err := s.sa.Seal(nil, inner, next)
	must(err)
	s.t.add("wan", s.t.ip(from, to, 50), gopacket.Payload(packet))
}

func id16(a netip.AddrPort) gdoi.ID16 {
	return gdoi.ID16{Type: isakmp.IDIPv4Addr, Port: a.Port(), Data: a.Addr().AsSlice()}
}

func subnet(p netip.Prefix) gdoi.ID16 {
	mask := binary.BigEndian.AppendUint32(nil, ^uint32(0)<<(32-p.Bits()))
	return gdoi.ID16{Type: isakmp.IDIPv4AddrSubnet, Data: append(p.Addr().AsSlice(), mask...)}
}

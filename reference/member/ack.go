package member

import (
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// What a member owes in an acknowledgement.
var (
	guardAckSent = rule.Duty("member.ack.sent", "RFC8263-4-01", rule.GM,
		"a PUSH is acknowledged if the key server asked for it")
	guardAckAsked = rule.Duty("member.ack.asked", "RFC8263-7.2-01", rule.GM,
		"a PUSH is acknowledged only if the latest SAK asked for it")
	guardAckAfter = rule.Duty("member.ack.after", "RFC8263-4-03", rule.GM,
		"only a PUSH that was carried out is acknowledged")
	guardAckDeleted = rule.Duty("member.ack.deleted", "RFC8263-4-04", rule.GM,
		"a PUSH that deletes its own KEK is acknowledged like any other")
	guardAckTo = rule.Duty("member.ack.address", "RFC8263-3-02", rule.GM,
		"an acknowledgement goes from the port that the PUSH came to, to where the PUSH came from")
	guardAckCookies = rule.Duty("member.ack.cookies", "RFC8263-3.1-02", rule.GM, "the cookies are those of the PUSH")
	guardAckHeader  = rule.Duty("member.ack.header", "RFC8263-3.1-03", rule.GM,
		"the header has version 1.0, exchange 35 and no flags")
	guardAckMessageID = rule.Duty("member.ack.message_id", "RFC8263-3.1-04", rule.GM, "the Message ID is 0")
	guardAckLength    = rule.Duty("member.ack.length", "RFC8263-3.1-05", rule.GM, "the Length is that of the message")
	guardAckHash      = rule.Duty("member.ack.hash", "RFC8263-3.2-01", rule.GM,
		"HASH covers the SEQ and ID payloads with their headers")
	guardAckKey = rule.Duty("member.ack.key", "RFC8263-2.1-01", rule.GM,
		"the base key is the cipher key of the KEK without its IV")
	guardAckLKH = rule.Duty("member.ack.lkh", "RFC8263-2.2-01", rule.GM,
		"with LKH the base key is the cipher key of the member's first LKH key")
	guardAckSHA512 = rule.Duty("member.ack.sha512", "RFC8263-2.3-01", rule.GM,
		"HASH is made with SHA-512 if that is asked for")
	guardAckSPI = rule.Duty("member.ack.spi", "RFC8263-3.2-04", rule.GM,
		"the key is derived with the cookies of the PUSH")
	guardAckSEQ    = rule.Duty("member.ack.seq", "RFC8263-3.3-01", rule.GM, "SEQ is that of the PUSH")
	guardAckIDType = rule.Duty("member.ack.id_type", "RFC8263-3.4-01", rule.GM, "the identity is an ID_IPV4_ADDR or an ID_IPV6_ADDR, as the address is")
	guardAckIDZero = rule.Duty("member.ack.id_zero", "RFC8263-3.4-02", rule.GM,
		"protocol and port of the identity are 0")
	guardAckUnicast = rule.Duty("member.getvpn.ack-unicast", "GETVPN-ACK-03", rule.GM,
		"in profile getvpn a rekey by multicast is not acknowledged, whatever the SAK asks for")
	guardAckID = rule.Duty("member.ack.id_address", "RFC8263-3.4-03", rule.GM,
		"the identity is the address that the latest PULL came from")
)

// acknowledge answers a PUSH that was carried out under that Rekey SA, if the latest SAK asks for it (RFC 8263 §4). The
// answer is keyed from the KEK that protected the PUSH, even if that is deleted now.
//
//	GM --> KS  HDR, HASH, SEQ, ID
func (m *membership) acknowledge(p *push, under *rekeySA, d *core.Datagram) {
	latest := under
	if m.rekey != nil {
		latest = m.rekey
	}
	asked := latest.Ack != policy.AckNone && gdoimap.AckBase(&under.RekeySA, latest.Ack) != nil
	deleted := m.rekey == nil
	if asked && !guardAckSent.Kept(m.rules) || !asked && guardAckAsked.Kept(m.rules) ||
		deleted && !guardAckDeleted.Kept(m.rules) {
		return
	}
	if m.unheard(d) && guardAckUnicast.Kept(m.rules) {
		return
	}
	m.sendAck(p, under, latest.Ack, d)
}

// unheard reports whether the profile has nobody listen for an acknowledgement of a PUSH that came this way.
func (m *membership) unheard(d *core.Datagram) bool {
	return m.cfg.Profile == policy.ProfileGETVPN && d.To.Addr().IsMulticast()
}

// ackUnproven is the fault of a member that answers before it has proven what it answers to.
func (m *membership) ackUnproven(p *push, d *core.Datagram) {
	if p != nil && !guardAckAfter.Kept(m.rules) && m.rekey.Ack != policy.AckNone {
		m.sendAck(p, m.rekey, m.rekey.Ack, d)
	}
}

func (m *membership) sendAck(p *push, under *rekeySA, asked policy.AckType, d *core.Datagram) {
	o := &p.answer
	*o = core.Outgoing{Kind: core.PushACK, Header: m.ackHeader(under.SPI), Payloads: []isakmp.Payload{m.ackSEQ(p.seq), m.ackID()}}
	m.tap.See(core.Built, o)
	hash, err := m.ackHash(under, asked, o.Payloads)
	if err != nil {
		m.log(core.Error, "ACK_FAILED", err.Error())
		return
	}
	o.Payloads = append([]isakmp.Payload{isakmp.Hash{Data: hash}}, o.Payloads...)
	m.tap.See(core.Authenticated, o)
	if o.Bytes, err = m.ackBytes(o.Header, o.Payloads); err != nil {
		m.log(core.Error, "ACK_FAILED", err.Error())
		return
	}
	m.tap.See(core.Sealed, o)
	if !o.Withhold {
		m.counts.acks++
		m.transmit(core.Send{From: m.ackFrom(d), To: d.From, Data: o.Bytes, Kind: core.PushACK})
	}
}

// ackFrom is the member's address with the port that the PUSH came to.
func (m *membership) ackFrom(d *core.Datagram) netip.AddrPort {
	from := netip.AddrPortFrom(m.cfg.Address.Addr(), d.To.Port())
	if !guardAckTo.Kept(m.rules) {
		return netip.AddrPortFrom(from.Addr(), from.Port()+1)
	}
	return from
}

func (m *membership) ackHeader(spi policy.RekeySPI) isakmp.Header {
	h := isakmp.Header{Version: isakmp.Version10, Exchange: isakmp.ExchangePushACK}
	copy(h.InitiatorCookie[:], spi[:8])
	copy(h.ResponderCookie[:], spi[8:])
	if !guardAckCookies.Kept(m.rules) {
		h.InitiatorCookie, h.ResponderCookie = h.ResponderCookie, h.InitiatorCookie
	}
	if !guardAckHeader.Kept(m.rules) {
		h.Flags = isakmp.FlagEncryption
	}
	if !guardAckMessageID.Kept(m.rules) {
		h.MessageID = 1
	}
	return h
}

func (m *membership) ackSEQ(number uint32) gdoi.SEQ {
	if !guardAckSEQ.Kept(m.rules) {
		number--
	}
	return gdoi.SEQ{Number: number}
}

// ackID is the address that the member registered from.
func (m *membership) ackID() gdoi.ID {
	own := m.cfg.Address.Addr()
	id := gdoi.ID{IDType: addressType(own), Data: own.AsSlice()}
	if !guardAckIDType.Kept(m.rules) {
		id.IDType = isakmp.IDKeyID
	}
	if !guardAckIDZero.Kept(m.rules) {
		id.Protocol, id.Port = 17, port
	}
	if !guardAckID.Kept(m.rules) {
		id.Data = own.Next().AsSlice()
	}
	return id
}

// ackHash is HASH of an acknowledgement of that type over what follows it (RFC 8263 §3.2).
func (m *membership) ackHash(under *rekeySA, asked policy.AckType, ps []isakmp.Payload) ([]byte, error) {
	after, err := isakmp.AppendPayloads(make([]byte, 0, 64), ps)
	if err != nil {
		return nil, err
	}
	if !guardAckHash.Kept(m.rules) {
		after = after[isakmp.GenericLen:]
	}
	by := gdoimap.AckOf(asked)
	if !guardAckSHA512.Kept(m.rules) {
		by = keymat.AckSHA256
	}
	base, spi := gdoimap.AckBase(&under.RekeySA, asked), under.SPI
	if asked.LKH() && !guardAckLKH.Kept(m.rules) {
		base = under.Key
	}
	if !guardAckKey.Kept(m.rules) {
		base = append(append([]byte(nil), under.IV...), under.Key...)
	}
	if !guardAckSPI.Kept(m.rules) {
		spi = policy.RekeySPI{}
	}
	return by.Sum(base, spi, after, nil), nil
}

// ackBytes assembles the message, which goes in clear.
func (m *membership) ackBytes(h isakmp.Header, ps []isakmp.Payload) ([]byte, error) {
	b, err := isakmp.Assemble(h, ps)
	if err == nil && !guardAckLength.Kept(m.rules) {
		b[isakmp.HeaderLen-1]--
	}
	return b, err
}

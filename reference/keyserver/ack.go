package keyserver

import (
	"crypto/hmac"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// ack is an acknowledgement as it was read.
type ack struct {
	hash    []byte
	seq, id []byte // whole payloads
	group.Ack
}

// onAck takes a message with the cookies of a Rekey SA. It can only be an acknowledgement (RFC 8263 §5), and is never
// answered.
//
//	GM --> KS  HDR, HASH, SEQ, ID
func (k *KeyServer) onAck(now time.Time, c *carried, d *core.Datagram) {
	h, err := isakmp.ParseHeader(d.Data)
	if err != nil {
		return // there are 28 octets
	}
	if h.Exchange != isakmp.ExchangePushACK {
		k.refuseExchange(now, h.Exchange, d)
		return
	}
	a, ok, err := k.readAck(h, d.Data, d.From)
	if err != nil || !ok {
		k.refuse(now, err, d.From)
		return
	}
	err = c.Ack(now, a.Ack, func(under *policy.RekeySA) bool { return k.proves(&a, under) })
	if err != nil {
		if k.refuse(now, err, d.From) {
			k.tellRefusedAck(c, a.Member, err)
		}
		return
	}
	k.log(core.Info, "ACK_RECEIVED", "rekey acknowledged", field("group", c.ID()), field("member", a.Member),
		field("sequence", a.Sequence))
}

// proves reports whether HASH is that of the type which the Rekey SA asks for (RFC 8263 §2.1, §2.3).
func (k *KeyServer) proves(a *ack, under *policy.RekeySA) bool {
	by := gdoimap.AckOf(under.Ack)
	if !guardAckSHA512.Kept(k.opts.Rules) {
		by = keymat.AckSHA256
	}
	base := gdoimap.AckBase(under, under.Ack)
	if under.Ack.LKH() && !guardAckLKH.Kept(k.opts.Rules) {
		base = under.Key
	}
	return base != nil && hmac.Equal(a.hash, by.Sum(base, under.SPI, a.seq, a.id))
}

// mostAcked is of how many payloads the room is kept, so that nobody can make it large. An acknowledgement has three.
const mostAcked = 8

// readAck checks header and form. Without an error it is not ok if a guard is off and there is nothing to go on with.
func (k *KeyServer) readAck(h isakmp.Header, data []byte, from netip.AddrPort) (a ack, ok bool, err error) {
	if err := k.checkAckHeader(h, len(data)); err != nil {
		return a, false, err
	}
	rules := k.opts.Rules
	ps, rest, err := gdoi.ACK.Append(k.acked[:0], h.NextPayload, data[isakmp.HeaderLen:], isakmp.HeaderLen)
	if len(ps) <= mostAcked {
		k.acked = ps
	}
	if !guardAckForm.Holds(rules, err == nil) {
		return a, false, guardAckForm.Violated("%v", err)
	}
	if !guardAckForm.Holds(rules, len(rest) == 0 && isAck(ps)) {
		return a, false, guardAckForm.Violated("acknowledgement of %s and %d octets", types(ps), len(rest))
	}
	for _, p := range ps {
		if !guardAckReserved.Holds(rules, p.Reserved == 0) {
			return a, false, guardAckReserved.Violated("reserved octet %#02x in %v", p.Reserved, p.Payload.Type())
		}
	}
	hash, _, okHash := isakmp.Find[isakmp.Hash](ps)
	seq, seqRaw, okSEQ := isakmp.Find[gdoi.SEQ](ps)
	id, idRaw, okID := isakmp.Find[gdoi.ID](ps)
	if !okHash || !okSEQ || !okID {
		return a, false, nil
	}
	addr, known := ackAddress(id)
	if !guardAckID.Holds(rules, known) {
		return a, false, guardAckID.Violated("ID of type %d and %d octets", id.IDType, len(id.Data))
	}
	return ack{
		hash: hash.Data, seq: seqRaw.Raw, id: idRaw.Raw,
		Ack: group.Ack{Under: policy.RekeySPI(data[:16]), Sequence: seq.Number, Member: addr, From: from},
	}, true, nil
}

func (k *KeyServer) checkAckHeader(h isakmp.Header, n int) error {
	rules := k.opts.Rules
	switch {
	case !guardAckLength.Holds(rules, uint64(h.Length) == uint64(n)):
		return guardAckLength.Violated("the header says %d octets, the datagram has %d", h.Length, n)
	case !guardAckVersion.Holds(rules, h.Version == isakmp.Version10):
		return guardAckVersion.Violated("version %#02x", h.Version)
	case !guardAckFlags.Holds(rules, h.Flags == 0):
		return guardAckFlags.Violated("flags %#02x", uint8(h.Flags))
	case !guardAckMessageID.Holds(rules, h.MessageID == 0):
		return guardAckMessageID.Violated("Message ID %08x", h.MessageID)
	}
	return nil
}

// isAck reports whether the payloads are HASH, SEQ and ID, in this order.
func isAck(ps []isakmp.Decoded) bool {
	return len(ps) == 3 && ps[0].Payload.Type() == isakmp.PayloadHASH && ps[1].Payload.Type() == isakmp.PayloadSEQ &&
		ps[2].Payload.Type() == isakmp.PayloadID
}

// ackAddress is the address by which a member names itself (RFC 8263 §3.4).
func ackAddress(id gdoi.ID) (netip.Addr, bool) {
	addr, ok := netip.AddrFromSlice(id.Data)
	switch {
	case !ok:
		return addr, false
	case id.IDType == uint8(isakmp.IDIPv4Addr):
		return addr, addr.Is4()
	case id.IDType == uint8(isakmp.IDIPv6Addr):
		return addr, addr.Is6()
	}
	return addr, false
}

package member

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var (
	guardPushVersion = rule.Check("member.push.version", "RFC2408-5.2-03", rule.GM, "the version of a PUSH is 1.0")
	guardPushType    = rule.Check("member.push.exchange", "RFC2408-5.2-04", rule.GM,
		"the exchange type under the cookies of a Rekey SA is GROUPKEY-PUSH")
	guardPushFlags = rule.Check("member.push.flags", "RFC2408-5.2-05", rule.GM,
		"the flags of a PUSH are E and nothing else")
	guardPushMessageID = rule.Check("member.push.message_id", "RFC2408-5.2-06", rule.GM, "the Message ID of a PUSH is 0")
	guardPushLength    = rule.Check("member.push.length", "RFC2408-5.1-01", rule.GM,
		"the Length of a PUSH is that of the datagram")
	guardDuplicate = rule.Check("member.push.duplicate", "RFC6407-7.3.4-02", rule.GM,
		"a PUSH is not an exact copy of one that was accepted lately")
	guardSEQ = rule.Bound("member.push.seq", "RFC6407-4.4-02", rule.GM,
		"SEQ is greater than the last one accepted under this Rekey SA")
	guardSIG = rule.Check("member.push.sig", "RFC6407-4.4-03", rule.GM, "SIG is that of the group's signature key")
	// guardOrder shows in which refusal a PUSH gets that has both an old SEQ and a wrong SIG.
	guardOrder = rule.Duty("member.push.order", "RFC6407-7.3.5-01", rule.GM, "SEQ is looked at before SIG")
)

// onPush takes a message under the cookies of the Rekey SA, in the order of RFC 6407 §4.4: what is cheap comes first, and
// nothing is changed until everything has been checked.
//
//	GM <-- KS  HDR*, SEQ, [D,] [SA, KD,] SIG
func (m *membership) onPush(now time.Time, d *core.Datagram) {
	h, err := isakmp.ParseHeader(d.Data)
	if err != nil {
		m.refuseGuard(now, guardPushLength, d.From)
		return
	}
	if g := m.wrongPushHeader(h, len(d.Data)); g != nil {
		m.refuseGuard(now, g, d.From)
		return
	}
	digest := sha256.Sum256(d.Data)
	if !guardDuplicate.Holds(m.rules, !m.recent.has(digest)) {
		m.refuseGuard(now, guardDuplicate, d.From)
		return
	}
	o := openings.Get().(*opening)
	defer o.close()
	p, err := m.openPush(o, h, d.Data)
	if err == nil {
		err = m.provePush(p)
	}
	if err == nil {
		err = m.readPush(p)
	}
	if err != nil {
		if m.refuse(now, err, d.From) {
			m.tellRefusedPush(err, p)
		}
		m.ackUnproven(p, d)
		return
	}
	m.recent.add(digest)
	m.commitPush(now, p, d)
}

// wrongPushHeader returns the guard that a header does not satisfy (RFC 6407 §4.2).
func (m *membership) wrongPushHeader(h isakmp.Header, length int) *rule.Guard {
	for _, check := range [...]struct {
		guard *rule.Guard
		ok    bool
	}{
		{guardPushVersion, h.Version == isakmp.Version10},
		{guardPushType, h.Exchange == isakmp.ExchangePush},
		{guardPushFlags, h.Flags == isakmp.FlagEncryption},
		{guardPushMessageID, h.MessageID == 0},
		{guardPushLength, h.Length == uint32(length)},
	} {
		if !check.guard.Holds(m.rules, check.ok) {
			return check.guard
		}
	}
	return nil
}

// provePush checks SEQ and then SIG. Neither is recorded yet.
func (m *membership) provePush(p *push) error {
	first, second := m.checkSEQ, m.checkSIG
	if !guardOrder.Kept(m.rules) {
		first, second = second, first
	}
	if err := first(p); err != nil {
		return err
	}
	return second(p)
}

func (m *membership) checkSEQ(p *push) error {
	if !guardSEQ.Above(m.rules, uint64(p.seq), uint64(m.rekey.last)) {
		return guardSEQ.Violated("SEQ %d, and %d has been accepted", p.seq, m.rekey.last)
	}
	return nil
}

// checkSIG verifies the signature over the header and the payloads before SIG. RFC 6407 does not say whether the Length in
// the signed header counts the encryption padding, so either is good.
func (m *membership) checkSIG(p *push) error {
	signed := m.signed(p, p.unpadded) || p.unpadded != p.padded && m.signed(p, p.padded)
	if !guardSIG.Holds(m.rules, signed) {
		return guardSIG.Violated("SIG of SEQ %d does not verify", p.seq)
	}
	return nil
}

// header is the header as it was signed, with that Length.
func (p *push) header(length int) []byte {
	h := p.head
	binary.BigEndian.PutUint32(h[len(h)-4:], uint32(length))
	return h[:]
}

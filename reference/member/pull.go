package member

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
	"io"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// A nonce of the PULL has 8 to 128 octets (RFC 6407 §5.8).
const (
	nonceMin = 8
	nonceMax = 128
	nonceLen = 32 // of the member's own
)

var (
	guardForm2 = rule.Check("member.pull2.form", "RFC6407-3.2-01", rule.GM,
		"message 2 is HASH(2), Nr, SA and nothing else")
	guardHash2 = rule.Check("member.pull2.hash", "RFC6407-3.3-01", rule.GM,
		"HASH(2) covers the member's nonce and the policy, under this Phase 1")
	guardNonceMin = rule.Bound("member.pull2.nonce_min", "RFC6407-5.8-01", rule.GM, "Nr has at least 8 octets")
	guardNonceMax = rule.Bound("member.pull2.nonce_max", "RFC6407-5.8-01", rule.GM, "Nr has at most 128 octets")
	guardForm4    = rule.Check("member.pull4.form", "RFC6407-3.2-01", rule.GM,
		"message 4 is HASH(4), SEQ if there is a KEK, KD, and nothing else")
	guardHash4 = rule.Check("member.pull4.hash", "RFC6407-3.3-04", rule.GM,
		"HASH(4) covers both nonces and the keys, under this Phase 1")
)

// pull is a GROUPKEY-PULL in progress.
type pull struct {
	stream    *ike.Stream
	ni, nr    []byte
	offer     *gdoimap.Policy // of message 2; nil until then
	offered   time.Time       // when it came
	overtaken bool            // a PUSH has changed the group since message 2
	answered  []byte          // the last message accepted; a copy of it is no news
	repeat    repetition
}

// startPull asks for the group.
//
//	GM --> KS  HDR*, HASH(1), Ni, ID
func (m *membership) startPull(now time.Time) {
	m.pull = &pull{stream: m.phase1.NewStream(isakmp.ExchangePull, m.newMessageID()), ni: m.newNonce()}
	m.ask(now, core.Pull1, m.hash1, isakmp.Nonce{Data: m.pull.ni}, m.groupID())
}

// ask sends a message of the PULL and repeats it until it is answered.
func (m *membership) ask(now time.Time, kind core.Kind, hash func([4]byte, []byte) []byte, ps ...isakmp.Payload) {
	d, err := m.pull.stream.Seal(kind, hash, ps)
	if err != nil {
		m.fail(now, err.Error())
		return
	}
	m.request(now, d)
}

// onPull takes a message of the PULL. One that is refused leaves the exchange as it was: the right one may still come.
func (m *membership) onPull(now time.Time, d *core.Datagram) {
	if m.pull == nil {
		m.refuseGuard(now, guardSession, d.From)
		return
	}
	if bytes.Equal(d.Data, m.pull.answered) {
		return
	}
	o, err := m.pull.stream.Open(d.Data, gdoi.Pull)
	if err == nil && m.pull.offer == nil {
		err = m.onPull2(now, o, d)
	} else if err == nil {
		err = m.onPull4(now, o, d)
	}
	if err != nil {
		if m.refuse(now, err, d.From) {
			m.tellRefusedPull(err)
		}
	} else {
		m.onProven(now)
	}
}

// onPull2 takes the key server's policy and answers with what the member needs.
//
//	GM <-- KS  HDR*, HASH(2), Nr, SA
//	GM --> KS  HDR*, HASH(3) [, GAP]
func (m *membership) onPull2(now time.Time, o *ike.Opened, d *core.Datagram) error {
	nonce, _, hasNonce := isakmp.Find[isakmp.Nonce](o.Payloads)
	sa, _, hasSA := isakmp.Find[gdoi.SA](o.Payloads)
	inOrder := isChain(o.Payloads, isakmp.PayloadHASH, isakmp.PayloadNonce, isakmp.PayloadSA)
	if !guardForm2.Holds(m.rules, inOrder) || !hasNonce || !hasSA {
		return guardForm2.Violated("message 2 is %s", chainText(o.Payloads))
	}
	if !guardHash2.Holds(m.rules, hmac.Equal(o.Hash, m.peerHash(o, m.pull.ni))) {
		return guardHash2.Violated("HASH(2) is wrong")
	}
	if n := uint64(len(nonce.Data)); !guardNonceMin.AtLeast(m.rules, n, nonceMin) {
		return guardNonceMin.Violated("nonce of %d octets", n)
	} else if !guardNonceMax.AtMost(m.rules, n, nonceMax) {
		return guardNonceMax.Violated("nonce of %d octets", n)
	}
	m.accept(now, o, d)
	m.pull.nr = nonce.Data
	offer, err := m.readOffer(now, sa, d)
	if err != nil {
		m.tell(getvpn.GMRejectingSAPayload, getvpn.Field("reason", err))
		m.sendConflict(err)
		m.refusePhase1(now, "the policy is not acceptable: "+err.Error())
		return err
	}
	m.pull.offer, m.pull.offered = offer, now
	m.ask(now, core.Pull3, m.hash3, m.needs(offer)...)
	return nil
}

// onPull4 takes the keys.
//
//	GM <-- KS  HDR*, HASH(4) [, SEQ], KD
func (m *membership) onPull4(now time.Time, o *ike.Opened, d *core.Datagram) error {
	seq, _, hasSEQ := isakmp.Find[gdoi.SEQ](o.Payloads)
	kd, _, hasKD := isakmp.Find[gdoi.KD](o.Payloads)
	inOrder := isChain(o.Payloads, isakmp.PayloadHASH, isakmp.PayloadKD)
	if m.pull.offer.Rekey != nil {
		inOrder = hasSEQ && isChain(o.Payloads, isakmp.PayloadHASH, isakmp.PayloadSEQ, isakmp.PayloadKD)
	}
	if !guardForm4.Holds(m.rules, inOrder) || !hasKD {
		return guardForm4.Violated("message 4 is %s", chainText(o.Payloads))
	}
	if !guardHash4.Holds(m.rules, hmac.Equal(o.Hash, m.peerHash(o, m.pull.ni, m.pull.nr))) {
		return guardHash4.Violated("HASH(4) is wrong")
	}
	m.accept(now, o, d)
	sids, err := m.pull.offer.AddKeys(kd, m.rules)
	if err == nil {
		err = m.checkDownload(m.pull.offer.Rekey)
	}
	if err != nil {
		m.tellRefusedKeys(err)
		m.refusePhase1(now, "the keys are not acceptable: "+err.Error())
		return err
	}
	m.finishPull(now, *m.pull.offer, seq.Number, sids)
	return nil
}

// accept chains the next message to this one (RFC 2409 §10).
func (m *membership) accept(now time.Time, o *ike.Opened, d *core.Datagram) {
	o.Commit()
	m.track(now, d)
	m.pull.answered = bytes.Clone(d.Data)
}

// peerHash is what HASH(2) and HASH(4) have to be: over the Message ID, the nonces and what follows HASH.
func (m *membership) peerHash(o *ike.Opened, nonces ...[]byte) []byte {
	parts := [][]byte{binary.BigEndian.AppendUint32(nil, o.Header.MessageID)}
	parts = append(append(parts, nonces...), o.After)
	return m.phase1.Hash().PRF(m.phase1.SKEYIDa(), parts...)
}

// random returns n octets. A source of randomness that fails is a fault of the node, not of the protocol.
func (m *membership) random(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(m.rand, b); err != nil {
		panic("member: randomness: " + err.Error())
	}
	return b
}

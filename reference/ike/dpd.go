package ike

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Dead peer detection (RFC 3706): whoever has heard nothing for a while asks, and whoever is asked answers with the same number.
//
//	--> HDR*, HASH(1), N R-U-THERE
//	<-- HDR*, HASH(1), N R-U-THERE-ACK
//
// Both say by a Vendor ID in messages 1 and 2 that they can.

var (
	dutyVendor = rule.Duty("ike.dpd.vendor", "RFC3706-5.1-01", rule.Both,
		"a Vendor ID in Phase 1 says that the node detects dead peers")
	dutyBoth = rule.Duty("ike.dpd.both", "RFC3706-5.1-02", rule.Both,
		"nobody is asked who has not said by the Vendor ID that it answers")
	dutyAnswer = rule.Duty("ike.dpd.answer", "RFC3706-5.2-01", rule.Both,
		"R-U-THERE is answered")
	dutyLivenessSPI = rule.Duty("ike.dpd.spi", "RFC3706-5.3-02", rule.Both,
		"R-U-THERE and its answer are of the DOI of IPsec and name the cookie pair")
	dutySameNumber = rule.Duty("ike.dpd.same", "RFC3706-6.1-01", rule.Both,
		"R-U-THERE-ACK has the number of the R-U-THERE")
	dutyFirstNumber = rule.Duty("ike.dpd.first", "RFC3706-6.2-01", rule.Both,
		"the first number is random, its highest bit zero")
	dutyNextNumber = rule.Duty("ike.dpd.next", "RFC3706-6.2-02", rule.Both,
		"each R-U-THERE counts one up")
	checkAckNumber = rule.Check("ike.dpd.number", "RFC3706-6.1-02", rule.Both,
		"an R-U-THERE-ACK with a number that was not asked is no sign of life")
	checkLivenessSPI = rule.Check("ike.dpd.cookies", "RFC3706-6.1-03", rule.Both,
		"the SPI of R-U-THERE and its answer is the cookie pair")
	checkOldNumber = rule.Check("ike.dpd.old", "RFC3706-6.2-03", rule.Both,
		"an R-U-THERE with a number that was there before is not answered")
	checkSilence = rule.Check("ike.dpd.silence", "RFC3706-5.4-01", rule.Both,
		"a peer that answers no R-U-THERE is given up")
)

// dpdVendorID says that its sender detects dead peers, in version 1.0 (RFC 3706 §5.1).
var dpdVendorID = isakmp.VID{Data: []byte{
	0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9, 0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57, 0x01, 0x00,
}}

// vendorIDs go into messages 1 and 2: into the latter also if only the initiator wants to detect a dead peer.
func (x *Exchange) vendorIDs() []isakmp.Payload {
	if (x.cfg.DPD > 0 || x.peerDPD) && dutyVendor.Kept(x.cfg.Rules) {
		return []isakmp.Payload{dpdVendorID}
	}
	return nil
}

// hasDPD reports whether a message of Phase 1 has the Vendor ID, minor versions aside.
func hasDPD(ps []isakmp.Decoded) bool {
	minor := len(dpdVendorID.Data) - 1
	return slices.ContainsFunc(ps, func(d isakmp.Decoded) bool {
		v, ok := d.Payload.(isakmp.VID)
		return ok && len(v.Data) > minor && bytes.Equal(v.Data[:minor], dpdVendorID.Data[:minor])
	})
}

// liveness is what an SA knows of its peer's life.
type liveness struct {
	due    time.Time // of the next question; zero: nobody asks
	asked  uint64    // how many questions have gone without an answer
	begun  bool
	number uint32 // of the last question
	theirs uint32 // number of the peer's last question
	heard  bool   // it has asked
}

// Heard notes a sign of life: a message that the peer has proven.
func (sa *SA) Heard(now time.Time) {
	if sa.cfg.DPD > 0 && (sa.peerDPD || !dutyBoth.Kept(sa.cfg.Rules)) {
		sa.liveness.asked, sa.liveness.due = 0, now.Add(sa.cfg.DPD)
	}
}

// ask sends R-U-THERE, or gives the peer up.
func (sa *SA) ask(now time.Time, rand io.Reader) ([]Datagram, Ending) {
	l := &sa.liveness
	if !checkSilence.Holds(sa.cfg.Rules, l.asked <= uint64(max(0, sa.cfg.Retries))) {
		return nil, Dead
	}
	sa.count(rand)
	l.due = now.Add(min(sa.cfg.Retransmit<<min(l.asked, 10), maxInterval))
	l.asked++
	return sa.tell(rand, isakmp.NotifyRUThere, l.number), Alive
}

// count makes the number of the next question (RFC 3706 §6.2).
func (sa *SA) count(rand io.Reader) {
	l := &sa.liveness
	switch {
	case l.begun && dutyNextNumber.Kept(sa.cfg.Rules):
		l.number++
	case !l.begun && dutyFirstNumber.Kept(sa.cfg.Rules):
		l.number = binary.BigEndian.Uint32(random(rand, 4)) &^ (1 << 31)
	}
	l.begun = true
}

// tell makes an R-U-THERE or its answer.
func (sa *SA) tell(rand io.Reader, t isakmp.NotifyType, number uint32) []Datagram {
	n := isakmp.Notify{
		DOI: isakmp.DOIIPsec, Protocol: isakmp.ProtoISAKMP, SPI: sa.spi(), NotifyType: t, Data: binary.BigEndian.AppendUint32(nil, number),
	}
	if !dutyLivenessSPI.Kept(sa.cfg.Rules) {
		n.DOI, n.SPI = sa.cfg.DOI, nil
	}
	d, err := sa.SealInformational(rand, n)
	if err != nil || d.Data == nil {
		return nil
	}
	return []Datagram{d}
}

// Liveness takes a proven Informational as a sign of life, answers an R-U-THERE, and keeps to a RESPONDER-LIFETIME. The error is
// a *rule.Violation.
func (sa *SA) Liveness(now time.Time, o *Opened, rand io.Reader) ([]Datagram, error) {
	n, _, ok := isakmp.Find[isakmp.Notify](o.Payloads)
	if !ok || n.NotifyType != isakmp.NotifyRUThere && n.NotifyType != isakmp.NotifyRUThereACK {
		sa.heed(o.Payloads)
		sa.Heard(now)
		return nil, nil
	}
	if !checkLivenessSPI.Holds(sa.cfg.Rules, bytes.Equal(n.SPI, sa.spi())) {
		return nil, checkLivenessSPI.Violated("%s about cookies %x", n.NotifyType, n.SPI)
	}
	var octets [4]byte
	copy(octets[:], n.Data)
	number := binary.BigEndian.Uint32(octets[:])
	if n.NotifyType == isakmp.NotifyRUThereACK {
		return nil, sa.answered(now, number)
	}
	return sa.answer(now, number, rand)
}

// answered takes an R-U-THERE-ACK. Each of the questions that are open may be meant.
func (sa *SA) answered(now time.Time, number uint32) error {
	l := &sa.liveness
	if back := l.number - number; !checkAckNumber.Holds(sa.cfg.Rules, uint64(back) < l.asked) {
		return checkAckNumber.Violated("R-U-THERE-ACK %d after R-U-THERE %d", number, l.number)
	}
	sa.Heard(now)
	return nil
}

// answer answers an R-U-THERE that is newer than those before. Some may have been lost.
func (sa *SA) answer(now time.Time, number uint32, rand io.Reader) ([]Datagram, error) {
	l := &sa.liveness
	if !checkOldNumber.Holds(sa.cfg.Rules, !l.heard || number > l.theirs) {
		return nil, checkOldNumber.Violated("R-U-THERE %d after %d", number, l.theirs)
	}
	l.theirs, l.heard = number, true
	sa.Heard(now)
	if !dutyAnswer.Kept(sa.cfg.Rules) {
		return nil, nil
	}
	if !dutySameNumber.Kept(sa.cfg.Rules) {
		number++
	}
	return sa.tell(rand, isakmp.NotifyRUThereACK, number), nil
}

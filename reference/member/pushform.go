package member

import (
	"sync"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/pseudotime"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var (
	guardPushForm = rule.Check("member.push.form", "RFC6407-4.4-01", rule.GM,
		"a PUSH is SEQ, any D, SA with KD or neither, and SIG, in this order")
	guardPushReserved = rule.Check("member.push.reserved", "RFC2408-5.3-01", rule.GM,
		"the reserved octets of the payloads of a PUSH are 0")
	guardPushPadding = rule.Check("member.push.padding", "RFC2409-B-05", rule.GM,
		"behind the last payload of a PUSH there is only padding to the block size")
	guardDeleteForm = rule.Check("member.push.delete", "RFC2408-3.15-01", rule.GM,
		"a Delete in a PUSH is of the GDOI DOI, and its SPIs have the size of its protocol")
	guardManagement = rule.Check("member.push.management", "RFC6407-5.3.2-01", rule.GM,
		"the management algorithm of a SAK in a PUSH is LKH, if it names one")
	guardPushSIDs = rule.Check("member.push.sids", "RFC6054-5-01", rule.GM,
		"a PUSH, which goes to all members, brings no Sender-IDs")
)

// The protocols of a Delete in a PUSH (RFC 6407 §5.9).
const (
	protocolKEK = 0
	protocolESP = 1
	protocolAH  = 2
	protocolIEC = 3
)

// push is a GROUPKEY-PUSH that was decrypted and has the right form.
type push struct {
	head             [isakmp.HeaderLen]byte
	signed           []byte // the payloads before SIG
	unpadded, padded int    // Length of the whole, as SIG may have covered it
	seq              uint32
	sig              []byte
	deletes          []isakmp.Delete
	sa               gdoi.SA
	kd               gdoi.KD
	hasSA, hasKD     bool

	policy *gdoimap.Policy       // of sa and kd; nil without
	time   *pseudotime.Judgement // of the pseudotime in it; nil without
	sids   *policy.SIDs          // must be nil

	answer core.Outgoing
}

// opening is what a PUSH is opened and read in. It serves the next one again, of whatever member: thousands that open theirs at once would
// otherwise drive each other out of the cache of the processor.
type opening struct {
	push
	plain    []byte
	payloads []isakmp.Decoded
}

var openings = sync.Pool{New: func() any { return new(opening) }}

// close gives the opening back. Nothing that was read in it may be used any more; keys and policy are copies.
func (o *opening) close() {
	clear(o.payloads)
	clear(o.plain) // the keys that came in it
	o.push, o.plain, o.payloads = push{}, o.plain[:0], o.payloads[:0]
	openings.Put(o)
}

// openPush decrypts a PUSH with the KEK and its IV, which is the same for every message (RFC 6407 §5.6.2.1), and checks
// its form. With an error it is nil if it has not been understood.
func (m *membership) openPush(o *opening, h isakmp.Header, data []byte) (p *push, err error) {
	if o.plain, err = m.rekey.kek.Append(o.plain, data[isakmp.HeaderLen:]); err != nil {
		return nil, guardPushForm.Violated("%v", err)
	}
	var padding []byte
	if o.payloads, padding, err = gdoi.Push.Append(o.payloads, h.NextPayload, o.plain, isakmp.HeaderLen); err != nil {
		return nil, guardPushForm.Violated("%v", err)
	}
	ps := o.payloads
	if !guardPushForm.Holds(m.rules, isPush(ps)) {
		return nil, guardPushForm.Violated("the payloads are %s", chainText(ps))
	}
	if !guardPushPadding.Holds(m.rules, len(padding) < m.rekey.cipher.BlockSize()) {
		return nil, guardPushPadding.Violated("%d octets of padding", len(padding))
	}
	p = &o.push
	p.collect(ps, o.plain)
	copy(p.head[:], data)
	p.padded = len(data)
	p.unpadded = len(data) - len(padding)
	return p, m.checkPayloads(p, ps)
}

// isPush reports whether the chain is SEQ, D*, [SA, KD], SIG.
func isPush(ps []isakmp.Decoded) bool {
	if len(ps) < 2 || ps[0].Payload.Type() != isakmp.PayloadSEQ {
		return false
	}
	rest := ps[1:]
	for len(rest) > 0 && rest[0].Payload.Type() == isakmp.PayloadD {
		rest = rest[1:]
	}
	return isChain(rest, isakmp.PayloadSIG) ||
		isChain(rest, isakmp.PayloadSA, isakmp.PayloadKD, isakmp.PayloadSIG)
}

// collect sorts the payloads. What is missing stays empty.
func (p *push) collect(ps []isakmp.Decoded, plain []byte) {
	p.signed = plain
	for i := range ps {
		switch b := ps[i].Payload.(type) {
		case gdoi.SEQ:
			p.seq = b.Number
		case isakmp.Delete:
			p.deletes = append(p.deletes, b)
		case gdoi.SA:
			p.sa, p.hasSA = b, true
		case gdoi.KD:
			p.kd, p.hasKD = b, true
		case isakmp.SIG:
			p.sig, p.signed = b.Data, plain[:ps[i].Offset-isakmp.HeaderLen]
		}
	}
}

// checkPayloads checks what the order of the payloads does not show.
func (m *membership) checkPayloads(p *push, ps []isakmp.Decoded) error {
	for i := range ps {
		if !guardPushReserved.Holds(m.rules, ps[i].Reserved == 0) {
			return guardPushReserved.Violated("reserved octet %#02x in %s", ps[i].Reserved, ps[i].Payload.Type())
		}
	}
	for _, d := range p.deletes {
		if !guardDeleteForm.Holds(m.rules, m.isDelete(d)) {
			return guardDeleteForm.Violated("Delete of DOI %d, protocol %d, SPI size %d", d.DOI, d.Protocol, d.SPISize)
		}
	}
	return nil
}

// isDelete reports whether a Delete can be one of a group. SPI 0 of the KEK may be 4 octets long, for its size is not told.
func (m *membership) isDelete(d isakmp.Delete) bool {
	if d.DOI != gdoi.DOI {
		return false
	}
	switch d.Protocol {
	case protocolKEK:
		return d.SPISize == 16 || d.SPISize == 4
	case protocolESP, protocolAH:
		return d.SPISize == 4
	case protocolIEC:
		return d.SPISize == 4 && m.cfg.IEC61850
	}
	return false
}

// readPush reads the new policy and its keys, so that carrying them out cannot fail half-way.
func (m *membership) readPush(p *push) error {
	if !p.hasSA || !p.hasKD {
		return nil
	}
	m.tellTEKProtocol(p.sa)
	pol, err := m.readSA(p.sa)
	if err != nil {
		return err
	}
	if by := gdoimap.ManagementOf(p.sa); !guardManagement.Holds(m.rules, by <= policy.ManagementLKH) {
		return guardManagement.Violated("KEK_MANAGEMENT_ALGORITHM %d", by)
	}
	err = m.fits(pol.SAs)
	if err == nil {
		err = m.windowed(pol.SAs)
	}
	if err == nil {
		err = m.serves(pol.SAs)
	}
	if err == nil {
		err = m.checkHash(pol.Rekey)
	}
	if err == nil {
		err = m.judgeTime(p, pol.SAs)
	}
	if err == nil {
		err = m.limited(pol.Rekey, pol.SAs)
	}
	if err != nil {
		return err
	}
	p.policy = &pol
	if p.sids, err = pol.AddKeys(p.kd, m.rules); err != nil {
		return err
	}
	if err = m.takeHierarchy(pol.Rekey); err != nil {
		return err
	}
	if !guardPushSIDs.Holds(m.rules, p.sids == nil) {
		return guardPushSIDs.Violated("%d Sender-IDs in a PUSH", len(p.sids.Values))
	}
	return nil
}

package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// stream is the exchange of that message under the SA, known or new.
func (p *phase1) stream(m *Message, h isakmp.Header) *stream {
	name := streamName{h.Exchange, h.MessageID}
	s := p.streams[name]
	if s == nil {
		s = &stream{initiator: m.From}
		p.streams[name] = s
	}
	return s
}

// ivs are the IVs that a message of the exchange may have: that of a first message after each Phase 1 message seen, then
// the ends of the exchange's own messages (RFC 2409 appendix B).
func (p *phase1) ivs(s *stream, h isakmp.Header) func(phase1Keys) [][]byte {
	return func(k phase1Keys) [][]byte {
		var ivs [][]byte
		for _, block := range k.ivs(p.ends) {
			ivs = append(ivs, keymat.PhaseTwoIV(k.hash, block, h.MessageID))
		}
		if len(p.ends) == 0 && k.firstIV != nil { // Aggressive Mode that ended in clear
			ivs = append(ivs, keymat.PhaseTwoIV(k.hash, k.firstIV, h.MessageID))
		}
		return append(ivs, k.ivs(s.ends)...)
	}
}

// pull decodes a message of GROUPKEY-PULL (RFC 6407 §3.2):
//
//	GM --> KS  1  HDR*, HASH(1), Ni, ID        KS --> GM  2  HDR*, HASH(2), Nr, SA
//	GM --> KS  3  HDR*, HASH(3) [, GAP]        KS --> GM  4  HDR*, HASH(4) [, SEQ], KD
func (d *decoder) pull(m *Message, h isakmp.Header, data []byte) {
	p := d.phase1SA(cookies{h.InitiatorCookie, h.ResponderCookie})
	s := p.stream(m, h)
	initiator := m.sentBy(s.initiator)
	if len(p.initiator) > 0 {
		initiator = slices.ContainsFunc(p.initiator, m.sentBy)
	}
	o, k := p.open(m, h, data, p.ivs(s, h), func(o *opened, k phase1Keys) bool {
		_, err := s.judge(o, k, h, initiator)
		return err == nil
	})
	n, err := s.turn(o, initiator), error(nil)
	if o != nil {
		n, err = s.judge(o, k, h, initiator)
	}
	s.came[n] = true
	name := fmt.Sprintf("HASH(%d)", n)
	m.Kind = (core.Pull1 + core.Kind(n-1)).String()
	names := label{isakmp.PayloadHASH: name, isakmp.PayloadNonce: "Nr"}
	if n == 1 {
		names[isakmp.PayloadNonce] = "Ni"
	}
	m.summarize(o, names)
	if o == nil {
		s.ends = remember(s.ends, data, false)
		m.unchecked(name, "not decrypted")
		return
	}
	m.show(o)
	m.hashChecked(name, k, err)
	d.learn(m, o)
	d.hierarchy(m, o)
	good := o.err == nil && (err == nil || errors.Is(err, errNonce))
	s.ends = remember(s.ends, data, good && m.Encrypted)
	s.keep(o, n, good)
}

// hashChecked notes the outcome of a HASH under SKEYID_a.
func (m *Message) hashChecked(name string, k phase1Keys, err error) {
	switch {
	case len(k.a) == 0:
		m.unchecked(name, "no key")
	case errors.Is(err, errNonce):
		m.unchecked(name, err.Error())
	case err != nil:
		m.check(name, false, err.Error())
	default:
		m.check(name, true, "")
	}
}

// compareHash compares the first payload, which has to be HASH, with the PRF of the parts.
func compareHash(o *opened, k phase1Keys, parts ...[]byte) error {
	hash, found := o.firstHash()
	switch {
	case !found:
		return errNoHash
	case !k.hash.Known():
		return errHash
	case !bytes.Equal(hash, k.hash.PRF(k.a, parts...)):
		return errHash
	}
	return nil
}

func messageID(h isakmp.Header) []byte { return binary.BigEndian.AppendUint32(nil, h.MessageID) }

// informational decodes an Informational exchange: HDR*, HASH(1), N or D under a Phase 1 SA (RFC 2409 §5.7), before it in
// clear.
func (d *decoder) informational(m *Message, h isakmp.Header, data []byte) {
	m.Kind = core.Informational.String()
	p := d.phase1SA(cookies{h.InitiatorCookie, h.ResponderCookie})
	s := p.stream(m, h)
	check := func(o *opened, k phase1Keys) error { return compareHash(o, k, messageID(h), o.after(1)) }
	o, k := p.open(m, h, data, p.ivs(s, h), func(o *opened, k phase1Keys) bool { return check(o, k) == nil })
	m.summarize(o, label{isakmp.PayloadHASH: "HASH(1)"})
	if o == nil {
		m.unchecked("HASH(1)", "not decrypted")
		return
	}
	m.show(o)
	if m.Encrypted {
		s.ends = remember(s.ends, data, o.err == nil && check(o, k) == nil)
		m.hashChecked("HASH(1)", k, check(o, k))
	}
}

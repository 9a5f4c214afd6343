package member

import (
	"bytes"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var (
	guardRetries = rule.Bound("member.pull.retries", "RFC2408-5.1-03", rule.GM,
		"a PULL message without an answer is repeated no more often than configured")
	guardBackOff = rule.Duty("member.pull.back_off", "RFC2408-5.1-04", rule.GM,
		"the interval doubles with each repetition of a PULL message")
)

// repetition is a request that is repeated, octet for octet, until it is answered (RFC 2408 §5.1).
type repetition struct {
	datagram ike.Datagram // as it was made, before any tap withheld or changed it
	at       time.Time    // of the next copy, or of giving up
	interval time.Duration
	copies   int // sent again so far
}

// request sends a message of the PULL and keeps it for repetition.
func (m *membership) request(now time.Time, d ike.Datagram) {
	m.send(d)
	interval := m.cfg.Phase1.Retransmit
	d.Data = m.sealed
	m.pull.repeat = repetition{datagram: d, interval: interval, at: now.Add(interval)}
}

// see keeps each message that ike makes, so that a message withheld by the tap can be repeated, and calls the tap.
func (m *membership) see(stage core.Stage, o *core.Outgoing) {
	if stage == core.Sealed {
		m.sealed = bytes.Clone(o.Bytes)
	}
	m.tap.See(stage, o)
}

// pullTimeout repeats the last message of the PULL, or gives up. Each copy passes the tap as it leaves.
func (m *membership) pullTimeout(now time.Time) {
	r := &m.pull.repeat
	if !guardRetries.AtMost(m.rules, uint64(r.copies)+1, uint64(m.cfg.Phase1.Retries)) {
		m.fail(now, "the key server does not answer the registration")
		return
	}
	r.copies++
	if guardBackOff.Kept(m.rules) {
		r.interval *= 2
	}
	r.at = now.Add(r.interval)
	o := core.Outgoing{Kind: r.datagram.Kind, Bytes: bytes.Clone(r.datagram.Data)}
	o.Header, _ = isakmp.ParseHeader(o.Bytes)
	m.tap.See(core.Sealed, &o)
	if !o.Withhold {
		m.send(ike.Datagram{Kind: o.Kind, From: r.datagram.From, To: r.datagram.To, Data: o.Bytes})
	}
}

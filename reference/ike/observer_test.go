package ike

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// observer looks at one side from outside, as a conformance suite would, and writes down what it sees. What it sees must
// not depend on random octets, so that two nodes that behave alike give the same notes.
type observer struct {
	tb    testing.TB
	role  rule.Role
	rules *rule.Switches
	notes []string
}

func (o *observer) note(format string, args ...any) {
	o.notes = append(o.notes, fmt.Sprintf(format, args...))
}

func (o *observer) pair(seed string) *pair {
	p := newPair(seed)
	if o.role == rule.KS {
		p.ks.Rules = o.rules
	} else {
		p.gm.Rules = o.rules
	}
	return p
}

// observe notes all that can be seen of a node with these rules in that role.
func observe(tb testing.TB, role rule.Role, rules *rule.Switches) []string {
	o := &observer{tb: tb, role: role, rules: rules}
	o.conversation()
	o.conversation(suite3, suiteAES)
	o.conversation(suite256)
	o.uniqueness()
	if role == rule.KS {
		o.offers()
	} else {
		o.replies()
		o.silence()
	}
	o.hostile()
	o.disturbed()
	o.streams()
	o.traversal()
	o.modes()
	return o.notes
}

// mine reports whether the n-th message is one that the observed side sends.
func (o *observer) mine(n int) bool { return (n%2 == 0) == (o.role == rule.GM) }

func (o *observer) conversation(suites ...Suite) {
	p := o.pair("mutant")
	p.gm.Suites, p.ks.Suites = suites, suites
	p.gm.Retries = 1
	p.run()
	o.note("established %v %v with %d messages", p.iSA != nil, p.rSA != nil, len(p.onWire))
	for n, d := range p.onWire {
		if o.mine(n) {
			o.note("%s", describe(o.tb, d))
		}
	}
}

// describe is what a message looks like without its random octets.
func describe(tb testing.TB, d Datagram) string {
	h := header(tb, d.Data)
	text := fmt.Sprintf("%s %s flags %#x version %#x mid %v length %d/%d cookies %v %v", d.Kind, h.Exchange, uint8(h.Flags),
		h.Version, h.MessageID != 0, h.Length, len(d.Data), h.InitiatorCookie.IsZero(), h.ResponderCookie.IsZero())
	if h.Flags&isakmp.FlagEncryption != 0 {
		return text
	}
	ps, _, err := isakmp.Phase1.Parse(h.NextPayload, d.Data[isakmp.HeaderLen:], isakmp.HeaderLen)
	for _, p := range ps {
		text += fmt.Sprintf(" | %s reserved %d", p.Payload.Type(), p.Reserved)
		switch v := p.Payload.(type) {
		case isakmp.SA, isakmp.Notify:
			text += fmt.Sprintf(" %+v", v)
		case isakmp.Nonce:
			text += fmt.Sprintf(" %d octets, zero %v", len(v.Data), bytes.Equal(v.Data, make([]byte, len(v.Data))))
		case isakmp.KE:
			text += fmt.Sprintf(" %d octets", len(v.Data))
		}
	}
	return fmt.Sprintf("%s %v", text, err)
}

func (o *observer) uniqueness() {
	a, b := o.pair("one"), o.pair("two")
	for _, p := range []*pair{a, b} {
		p.gm.Retries = 1
		p.run()
	}
	for n := range min(len(a.onWire), len(b.onWire), 4) {
		ha, hb := header(o.tb, a.octets(n)), header(o.tb, b.octets(n))
		o.note("cookies repeat %v %v", ha.InitiatorCookie == hb.InitiatorCookie, ha.ResponderCookie == hb.ResponderCookie)
	}
}

// answered says in a word what became of a message.
func answered(ds []Datagram, err error) string {
	if err != nil {
		return fmt.Sprintf("refused, %d answers", len(ds))
	}
	return fmt.Sprintf("taken, %d answers", len(ds))
}

func (o *observer) offers() {
	try := func(name string, data []byte, suites ...Suite) {
		_, ds, err := respond(data, o.rules, suites...)
		o.note("%s: %s", name, answered(ds, err))
		for _, d := range ds {
			o.note("%s", describe(o.tb, d))
		}
	}
	for _, tc := range offerCases {
		sa := goodSA()
		tc.alter(&sa)
		try("offer: "+tc.name, main1(o.tb, sa))
	}
	for _, tc := range severalOffers {
		sa := goodSA()
		tc.alter(&sa)
		try("several suites: "+tc.name, main1(o.tb, sa), suiteAES, suite3, suite256, suite192)
	}
	for _, tc := range append(headerCases(main1(o.tb, goodSA())), payloadCases(o.tb)...) {
		try("message 1: "+tc.name, tc.data)
	}
	p := o.pair("stranger")
	p.ks.PSK = nil
	_, ds, err := Respond(p.ks, start, gmAddr, main1(o.tb, goodSA()))
	o.note("stranger: %s", answered(ds, err))
}

func (o *observer) replies() {
	p := o.pair("replies")
	p.begin()
	try := func(name string, data []byte) {
		probe := *p.i
		ds, _, err := probe.Handle(start, ksAddr, data)
		o.note("%s: %s", name, answered(ds, err))
	}
	i, _ := p.i.Cookies()
	h := isakmp.Header{InitiatorCookie: i, ResponderCookie: isakmp.Cookie{9}, Version: isakmp.Version10, Exchange: isakmp.ExchangeMainMode}
	good := assemble(o.tb, h, sentSA(o.tb, p))
	for _, tc := range headerCases(good) {
		try("message 2: "+tc.name, tc.data)
	}
	for _, tc := range replyCases {
		sa := sentSA(o.tb, p)
		tc.alter(&sa)
		try("reply: "+tc.name, assemble(o.tb, h, sa))
	}
	vid := isakmp.VID{Data: []byte("vendor")}
	try("vendor ID first", assemble(o.tb, h, vid, sentSA(o.tb, p)))
	try("two SAs", assemble(o.tb, h, sentSA(o.tb, p), sentSA(o.tb, p)))
	try("long vendor ID", assemble(o.tb, h, sentSA(o.tb, p), isakmp.Framed{Payload: vid, LengthDelta: 1}))
	unknown := o.pair("unknown")
	unknown.gm.PSK = nil
	unknown.run()
	o.note("server without a key: %d messages", len(unknown.onWire))
}

// sentSA is the offer that is on the wire.
func sentSA(tb testing.TB, p *pair) isakmp.SA {
	h := header(tb, p.octets(0))
	ps, _, err := isakmp.Phase1.Parse(h.NextPayload&^2, p.octets(0)[isakmp.HeaderLen:], isakmp.HeaderLen)
	sa, _, ok := isakmp.Find[isakmp.SA](ps)
	if err != nil || !ok || len(sa.Proposals) == 0 || len(sa.Proposals[0].Transforms) == 0 {
		return goodSA()
	}
	return sa
}

// silence notes when a member repeats message 1.
func (o *observer) silence() {
	p := o.pair("silence")
	p.gm.Retries = 3
	x, ds := Initiate(p.gm, start, ksAddr)
	first := ds
	for range 10 {
		due, ok := x.Deadline()
		if !ok {
			break
		}
		ds, err := x.Timeout(due)
		same := len(ds) == 1 && len(first) == 1 && bytes.Equal(ds[0].Data, first[0].Data)
		o.note("after %s: %d copies, the same %v, %v", due.Sub(start), len(ds), same, err)
	}
}

// hostile notes what becomes of bad messages 3 to 6.
func (o *observer) hostile() {
	for n := 2; n <= 5; n++ {
		if o.mine(n) {
			continue
		}
		p, ok := o.reach(n)
		if o.note("reached %d %v", n+1, ok); !ok {
			return
		}
		cases := p.authAndIdentityCases(o.tb, n)
		if n < 4 {
			cases = p.keCases(o.tb)
		}
		for _, tc := range cases {
			o.note("message %d: %s: refused %v", n+1, tc.name, p.try(tc.data) != nil)
		}
		x, other := p.i, netip.MustParseAddrPort("192.0.2.99:848")
		if p.queue[0].toKS {
			x = p.r
		}
		probe := *x
		_, _, err := probe.Handle(p.now, other, p.queue[0].data)
		o.note("message %d from elsewhere: refused %v", n+1, err != nil)
	}
}

// authAndIdentityCases is authCases and identityCases; what they are made from has to be there.
func (p *pair) authAndIdentityCases(tb testing.TB, n int) []badCase {
	if n < 4 {
		return nil
	}
	return append(p.authCases(tb), p.identityCases(tb)...)
}

// reach is at for a side that may misbehave.
func (o *observer) reach(n int) (*pair, bool) {
	p := o.pair("hostile")
	p.begin()
	for range n {
		if len(p.queue) == 0 {
			return p, false
		}
		q := p.queue[0]
		p.queue = p.queue[1:]
		p.take(q)
	}
	if len(p.queue) != 1 || n >= 4 && header(o.tb, p.queue[0].data).Flags&isakmp.FlagEncryption == 0 {
		return p, false
	}
	return p, true
}

// disturbed notes whether Phase 1 completes although garbage comes before each message, and repeats after.
func (o *observer) disturbed() {
	p := o.pair("disturbed")
	p.gm.Retries = 1
	noise := func(_ int, d Datagram) [][]byte {
		garbage := bytes.Clone(d.Data)
		garbage[len(garbage)-20] ^= 0xff
		if d.Kind == core.MainMode5 || d.Kind == core.MainMode6 {
			return [][]byte{garbage, d.Data, d.Data}
		}
		return [][]byte{d.Data, d.Data}
	}
	if o.role == rule.KS {
		p.toKS = noise
	} else {
		p.toGM = noise
	}
	p.run()
	o.note("established in spite of noise %v %v", p.iSA != nil, p.rSA != nil)
}

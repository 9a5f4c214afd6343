package group

import (
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Ack is an acknowledgement as a carrier has read it.
type Ack struct {
	Under    policy.RekeySPI // of the PUSH
	Sequence uint32
	Member   netip.Addr     // the address from which it says it registered last
	From     netip.AddrPort // where it came from
}

// Missing is a member that was expected to acknowledge a PUSH and has not.
type Missing struct {
	Identity policy.Identity
	Address  netip.AddrPort
	Gone     bool // it is no longer counted among the members
}

// Ack takes an acknowledgement. Proven is called at most once, after all that can be checked without it, with the Rekey
// SA that protected the PUSH; it tells whether the acknowledgement was made with its cipher key or, with LKH, the member's first key (RFC 8263 §5).
// The error is a *rule.Violation.
func (g *Group) Ack(now time.Time, a Ack, proven func(under *policy.RekeySA) bool) error {
	rules := g.opts.Rules
	r := g.heardUnder(a.Under)
	if r == nil {
		return guardAckMember.Violated("acknowledgement under unknown Rekey SA %v", a.Under)
	}
	if !guardAckAsked.Holds(rules, r.Ack != policy.AckNone) {
		return guardAckAsked.Violated("acknowledgement that was not asked for")
	}
	m, window := g.acknowledger(r, a)
	if !guardAckMember.Holds(rules, window != nil && a.Sequence > window.after) {
		return guardAckMember.Violated("acknowledgement by %v of PUSH %d, which it was not sent", a.Member, a.Sequence)
	}
	if !guardAckSent.AtMost(rules, uint64(a.Sequence), uint64(r.sequence)) {
		return guardAckSent.Violated("acknowledgement of PUSH %d, the last was %d", a.Sequence, r.sequence)
	}
	if !guardAckDuplicate.Holds(rules, window == nil || !window.has(a.Sequence)) {
		return guardAckDuplicate.Violated("acknowledgement by %v of PUSH %d again", a.Member, a.Sequence)
	}
	if !guardAckProven.Holds(rules, proven(r.provenBy(m))) {
		return guardAckProven.Violated("acknowledgement by %v of PUSH %d with a wrong HASH", a.Member, a.Sequence)
	}
	if window != nil && guardAckRecorded.Kept(rules) {
		g.acknowledged(m, window, r, a.Sequence)
		g.countAck(now, m, a.Sequence)
	}
	return nil
}

// Unsolicited reports whether Ack has refused an acknowledgement because nobody waits for it.
func Unsolicited(v *rule.Violation) bool {
	return slices.Contains([]*rule.Guard{guardAckAsked, guardAckMember, guardAckSent, guardAckDuplicate}, v.Guard)
}

// acknowledger finds the member that an acknowledgement is of and what it has acknowledged under the Rekey SA so far.
func (g *Group) acknowledger(r *rekeySA, a Ack) (*member, *ackWindow) {
	m := g.byAddress[a.Member.Unmap()]
	if m == nil { // one behind a NAT knows its own address only, which may be the identity that it has proven
		m = g.byIdentity[policy.AddressIdentity(a.Member)]
	}
	if m == nil { // or else it has proven a name, and is known by where the NAT has it
		m = g.byPlace[netip.AddrPortFrom(a.From.Addr().Unmap(), a.From.Port())]
	}
	if m == nil {
		return nil, nil
	}
	return m, m.acks.under(r)
}

func (g *Group) acknowledged(m *member, window *ackWindow, r *rekeySA, sequence uint32) {
	window.mark(sequence)
	m.everAcked = true
	g.heard(m)
	switch {
	case m.ackedSA == r:
		m.acked = max(m.acked, sequence)
	case m.ackedSA == nil || m.ackedSA != g.epoch.rekey: // else this one is late
		m.ackedSA, m.acked = r, sequence
	}
	for _, o := range slices.Clone(g.outstanding) {
		if o.under == r && slices.Contains(o.numbers, sequence) || g.beyond(o, r) {
			o.release(m)
			if o.finished() {
				g.settle(o)
			}
		}
	}
}

// beyond reports whether who acknowledges under that Rekey SA needs no more copies of the rekey that brought it.
func (g *Group) beyond(o *outstanding, r *rekeySA) bool {
	return g.getvpn() && o.plan.Rekey.NewRekey != nil && o.plan.Rekey.NewRekey.SPI == r.SPI
}

// missing lists the members whose acknowledgement is overdue. One that has never acknowledged anything may be unable to,
// and is not missed (RFC 8263 §6) but with profile getvpn. After the last attempt it also counts against the member.
func (g *Group) missing(o *outstanding, last bool) []Missing {
	if o.under.Ack == policy.AckNone {
		return nil
	}
	var missing []Missing
	for _, m := range o.waiting() {
		if !g.expected(m) {
			continue
		}
		if last {
			m.missed++
			m.counts.missed++
		}
		gone := g.gone(m)
		if gone {
			g.drop(func(have *member) bool { return have == m })
		}
		if guardAckMissing.Kept(g.opts.Rules) {
			missing = append(missing, Missing{Identity: m.identity, Address: m.address, Gone: gone})
		}
	}
	return missing
}

// acks are what a member has acknowledged under each Rekey SA that it was given and that has not ended: one or two.
type acks []ackedUnder

type ackedUnder struct {
	sa *rekeySA
	ackWindow
}

// under returns what was acknowledged under a Rekey SA, nil if the member was not given it.
func (a acks) under(r *rekeySA) *ackWindow {
	for i := range a {
		if a[i].sa == r {
			return &a[i].ackWindow
		}
	}
	return nil
}

// begin notes that the member is given a Rekey SA now.
func (a *acks) begin(r *rekeySA) {
	a.end(r)
	*a = append(*a, ackedUnder{r, ackWindow{after: r.sequence}})
}

func (a *acks) end(r *rekeySA) {
	*a = slices.DeleteFunc(*a, func(have ackedUnder) bool { return have.sa == r })
}

// ackWindow remembers which of the last 64 numbers have been acknowledged. The zero window has seen none.
type ackWindow struct {
	after uint32 // the number given at registration; the member was sent those above it
	top   uint32 // highest acknowledged
	seen  uint64 // bit i: top-i has been acknowledged
}

// has reports whether a number has been acknowledged, or is too old to tell.
func (w *ackWindow) has(n uint32) bool {
	if n > w.top {
		return false
	}
	return w.top-n >= 64 || w.seen&(1<<(w.top-n)) != 0
}

func (w *ackWindow) mark(n uint32) {
	if n > w.top {
		w.seen <<= min(n-w.top, 64)
		w.top = n
	}
	if w.top-n < 64 {
		w.seen |= 1 << (w.top - n)
	}
}

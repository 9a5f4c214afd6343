package group

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// When a key server of profile getvpn gives a member up. By RFC 8263 §6 a member that never acknowledged anything may be unable to; here
// all of them can, and where rekeys go by multicast nobody does.
var (
	guardEject = rule.Bound("group.getvpn.eject", "GETVPN-EJECT-01", rule.KS,
		"a member that leaves three unicast rekeys in a row unacknowledged is a member no more")
	guardEjectSilent = rule.Duty("group.getvpn.eject-silent", "GETVPN-EJECT-01", rule.KS,
		"neither is one that has never acknowledged anything")
	guardEjectCount = rule.Duty("group.getvpn.eject-count", "GETVPN-EJECT-04", rule.KS,
		"an acknowledgement begins the count anew")
	guardEjectUnicast = rule.Duty("group.getvpn.eject-unicast", "GETVPN-EJECT-03", rule.KS,
		"a multicast rekey asks for no acknowledgement, so that nobody is given up for none")
)

// asks is the acknowledgement that a Rekey SA asks for.
func (g *Group) asks() policy.AckType {
	multicast := g.cfg.Rekey.Transport == policy.TransportMulticast
	if g.getvpn() && multicast && guardEjectUnicast.Kept(g.opts.Rules) {
		return policy.AckNone
	}
	return g.cfg.Rekey.Ack
}

// expected reports whether a member that has not acknowledged is to be missed.
func (g *Group) expected(m *member) bool {
	if g.getvpn() && guardEjectSilent.Kept(g.opts.Rules) {
		return true
	}
	return guardAckExpected.Holds(g.opts.Rules, m.everAcked)
}

// gone reports whether a member has left too many rekeys unacknowledged.
func (g *Group) gone(m *member) bool {
	if g.getvpn() {
		return !guardEject.AtMost(g.opts.Rules, uint64(m.missed), GoneAfter-1)
	}
	return m.missed >= GoneAfter
}

// heard begins the count of a member anew, which has acknowledged something.
func (g *Group) heard(m *member) {
	if !g.getvpn() || guardEjectCount.Kept(g.opts.Rules) {
		m.missed = 0
	}
}

// giveUp ends a PUSH that the next one overtakes: who has had time to acknowledge it, and has not, has missed it.
func (g *Group) giveUp(now time.Time, o *outstanding) []Plan {
	p := o.plan
	p.To = nil
	if now.Sub(o.made) >= g.wait() {
		p.Missing = g.missing(o, true)
	}
	g.settle(o)
	if len(p.Missing) == 0 {
		return nil
	}
	return []Plan{p}
}

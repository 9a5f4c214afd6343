package gateway

import (
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/sadb"
)

// The member's own policy stands before that of its groups (RFC 5374 §4.1.1).
var (
	guardOwnBypass = rule.Duty("gateway.own.bypass", "RFC4301-4.4.1-01", rule.GM,
		"what the member's own policy bypasses passes in clear, whatever its groups protect")
	guardOwnDiscard = rule.Duty("gateway.own.discard", "RFC4301-4.4.1-01", rule.GM,
		"what the member's own policy discards does not pass, whether a group protects it or not")
	guardOwnSender = rule.Check("gateway.own.sender", "RFC5374-4.1.1-03", rule.GM,
		"a sender-only entry of the member's own policy is of no concern to packets that come in")
	guardOwnReceiver = rule.Check("gateway.own.receiver", "RFC5374-4.1.1-04", rule.GM,
		"a receiver-only entry of the member's own policy is of no concern to packets that leave")
)

// ownPolicy carries out what the member's own policy says of a packet that came from a side, and reports whether that says anything.
// From outside it is asked about packets that are not protected, and about those that no SA opens, which a gateway further inside
// may (RFC 5374 §5.2).
func (g *Gateway) ownPolicy(from core.Side, p *packet, emit Emit) (done bool, err error) {
	for _, e := range g.cfg.Own {
		if !g.concerns(e, from, p.flow) {
			continue
		}
		if e.Action == policy.OwnDiscard && guardOwnDiscard.Kept(g.rules) {
			g.counts.dropped++
			return true, nil
		}
		if e.Action == policy.OwnBypass && guardOwnBypass.Kept(g.rules) {
			return true, g.bypass(p, opposite(from), emit)
		}
	}
	return false, nil
}

// concerns reports whether an entry takes a flow of that direction. In doubt, about what a fragment hides, it takes one that it
// discards and none that it lets pass.
func (g *Gateway) concerns(e policy.OwnEntry, from core.Side, f sadb.Flow) bool {
	switch e.Direction {
	case policy.DirectionSenderOnly:
		if !guardOwnSender.Holds(g.rules, from == core.Inside) {
			return false
		}
	case policy.DirectionReceiverOnly:
		if !guardOwnReceiver.Holds(g.rules, from == core.Outside) {
			return false
		}
	}
	if e.Action == policy.OwnDiscard {
		return sadb.MayMatch(e.Selector, f, g.rules)
	}
	return sadb.Match(e.Selector, f, g.rules)
}

func opposite(s core.Side) core.Side {
	if s == core.Inside {
		return core.Outside
	}
	return core.Inside
}

package gateway

import (
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/sadb"
)

// A group of GET VPN that is being rolled out.
var (
	guardIngress = rule.Check("gateway.receiveonly.sa", "GETVPN-RECVONLY-04", rule.GM,
		"an SA that is marked receive-only does not send")
	guardIngressClear = rule.Duty("gateway.receiveonly.outbound", "GETVPN-RECVONLY-01", rule.GM,
		"as long as the group is receive-only its traffic leaves in clear")
	guardIngressBoth = rule.Duty("gateway.receiveonly.inbound", "GETVPN-RECVONLY-01", rule.GM,
		"as long as the group is receive-only its traffic is taken in clear as well")
	guardPassiveSends = rule.Duty("gateway.passive.outbound", "GETVPN-PASSIVE-05", rule.GM,
		"what a passive member sends leaves in ESP")
	guardPassiveTakes = rule.Duty("gateway.passive.inbound", "GETVPN-PASSIVE-05", rule.GM,
		"a passive member takes the group's traffic in clear as well")
)

// A member of GET VPN before it has the policy of its group.
var (
	guardOpen = rule.Duty("gateway.failopen", "GETVPN-FAILCLOSE-01", rule.GM,
		"before it has registered, traffic passes in clear unless the member fails close")
	guardActivate = rule.Check("gateway.failclose.activate", "GETVPN-FAILCLOSE-06", rule.GM,
		"a member fails close only once that is activated")
	guardCloseOut = rule.Check("gateway.failclose.outbound", "GETVPN-FAILCLOSE-02", rule.GM,
		"nothing leaves in clear of a member that fails close before it has registered")
	guardCloseIn = rule.Check("gateway.failclose.inbound", "GETVPN-FAILCLOSE-02", rule.GM,
		"nothing is taken in clear by a member that fails close before it has registered")
	guardCloseDeny = rule.Duty("gateway.failclose.deny", "GETVPN-FAILCLOSE-03", rule.GM,
		"what the list of a member that fails close denies passes in clear")
	guardClosePermit = rule.Check("gateway.failclose.permit", "GETVPN-FAILCLOSE-10", rule.GM,
		"an entry that permits comes before those behind it that deny")
	guardCloseMirror = rule.Duty("gateway.failclose.mirror", "GETVPN-FAILCLOSE-09", rule.GM,
		"packets that come in are compared with the list the other way round")
	guardCloseEnds = rule.Duty("gateway.failclose.ends", "GETVPN-FAILCLOSE-04", rule.GM,
		"with the policy of its group a member no longer fails close")
)

// Use says in which directions the SAs of the group are used from now on.
func (m *Group) Use(u policy.Usage) { m.usage = u }

// Convert has the SAs of the next Install send at once: those before them were for receiving only.
func (m *Group) Convert() { m.converts = true }

// withholds reports whether nothing is to be sent under an SA of the group, though one could.
func (m *Group) withholds() bool {
	switch m.usage {
	case policy.UsageReceiveOnly:
		return !guardIngress.Holds(m.gateway.rules, false)
	case policy.UsageInboundOptional:
		return !guardPassiveSends.Kept(m.gateway.rules)
	}
	return false
}

// passes reports whether packets that the group protects may pass in clear if they come from that side.
func (m *Group) passes(from core.Side) bool {
	rules := m.gateway.rules
	switch {
	case m.usage == policy.UsageReceiveOnly && from == core.Inside:
		return guardIngressClear.Kept(rules)
	case m.usage == policy.UsageReceiveOnly:
		return guardIngressBoth.Kept(rules)
	case m.usage == policy.UsageInboundOptional && from == core.Outside:
		return guardPassiveTakes.Kept(rules)
	case m.usage == policy.UsageInboundOptional:
		return !guardPassiveSends.Kept(rules)
	}
	return false
}

// closed reports whether a flow may not pass in clear from that side: of the groups that protect it the first decides.
func (g *Gateway) closed(f sadb.Flow, from core.Side) bool {
	for _, m := range g.groups {
		if from == core.Outside && m.expects(f) || from == core.Inside && m.protects(f) {
			return !m.passes(from)
		}
	}
	return false
}

// getvpn reports whether the gateway is one of GET VPN.
func (g *Gateway) getvpn() bool { return g.cfg.Profile == policy.ProfileGETVPN }

// opens reports whether the gateway knows nothing to protect before it has a policy.
func (g *Gateway) opens() bool {
	return g.cfg.FailOpen || g.getvpn() && guardOpen.Kept(g.rules)
}

// failsClose reports whether the list for the time without a policy counts: it does until every group has one.
func (g *Gateway) failsClose() bool {
	return g.getvpn() && guardActivate.Holds(g.rules, g.cfg.FailClose.Activate) &&
		slices.ContainsFunc(g.groups, func(m *Group) bool { return !m.informed || !guardCloseEnds.Kept(g.rules) })
}

// failClose does with a clear packet what the list for the time without a policy says.
func (g *Gateway) failClose(from core.Side, p *packet, emit Emit) error {
	guard, f := guardCloseOut, p.flow
	if from == core.Outside {
		guard = guardCloseIn
		if guardCloseMirror.Kept(g.rules) {
			f = mirrored(f)
		}
	}
	if g.denies(f) || guard.Holds(g.rules, false) {
		return g.bypass(p, opposite(from), emit)
	}
	for _, m := range g.groups {
		m.wanted = m.wanted || !m.informed && from == core.Inside
	}
	return guard.Violated("%v without a policy of the group", p.flow)
}

// denies reports whether the list has the flow travel in clear. In doubt, about what a fragment hides, it does not.
func (g *Gateway) denies(f sadb.Flow) bool {
	for _, e := range g.cfg.FailClose.AccessList {
		switch {
		case e.Action == policy.ACLPermit && sadb.MayMatch(e.Selector, f, g.rules):
			if !guardClosePermit.Holds(g.rules, false) {
				return false
			}
		case e.Action == policy.ACLDeny && sadb.Match(e.Selector, f, g.rules):
			return guardCloseDeny.Kept(g.rules)
		}
	}
	return false
}

// Admits reports whether a conversation of the gateway's own passes, of which the flow is how the gateway sends: the list for the time without
// a policy counts for it as for what the gateway forwards.
func (g *Gateway) Admits(f sadb.Flow) bool { return !g.failsClose() || g.denies(f) }

// mirrored is the flow as the other way of the conversation has it.
func mirrored(f sadb.Flow) sadb.Flow {
	f.Source, f.Destination = f.Destination, f.Source
	f.SourcePort, f.DestinationPort = f.DestinationPort, f.SourcePort
	return f
}

// Leave forgets the policy of the group and its SAs, as if it had never been registered with.
func (m *Group) Leave() {
	m.gateway.db.RemoveAll(m.place, policy.ProtocolESP)
	m.gateway.db.RemoveAll(m.place, policy.ProtocolAH)
	m.informed, m.protected, m.unusable, m.usage = false, nil, nil, policy.UsageBoth
	m.ordered, m.access = false, nil
}

// Informed reports whether the group's policy is known.
func (m *Group) Informed() bool { return m.informed }

// Ends is when the last SA of the group comes to its end, and false if it has none.
func (m *Group) Ends(now time.Time) (last time.Time, ok bool) {
	for _, e := range m.gateway.db.Entries() {
		if e.Group == m.place && now.Before(e.Expiry) && (!ok || e.Expiry.After(last)) {
			last, ok = e.Expiry, true
		}
	}
	return last, ok
}

package gateway

import (
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/sadb"
)

// Group is the part of a gateway that one of its groups rules: the flows that the group protects, its SAs and its Sender-IDs.
// What is done to one group leaves the others as they are.
type Group struct {
	gateway   *Gateway
	place     int          // among the gateway's groups
	informed  bool         // protected is the group's policy, no longer what was expected
	named     bool         // what was expected was named: it belongs to the group already before its policy is known
	ordered   bool         // it has an access list, which decides instead of protected
	converts  bool         // the next SAs send at once
	given     *policy.SIDs // of which the first is that of every SA
	sid       uint32
	sidBits   int
	hasSID    bool
	protected []policy.Selector // what the group protects, with or without an SA
	unusable  []policy.Selector // those of the last Install whose SAs cannot be used
	access    []policy.ACE
	decided   bool            // of the packet at hand: an entry permits it
	decision  policy.Selector // that of the entry
	usage     policy.Usage
	spent     bool // a sender had no IV left since Spent was asked last
	wanted    bool // a packet had no SA since Wanted was asked last
	replay    replay
}

// Join adds a group, whose policy comes behind that of the groups which the gateway has.
//
// Expected is what the group may turn out to protect: until its policy is known these flows count as protected, so that nothing
// leaves in clear before the first registration. Empty: all flows. It is of no concern if the gateway fails open, as that of GET VPN does.
func (g *Gateway) Join(expected []policy.Selector) *Group {
	m := &Group{gateway: g, place: len(g.groups), named: len(expected) > 0}
	switch {
	case g.opens():
	case m.named:
		m.protected = slices.Clone(expected)
	default:
		m.protected = []policy.Selector{{}}
	}
	g.groups = append(g.groups, m)
	return m
}

// protects reports whether the group's policy wants the flow protected, with or without an SA for it. A later fragment counts as
// any of the flows that it may belong to.
func (m *Group) protects(f sadb.Flow) bool {
	if m.ordered {
		return m.keeps(f)
	}
	for _, sel := range m.protected {
		if sadb.MayMatch(sel, f, m.gateway.rules) {
			return true
		}
	}
	return false
}

// Protects reports whether the policy of any group wants the flow protected, with or without an SA for it.
func (g *Gateway) Protects(f sadb.Flow) bool {
	for _, m := range g.groups {
		if m.protects(f) {
			return true
		}
	}
	return false
}

// before reports whether the flow belongs to a group that stands before that of an SA. The first policy that takes a packet decides
// (RFC 4301 §4.4.1): what one group protects does not leave under the keys of another, not even while the first has none. A group
// that was refused, or has not registered yet, keeps to itself only what it was named.
func (g *Gateway) before(e *sadb.Entry, f sadb.Flow) bool {
	for _, m := range g.groups[:e.Group] {
		if (m.informed || m.named) && m.protects(f) && guardFirst.Kept(g.rules) {
			return true
		}
	}
	return false
}

// Spent reports whether a sender of the group has run out of IVs since it was asked last.
func (m *Group) Spent() bool {
	was := m.spent
	m.spent = false
	return was
}

// Wanted reports whether a packet that the group protects has been dropped for want of an SA since it was asked last.
func (m *Group) Wanted() bool {
	was := m.wanted
	m.wanted = false
	return was
}

// Accepts is Gateway.Accepts.
func (m *Group) Accepts(t policy.TrafficSA) error { return m.gateway.Accepts(t) }

// Keyed reports whether the group has an SA.
func (m *Group) Keyed(now time.Time) bool {
	for _, e := range m.gateway.db.Entries() {
		if e.Group == m.place && now.Before(e.Expiry) {
			return true
		}
	}
	return false
}

// SAs describes the installed SAs of the group, newest first.
func (m *Group) SAs(now time.Time) []control.SA {
	list := []control.SA{}
	for _, e := range m.gateway.db.Entries() {
		if e.Group != m.place || !now.Before(e.Expiry) {
			continue
		}
		list = append(list, control.SA{
			SPI:      policy.FormatSPI(e.Policy.SPI),
			Selector: e.Policy.Selector.String(),
			Cipher:   e.Policy.Transform.String(),
			Expiry:   e.Expiry,
			Sending:  m.gateway.db.Sending(now, e) && m.usage != policy.UsageReceiveOnly,
			Replay:   replayStatus(e),
			Detail:   control.DetailOf(*e.Policy),
		})
	}
	return list
}

package group

import (
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var guardEntries = rule.Bound("group.access.entries", "GETVPN-ACL-10", rule.KS,
	"no more than the first 100 entries of an access list are honoured")

// honoured are the entries of an access list that count.
func (g *Group) honoured(list []policy.ACE) []policy.ACE {
	n := 0
	for n < len(list) && guardEntries.AtMost(g.opts.Rules, uint64(n+1), policy.MostEntries) {
		n++
	}
	return list[:n]
}

// flowsAt are the selectors that an SA of the policy protects.
func (g *Group) flowsAt(place int) []policy.Selector {
	sa := g.cfg.SAs[place]
	if len(sa.AccessList) > 0 {
		sa.AccessList = g.honoured(sa.AccessList)
	}
	return sa.Flows()
}

// access is the ordered policy as members are told it: the lists of all SAs one after the other. There is none unless an SA has one.
func (g *Group) access() policy.AccessList {
	var list policy.AccessList
	for _, sa := range g.cfg.SAs {
		if len(sa.AccessList) > 0 {
			list.Protocol = policy.DenyNumber(g.cfg.DenyProtocol)
		}
	}
	if list.Protocol == 0 {
		return list
	}
	for place := range g.cfg.SAs {
		list.Entries = append(list.Entries, g.honoured(entries(g.cfg.SAs[place]))...)
	}
	return list
}

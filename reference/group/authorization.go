package group

import (
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var (
	guardByAddress = rule.Check("group.authorization.address", "GETVPN-AUTHZ-08", rule.KS,
		"a candidate that is an address is on the list of addresses")
	guardByIdentity = rule.Check("group.authorization.identity", "GETVPN-AUTHZ-10", rule.KS,
		"a candidate that has a name is on the list of identities")
	guardOwnList = rule.Duty("group.authorization.kind", "GETVPN-AUTHZ-07", rule.KS,
		"a candidate that is an address is not looked for among the identities, nor one that has a name among the addresses")
)

// authorized reports whether GET VPN's lists of those who may register have the candidate: the list of its kind, if there is one.
func (g *Group) authorized(a policy.Authorization, id netip.Addr, proven policy.Peer) bool {
	byAddress, byIdentity := authorizedAddress(a, id), authorizedIdentity(a, proven)
	switch {
	case !guardOwnList.Kept(g.opts.Rules):
		return byAddress && byIdentity
	case id.IsValid():
		return guardByAddress.Holds(g.opts.Rules, byAddress)
	}
	return guardByIdentity.Holds(g.opts.Rules, byIdentity)
}

func authorizedAddress(a policy.Authorization, id netip.Addr) bool {
	return a.Addresses == nil || slices.ContainsFunc(*a.Addresses, func(p netip.Prefix) bool { return p.Contains(id) })
}

func authorizedIdentity(a policy.Authorization, proven policy.Peer) bool {
	return a.Identities == nil || slices.ContainsFunc(*a.Identities, func(known policy.Identity) bool { return known.Admits(proven) })
}

// AdmitsNobody reports whether there is a list of identities with none on it.
func (g *Group) AdmitsNobody() bool {
	a := g.cfg.Authorization
	return a != nil && a.Identities != nil && len(*a.Identities) == 0
}

// listing is the guard of the list that decides about a candidate.
func (g *Group) listing(id netip.Addr) *rule.Guard {
	switch {
	case g.cfg.Authorization == nil:
		return guardAuthorised
	case id.IsValid():
		return guardByAddress
	}
	return guardByIdentity
}

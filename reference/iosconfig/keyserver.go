package iosconfig

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// keyServer follows the references of a key server's configuration.
func (r *reader) keyServer() policy.KeyServer {
	k := policy.KeyServer{Name: r.name(), Profile: policy.ProfileGETVPN, Phase1: r.phase1(), Console: r.console(), Log: r.doc.log}
	var signed string
	for _, g := range r.doc.groups {
		if g.local == nil {
			continue
		}
		if !g.local.address.IsValid() {
			g.local.address, g.local.addressAt = r.rekeySource(g.local), g.local.rekeyACLAt
		}
		if g.local.address.IsValid() {
			if k.Address.IsValid() && k.Address != at(g.local.address) {
				r.problem(g.local.addressAt, "the key server has one address, which is %s", k.Address.Addr())
			}
			k.Address = at(g.local.address)
		}
		if g.local.signed != "" && signed != "" && signed != g.local.signed {
			r.problem(g.local.signedAt, "the key server signs with one key, which is %s", signed)
		} else if g.local.signed != "" && signed == "" {
			signed = g.local.signed
			k.SigningKey = r.signingKey(g.local.signedAt, signed)
		}
		k.Groups = append(k.Groups, r.group(g))
	}
	if len(k.Groups) == 0 {
		r.problem(top, "no group has \"server local\"; a member's configuration is none of a key server")
	} else if !k.Address.IsValid() {
		r.problem(r.doc.groups[0].at, "%s has no \"address ipv4\"", label(r.doc.groups[0]))
	}
	return k
}

// rekeySource is where rekeys by multicast come from if no address is said: the host that the list of their addresses has as source.
func (r *reader) rekeySource(s *localServer) (a netip.Addr) {
	list := r.doc.acls[s.rekeyACL]
	if s.unicast || list == nil {
		return a
	}
	for _, e := range list.entries {
		if from := e.Selector.Source; !e.Deny && from.IsSingleIP() {
			return from.Addr()
		}
	}
	return a
}

func (r *reader) signingKey(l line, name string) []byte {
	data, err := r.opts.Open(name + ".pem")
	if err != nil {
		r.problem(l, "the key %s cannot be read; it has to be in %s.pem beside the configuration", name, name)
		return nil
	}
	der, err := policy.DecodeShortKey(data)
	if err != nil {
		r.problem(l, "%q %v", name+".pem", err)
	}
	return der
}

// group is the policy of one group.
func (r *reader) group(g *gdoiGroup) policy.Group {
	s := g.local
	if !g.identity {
		r.problem(g.at, "%s has no identity", label(g))
	}
	out := policy.Group{Name: g.name, ID: g.number, ReceiveOnly: s.receiveOnly, SIDRange: s.sids, Rekey: r.rekey(s), Authorization: r.authorization(s)}
	slices.SortStableFunc(s.sas, func(a, b *saIPsec) int { return cmp.Compare(a.seq, b.seq) })
	for _, sa := range s.sas {
		if one, ok := r.sa(sa); ok {
			out.SAs = append(out.SAs, one)
		}
	}
	if out.Rekey.Transport == policy.TransportMulticast && out.Rekey.Ack != policy.AckNone {
		out.Rekey.Ack = policy.AckNone // nobody acknowledges what goes to all at once
	}
	return out
}

// rekey is how keys are replaced: without a key to sign with not at all, and by multicast unless it is said otherwise.
func (r *reader) rekey(s *localServer) policy.RekeyPolicy {
	out := s.rekey
	switch {
	case s.signed == "":
		return policy.RekeyPolicy{Transport: policy.TransportNone}
	case s.unicast:
		out.Transport = policy.TransportUnicast
		return out
	}
	out.Transport = policy.TransportMulticast
	if s.rekeyACL == "" {
		r.problem(s.at, "rekeys go by multicast, and no \"rekey address ipv4\" says where to")
		return out
	}
	for _, e := range r.entries(s.rekeyACLAt, s.rekeyACL) {
		if to := e.Selector.Destination; to.IsValid() && to.Addr().IsMulticast() {
			out.Address = netip.AddrPortFrom(to.Addr(), cmp.Or(e.Selector.DestinationPort, port))
			return out
		}
	}
	r.problem(s.rekeyACLAt, "no entry of the access list %s names a multicast group", s.rekeyACL)
	return out
}

// authorization says who may register. Without any list everybody may.
func (r *reader) authorization(s *localServer) *policy.Authorization {
	a := &policy.Authorization{}
	if s.authAddress != "" {
		prefixes := []netip.Prefix{}
		for _, e := range r.entries(s.authAt, s.authAddress) {
			if e.Deny {
				r.lacking(s.authAt, "the policy has no field for a deny entry in a list of those who may register")
				continue
			}
			prefixes = append(prefixes, e.Selector.Source)
		}
		a.Addresses = &prefixes
	}
	if s.authIdentity != "" {
		ids := []policy.Identity{}
		identity := r.doc.identities[s.authIdentity]
		if identity == nil {
			r.problem(s.authAt, "there is no \"crypto identity %s\"", s.authIdentity)
			return a
		}
		for _, text := range identity.names {
			id, err := policy.ParseIdentity(text)
			if err != nil {
				r.problem(identity.at, "%v", err)
				continue
			}
			ids = append(ids, id)
		}
		a.Identities = &ids
	}
	return a
}

// sa is one SA of a group. One whose profile or list is missing is incomplete: routers take it, and do not offer it to members.
func (r *reader) sa(s *saIPsec) (policy.SAPolicy, bool) {
	out := policy.SAPolicy{IPsecProfile: s.profile, AntiReplay: s.replay, Tag: s.tag}
	profile := r.doc.profiles[s.profile]
	switch {
	case s.profile == "" || s.acl == "":
		r.lacking(s.at, "the SA %d is incomplete: it needs a profile and \"match address ipv4\"", s.seq)
		return out, false
	case profile == nil:
		r.lacking(s.at, "the SA %d is incomplete: there is no \"crypto ipsec profile %s\"", s.seq, s.profile)
		return out, false
	case r.doc.acls[s.acl] == nil:
		r.lacking(s.at, "the SA %d is incomplete: there is no access list %s", s.seq, s.acl)
		return out, false
	}
	set := r.doc.transforms[profile.set]
	if set == nil {
		where := profile.setAt
		if profile.set == "" {
			where = profile.at
		}
		r.lacking(where, "the profile %s is incomplete: there is no \"crypto ipsec transform-set %s\"", s.profile, profile.set)
		return out, false
	}
	out.Transform, out.Lifetime = set.transform, orElse(profile.lifetime, r.doc.lifetime)
	out.AccessList = r.entries(s.at, s.acl)
	return out, len(out.AccessList) > 0
}

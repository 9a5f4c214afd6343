package iosconfig

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// spaces is where the machine has its named network namespaces, of which one is a VRF.
const spaces = "/run/netns/"

// member follows the references of a member's configuration. In each VRF that has an interface with a crypto map there is one.
func (r *reader) member() policy.Member {
	slices.SortStableFunc(r.doc.maps, func(a, b *cryptoMap) int { return cmp.Compare(a.seq, b.seq) })
	tables := r.tables()
	m := r.memberIn(tables[0])
	m.Console, m.Log = r.console(), r.doc.log
	for _, t := range tables[1:] {
		one := r.memberIn(t)
		for _, in := range one.Memberships() {
			if in.Track != nil {
				r.problem(top, "an object cannot follow the group of the VRF %s, beside those of another", t.vrf)
			}
		}
		m.VRFs = append(m.VRFs, one)
	}
	return m
}

// table is what there is of one routing table.
type table struct {
	vrf        string
	interfaces []*netInterface
	maps       []*cryptoMap
}

// tables are the routing tables that have an interface with a crypto map, in their order; without any, there is one with everything.
func (r *reader) tables() (all []table) {
	for _, i := range r.doc.interfaces {
		known := slices.ContainsFunc(all, func(t table) bool { return t.vrf == i.vrf })
		if len(i.maps) > 0 && !known {
			all = append(all, r.table(i.vrf))
		}
	}
	switch len(all) {
	case 0:
		return []table{{"", r.doc.interfaces, r.doc.maps}}
	case 1:
		all[0].maps = r.doc.maps // those that no interface has are told of
	}
	return all
}

func (r *reader) table(vrf string) table {
	t := table{vrf: vrf}
	for _, i := range r.doc.interfaces {
		if i.vrf == vrf {
			t.interfaces = append(t.interfaces, i)
		}
	}
	for _, c := range r.doc.maps {
		if slices.ContainsFunc(t.interfaces, func(i *netInterface) bool { return slices.Contains(i.maps, c.name) }) {
			t.maps = append(t.maps, c)
		}
	}
	return t
}

// memberIn is the member in a routing table. Its address is that of the interface with its crypto map, and the networks of the other
// interfaces are behind it.
func (r *reader) memberIn(t table) policy.Member {
	m := policy.Member{Name: r.name(), Profile: policy.ProfileGETVPN, Phase1: r.phase1(), VRF: t.vrf}
	if t.vrf != "" {
		m.Namespace = spaces + t.vrf
	}
	var groups []*gdoiGroup
	for _, c := range t.maps {
		if g := r.grouped(c); g != nil {
			groups = append(groups, g)
			m.AccessList = append(m.AccessList, r.own(c)...)
		}
	}
	if len(groups) == 0 {
		r.problem(top, "no \"crypto map\" has a group with \"set group\"")
		return m
	}
	r.place(&m, t, groups[0])
	m.Client = r.client(groups)
	m.FailClose = r.failClosing(t.maps[0].name, groups)
	if one := groups[0]; len(groups) == 1 {
		m.Group, m.GroupName, m.KeyServers, m.Passive, m.Track = one.number, one.name, r.servers(one), one.passive, r.doc.tracks[one.track]
		return m
	}
	for _, g := range groups {
		m.Groups = append(m.Groups, policy.Membership{Group: g.number, GroupName: g.name, KeyServers: r.servers(g), Passive: g.passive, Track: r.doc.tracks[g.track]})
	}
	return m
}

// grouped is the group of a crypto map, with what a member needs of it. One without key servers is told of by the member (GETVPN-REG-27).
func (r *reader) grouped(c *cryptoMap) *gdoiGroup {
	for _, g := range r.doc.groups {
		switch {
		case g.name != c.group:
		case !g.identity:
			r.problem(g.at, "%s has no identity", label(g))
			return nil
		default:
			return g
		}
	}
	r.problem(c.at, "the crypto map %s %d has no group that is there", c.name, c.seq)
	return nil
}

// client is what the member takes of what is offered, in all of its groups.
func (r *reader) client(groups []*gdoiGroup) (c policy.Client) {
	for _, g := range groups {
		c.Ciphers = append(c.Ciphers, g.client.Ciphers...)
		c.Hashes = append(c.Hashes, g.client.Hashes...)
		for _, name := range g.sets {
			set := r.doc.transforms[name]
			if set == nil {
				r.problem(g.setsAt, "there is no \"crypto ipsec transform-set %s\"", name)
				continue
			}
			t := set.transform
			c.Transforms = append(c.Transforms, policy.Transform{Protocol: t.Protocol, Cipher: t.Cipher, KeyBits: t.KeyBits, Integrity: t.Integrity})
		}
	}
	return c
}

// servers are the key servers of a group. One that has a name is found in the table of hosts, or by whom the options name.
func (r *reader) servers(g *gdoiGroup) (all []netip.AddrPort) {
	for i, s := range g.servers {
		if i == mostServers {
			r.problem(s.at, "a member has at most %d key servers", mostServers)
			break
		}
		if a, ok := r.resolve(s); ok {
			all = append(all, at(a))
		}
	}
	return all
}

func (r *reader) resolve(s server) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s.name)
	if err == nil {
		return a, true
	}
	if a, ok := r.doc.hosts[strings.ToLower(s.name)]; ok {
		return a, true
	}
	if r.opts.Resolve == nil {
		r.problem(s.at, "%q is no address, and no \"ip host\" has it", s.name)
		return a, false
	}
	if a, err = r.opts.Resolve(s.name); err != nil {
		r.problem(s.at, "the key server %s has no address: %v", s.name, err)
	}
	return a, err == nil
}

// own is the member's own access list. It is meant to deny only; a permit entry is taken, as routers do, and its packets are dropped.
func (r *reader) own(c *cryptoMap) (all []policy.ACE) {
	if c.acl == "" {
		return nil
	}
	all = r.entries(c.aclAt, c.acl)
	if slices.ContainsFunc(all, func(e policy.ACE) bool { return !e.Deny }) {
		r.warn(c.aclAt, "the access list %s has a permit entry; a member's own list is for what it denies, and what it permits is dropped", c.acl)
	}
	return all
}

// place finds where the member stands: its address, and the networks behind it.
func (r *reader) place(m *policy.Member, t table, g *gdoiGroup) {
	c := t.maps[0]
	name := cmp.Or(g.registration, r.doc.local[c.name])
	for _, i := range t.interfaces {
		m.Joins = append(m.Joins, i.joins...)
		if slices.Contains(i.maps, c.name) {
			name = cmp.Or(name, i.name)
		} else if i.address.IsValid() && i.name != name {
			m.Inside = append(m.Inside, i.address.Masked())
		}
	}
	if name == "" {
		r.problem(c.at, "no interface has the crypto map %s", c.name)
		return
	}
	if i := r.named(c.at, name); i != nil && i.address.IsValid() {
		m.Address = at(i.address.Addr())
	} else if i != nil {
		r.problem(c.at, "the interface %s has no address", name)
	}
}

// failClosing is what passes before the first registration.
func (r *reader) failClosing(name string, groups []*gdoiGroup) (f policy.FailClose) {
	f.Revert = slices.ContainsFunc(groups, func(g *gdoiGroup) bool { return g.revert })
	c := r.doc.failClose[name]
	if c == nil {
		return f
	}
	f.Activate = c.activate
	if c.acl == "" {
		return f
	}
	for _, e := range r.entries(c.at, c.acl) {
		action := policy.ACLPermit
		if e.Deny {
			action = policy.ACLDeny
		}
		f.AccessList = append(f.AccessList, policy.FailCloseEntry{Selector: e.Selector, Action: action})
	}
	return f
}

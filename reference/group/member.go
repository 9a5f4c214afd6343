package group

import (
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// GoneAfter is how many PUSH messages in a row a member may leave unacknowledged, each with all its repetitions, before
// it is considered gone (RFC 8263 §6 leaves the number open). One that comes back registers again.
const GoneAfter = 3

// member is a registered member as the group knows it.
type member struct {
	holds     *rekeySA       // the Rekey SA it can read; nil without rekey
	address   netip.AddrPort // from which it registered last
	turn      int            // its place among those that the last PUSH was sent to
	ackedSA   *rekeySA
	acks      acks
	acked     uint32 // highest number it acknowledged under ackedSA
	everAcked bool
	missed    int // PUSH messages in a row without acknowledgement
	counts    memberCounts

	identity   policy.Identity // proven to the carrier, in its one form
	registered time.Time
	until      time.Time // without rekey: when the last SA it was given ends
	sids       []uint32
	tree       *keyTree // in which it has its leaf; nil without LKH
	leaf       int
}

// record enters a member, or enters it again under the same identity.
func (g *Group) record(now time.Time, id policy.Identity, from netip.AddrPort) *member {
	m := g.byIdentity[id]
	if m == nil {
		m = &member{identity: id}
		g.members = append(g.members, m)
		g.byIdentity[id] = m
	}
	g.settleAt(m, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
	m.registered, m.missed = now, 0
	m.holds, m.until = g.epoch.rekey, g.lastExpiry()
	if m.holds != nil {
		m.acks.begin(m.holds)
	}
	g.release(m) // what it has missed came with the registration
	return m
}

// settleAt notes the address of a member, by which its acknowledgements will be known.
func (g *Group) settleAt(m *member, at netip.AddrPort) {
	g.unsettle(m)
	m.address = at
	g.byAddress[at.Addr()] = m
	if m.identity.Kind != policy.IdentityAddress {
		g.byPlace[at] = m
	}
}

// unsettle forgets where a member is.
func (g *Group) unsettle(m *member) {
	if g.byAddress[m.address.Addr()] == m {
		delete(g.byAddress, m.address.Addr())
	}
	if g.byPlace[m.address] == m {
		delete(g.byPlace, m.address)
	}
}

// Move notes that a member is at another address now, as one behind a NAT may come to be at any time. Who is no member is of
// no concern.
func (g *Group) Move(id policy.Identity, to netip.AddrPort) {
	if m := g.byIdentity[id.Folded()]; m != nil {
		g.settleAt(m, netip.AddrPortFrom(to.Addr().Unmap(), to.Port()))
	}
}

// Has reports whether somebody is in the group under that identity.
func (g *Group) Has(id policy.Identity) bool { return g.byIdentity[id.Folded()] != nil }

// Members is how many members the group counts.
func (g *Group) Members() int { return len(g.members) }

// drop forgets the members of which that is so, however many, in one pass.
func (g *Group) drop(gone func(*member) bool) {
	g.members = slices.DeleteFunc(g.members, func(m *member) bool {
		if !gone(m) {
			return false
		}
		delete(g.byIdentity, m.identity)
		g.changes.Left = append(g.changes.Left, m.address)
		m.unseat()
		g.unsettle(m)
		g.release(m)
		return true
	})
}

// release stops waiting for acknowledgements of a member.
func (g *Group) release(m *member) {
	g.leave(m)
	for _, o := range slices.Clone(g.outstanding) {
		o.release(m)
		if o.finished() {
			g.settle(o)
		}
	}
}

// holders are the members that can read a PUSH under this Rekey SA, but for one.
func (g *Group) holders(r *rekeySA, except policy.Identity) []*member {
	var holders []*member
	everybody := except == policy.Identity{}
	for _, m := range g.members {
		if m.holds == r && (everybody || m.identity != except) {
			holders = append(holders, m)
		}
	}
	return holders
}

// dropHolders forgets the members that were left behind with a Rekey SA that has ended.
func (g *Group) dropHolders(r *rekeySA) {
	g.drop(func(m *member) bool { return m.holds == r })
	for _, m := range g.members {
		m.acks.end(r)
	}
}

// dropExpired forgets the members without a Rekey SA that have not registered again in time.
func (g *Group) dropExpired(now time.Time) {
	g.drop(func(m *member) bool { return m.holds == nil && now.After(m.until) })
}

func (g *Group) lastExpiry() time.Time {
	var last time.Time
	for _, sa := range g.epoch.sas {
		if sa.expires.After(last) {
			last = sa.expires
		}
	}
	return last
}

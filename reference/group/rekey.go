package group

import (
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// Plan is a rekey that is due: what changes, and to whom it goes. The carrier makes one message of it and sends the same
// octets to each address.
type Plan struct {
	Rekey   policy.Rekey
	Under   policy.RekeySA   // protects the message; the one in force before this rekey
	To      []netip.AddrPort // empty: there is nobody to tell
	Attempt int              // above 0: it has been sent before; the same octets go out again, unless the number is another
	Round   int              // above 0: others have been sent it before, and these are next
	Missing []Missing        // members that should have acknowledged an earlier attempt

	members []*member // whose addresses To has, in its order; nil if it is a multicast group
}

// to addresses the plan to members.
func (p *Plan) to(r *rekeySA, members []*member) {
	p.To, p.members = r.addresses(members), members
}

// Rekey does what an operator asks for, now, with one message or, for a large hierarchy of keys, with several. The error is
// ErrNoRekey if the group has nobody to tell, or says what cannot be done so.
func (g *Group) Rekey(now time.Time, what control.RekeyArgs) ([]Plan, error) {
	o, err := g.orderOf(now, what)
	if err != nil {
		return nil, err
	}
	if o.everything() {
		return g.restart(now)
	}
	return g.carryOut(now, o)
}

// restart deletes all SAs and begins anew with other keys, which members get when they register again.
func (g *Group) restart(now time.Time) ([]Plan, error) {
	if err := g.prepare(); err != nil {
		return nil, err
	}
	plans := append(g.overtake(now), g.plan(now, g.deleteAll(), policy.Identity{}))
	g.nextSID, g.former = g.firstSID(), nil
	g.adopt(now, g.prepared)
	return plans, nil
}

// deleteAll tells members to delete all SAs, zero standing for all of a kind (RFC 6407 §5.9).
func (g *Group) deleteAll() policy.Rekey {
	return policy.Rekey{DeleteTEKs: []uint32{0}, Protocols: g.protocols([]uint32{0}), DeleteKEK: true}
}

// carryOut makes what an order calls for, and puts it in force. The messages with it go out under the Rekey SA in force
// until now (RFC 6407 §4.3).
func (g *Group) carryOut(now time.Time, o order) ([]Plan, error) {
	next, change, err := g.successor(now, g.synchronising(o))
	if err != nil {
		return nil, err
	}
	return g.succeed(now, next, change)
}

// succeed tells the members of a change, and puts the epoch that it leads to in force.
func (g *Group) succeed(now time.Time, next *epoch, change policy.Rekey) (plans []Plan, err error) {
	old := g.epoch.rekey
	g.former = g.former.without(change.DeleteTEKs)
	if change.NewRekey != nil {
		if change.NewRekey, err = next.rekey.replacing(old); err != nil {
			return nil, err
		}
	}
	if len(change.SAs) > 0 {
		g.synced = now
	}
	plans = append(g.overtake(now), g.parts(now, change)...)
	if change.NewRekey != nil && !guardSequenceRestart.Kept(g.opts.Rules) {
		next.rekey.sequence = old.sequence
	}
	if next.rekey != old || !slices.Equal(next.sas, g.epoch.sas) { // else offers stay good
		g.adopt(now, next)
	}
	if change.NewRekey != nil {
		g.hand(old, next.rekey)
	}
	return plans, nil
}

// successor is the epoch after the present one, and the change that leads to it.
func (g *Group) successor(now time.Time, o order) (*epoch, policy.Rekey, error) {
	next := &epoch{rekey: g.epoch.rekey, sas: slices.Clone(g.epoch.sas)}
	change := policy.Rekey{DeleteTEKs: o.ended, Protocols: g.protocols(o.ended), DeleteKEK: o.noKEK}
	wrapping := next.rekey != nil && next.rekey.sequence >= next.rekey.lastNumber()
	if next.rekey != nil && (o.kek || o.noKEK || wrapping) {
		r, err := g.newRekeySA()
		if err != nil {
			return nil, change, err
		}
		if next.rekey = r; o.noKEK {
			err = g.plant(r)
		} else {
			change.NewRekey = &r.RekeySA
		}
		if err != nil {
			return nil, change, err
		}
	}
	var made []*trafficSA
	for _, i := range o.made {
		t, err := g.newTrafficSA(g.cfg.SAs[i], made)
		if err != nil {
			return nil, change, err
		}
		made = append(made, t)
		next.sas[i] = t
	}
	if o.keeps {
		g.keep(now, next, o.shortens)
	}
	for _, i := range g.whole(o.told) {
		if o.keeps {
			change.SAs = append(change.SAs, g.flowsOf(i, g.still(now, i))...)
		}
		if o.lifetime > 0 && !slices.Contains(o.made, i) {
			next.shorten(i, o.lifetime)
		}
		change.SAs = append(change.SAs, g.flows(i, g.rekeyStamp(now, next.sas[i].lasting(now)))...)
	}
	if len(change.SAs) > 0 {
		change.Activation, change.Access = g.cfg.Activation, g.access()
	}
	return next, change, nil
}

// whole are the places that a message tells of. Under the profile getvpn what it brings is the whole policy.
func (g *Group) whole(told []int) []int {
	if len(told) == 0 || !g.getvpn() {
		return told
	}
	return g.everywhere()
}

// lastNumber is where the numbers under a Rekey SA end but for what replaces it, so that they never wrap. In a hierarchy of keys
// that may take several messages.
func (r *rekeySA) lastNumber() uint32 {
	if r.tree != nil {
		return math.MaxUint32 - mostPlaces
	}
	return math.MaxUint32 - 1
}

// plan addresses a change to the members, but for one.
func (g *Group) plan(now time.Time, change policy.Rekey, except policy.Identity) Plan {
	if g.epoch.rekey == nil {
		return Plan{Rekey: change}
	}
	return g.planFor(now, change, g.holders(g.epoch.rekey, except))
}

// planFor addresses a change to these members, and takes the next sequence number if there is anybody to tell.
func (g *Group) planFor(now time.Time, change policy.Rekey, holders []*member) Plan {
	r := g.epoch.rekey
	p := Plan{Rekey: change, Under: r.RekeySA, To: r.addresses(holders)}
	if len(p.To) > 0 && guardSequence.Kept(g.opts.Rules) {
		r.sequence++
	}
	p.Rekey.Under, p.Rekey.Sequence = r.SPI, r.sequence
	if len(p.To) > 0 {
		first := g.firstOf(now, p, r, holders)
		p.to(r, first)
		g.await(now, p, r, first)
	}
	return p
}

// addresses is where a PUSH under the Rekey SA goes for these members. A multicast group is told even if no member is known.
func (r *rekeySA) addresses(members []*member) []netip.AddrPort {
	if r.Destination.Addr().IsMulticast() {
		return []netip.AddrPort{r.Destination}
	}
	if len(members) == 0 {
		return nil
	}
	to := make([]netip.AddrPort, len(members))
	for i, m := range members {
		to[i] = m.address
	}
	return to
}

// hand notes that the members with the old Rekey SA were sent the new one.
func (g *Group) hand(old, next *rekeySA) {
	for _, m := range g.holders(old, policy.Identity{}) {
		m.holds = next
		m.acks.begin(next)
	}
}

// protocols are those of the SAs with these SPIs, in their order; for 0, which means all SAs, each that the group has.
func (g *Group) protocols(spis []uint32) (all []policy.Protocol) {
	if !slices.Equal(spis, []uint32{0}) {
		for _, spi := range spis {
			all = append(all, g.usedSPIs[spi].protocol)
		}
		return all
	}
	for _, sa := range g.cfg.SAs {
		if p := sa.Transform.Protocol; !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}

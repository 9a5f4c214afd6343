package group

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// What an operator cannot have.
var (
	errNothing  = errors.New("group: the group has no Data-Security SA to replace")
	errBoth     = errors.New("group: the KEK can be replaced or deleted, not both")
	errTwice    = errors.New("group: Data-Security SAs can be replaced or announced again, not both")
	errLifetime = errors.New("group: a lifetime is for SAs that are announced again")
	errShortens = errors.New("group: SAs that are replaced live on for a shorter time under profile getvpn only")
)

// order is what a PUSH is to do, in terms of the group.
type order struct {
	kek      bool          // replace the Rekey SA
	made     []int         // places in the policy whose SAs are made anew
	told     []int         // places whose SAs the message brings: new ones, and old ones once more
	lifetime time.Duration // of the old ones from now on; 0: what is left of it
	ended    []uint32      // SPIs of Data-Security SAs that are deleted; a single 0 means all
	noKEK    bool          // the Rekey SA is deleted, and the next is for those who register
	keeps    bool          // with a change of policy: SAs that are replaced are told once more beside the new ones
	shortens bool          // and live no longer than it takes to go over to the new ones
}

// everything reports whether a member is left with nothing, not even its Sender-IDs.
func (o order) everything() bool {
	return o.noKEK && slices.Equal(o.ended, []uint32{0}) && len(o.told) == 0
}

// orderOf reads an operator's wish. With nothing said, the TEKs are replaced.
//
// What a Delete ends has a successor at once, since the group goes on to protect those flows: whoever registers gets it.
// The members are told with the next PUSH that brings TEKs, which may be this one.
//
// A PUSH cannot carry policy without keys: whatever SATs it has, its KD has the keys of all of them (RFC 6407 §4.3 and
// §5.6). So SAs whose lifetime changes are told like new ones, with the SPI and the keys by which members know that they
// are not. A SAK cannot be told again that way: one in a PUSH has new cookies and is another Rekey SA (RFC 6407 §4).
func (g *Group) orderOf(now time.Time, what control.RekeyArgs) (order, error) {
	if what.DeleteAll {
		return order{ended: []uint32{0}, noKEK: true}, nil
	}
	o := order{kek: what.KEK || what.KEKOnly, noKEK: what.DeleteKEK}
	var err error
	if o.ended, err = g.named(what.DeleteTEKs); err != nil {
		return o, err
	}
	everywhere := func(*trafficSA) bool { return true }
	otherwise := what.KEKOnly || what.DeleteKEK || what.Announce || len(o.ended) > 0
	o.made = g.places(func(sa *trafficSA) bool { return ends(o.ended, sa) })
	o.keeps, o.shortens = what.Replace, what.Replace
	switch {
	case what.TEK || what.Replace || what.KEK && !what.KEKOnly || !otherwise:
		if what.Announce {
			return o, errTwice
		}
		o.made = g.places(everywhere)
		o.told = o.made
	case what.Announce:
		o.told = g.places(everywhere)
		o.lifetime = time.Duration(what.Lifetime) * time.Second
	}
	return o, g.possible(now, o, what)
}

// possible says what speaks against an order.
func (g *Group) possible(now time.Time, o order, what control.RekeyArgs) error {
	switch {
	case g.epoch.rekey == nil && (o.kek || o.noKEK || what.Announce || len(o.ended) > 0):
		return ErrNoRekey
	case o.kek && o.noKEK:
		return errBoth
	case what.Replace && !g.getvpn():
		return errShortens
	case what.Lifetime != 0 && !what.Announce:
		return errLifetime
	case !o.kek && !o.noKEK && len(o.ended)+len(o.told) == 0:
		return errNothing
	}
	for _, i := range o.told {
		if left := g.epoch.sas[i].lasting(now).Lifetime; o.lifetime < 0 || o.lifetime > left {
			return fmt.Errorf("group: SPI %s cannot live for %v, it ends in %v", policy.FormatSPI(g.epoch.sas[i].SPI), o.lifetime, left)
		}
	}
	return nil
}

// places are those in the policy whose SA is meant.
func (g *Group) places(meant func(*trafficSA) bool) (places []int) {
	for i, sa := range g.epoch.sas {
		if meant(sa) {
			places = append(places, i)
		}
	}
	return places
}

// named reads the SPIs of Data-Security SAs. They have to be those of the group, or of SAs before that may still live.
func (g *Group) named(texts []string) ([]uint32, error) {
	var spis []uint32
	for _, text := range texts {
		spi, err := strconv.ParseUint(text, 16, 32)
		if err != nil {
			return nil, fmt.Errorf("group: SPI %q, want up to eight hexadecimal digits", text)
		}
		if spi == 0 {
			return []uint32{0}, nil // RFC 6407 §5.9: all of them
		}
		if _, ours := g.usedSPIs[uint32(spi)]; !ours {
			return nil, fmt.Errorf("group: no SA of the group has the SPI %s", policy.FormatSPI(uint32(spi)))
		}
		spis = append(spis, uint32(spi))
	}
	return spis, nil
}

// ends reports whether an SA is among those that are deleted.
func ends(spis []uint32, sa *trafficSA) bool {
	return slices.Equal(spis, []uint32{0}) || slices.Contains(spis, sa.SPI)
}

// shorten has the SA of a place live only so long once the epoch is adopted.
func (e *epoch) shorten(place int, lifetime time.Duration) {
	shorter := &trafficSA{TrafficSA: e.sas[place].TrafficSA}
	shorter.Lifetime = lifetime
	e.sas[place] = shorter
}

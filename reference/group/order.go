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
)

// order is what a PUSH is to do, in terms of the group.
type order struct {
	kek      bool          // replace the Rekey SA
	teks     []int         // places in the policy whose SAs are replaced
	again    []int         // places whose SAs are told once more, with the keys that they have
	lifetime time.Duration // of those from now on; 0: what is left of it
	ended    []uint32      // SPIs of Data-Security SAs that are deleted; a single 0 means all
	noKEK    bool          // the Rekey SA is deleted, and the next is for those who register
}

// everything reports whether nothing is left of the group but its policy.
func (o order) everything() bool {
	return o.noKEK && slices.Equal(o.ended, []uint32{0}) && len(o.teks) == 0
}

// orderOf reads an operator's wish. Deletions by themselves replace nothing; with nothing said, the TEKs are replaced.
func (g *Group) orderOf(now time.Time, what control.RekeyArgs) (order, error) {
	if what.DeleteAll {
		return order{ended: []uint32{0}, noKEK: true}, nil
	}
	o := order{kek: what.KEK || what.KEKOnly, noKEK: what.DeleteKEK}
	var err error
	if o.ended, err = g.named(what.DeleteTEKs); err != nil {
		return o, err
	}
	otherwise := what.KEKOnly || what.DeleteKEK || what.Announce || len(o.ended) > 0
	if what.TEK || what.KEK && !what.KEKOnly || !otherwise {
		o.teks = places(g.epoch.sas, func(*trafficSA) bool { return true })
	}
	if what.Announce {
		o.again = places(g.epoch.sas, func(sa *trafficSA) bool { return sa != nil && !ends(o.ended, sa) })
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
	case what.Announce && len(o.teks) > 0:
		return errTwice
	case what.Lifetime != 0 && !what.Announce:
		return errLifetime
	case !o.kek && !o.noKEK && len(o.ended)+len(o.teks)+len(o.again) == 0:
		return errNothing
	}
	for _, i := range o.again {
		if left := g.epoch.sas[i].lasting(now).Lifetime; o.lifetime < 0 || o.lifetime > left {
			return fmt.Errorf("group: SPI %s cannot live for %v, it ends in %v", FormatSPI(g.epoch.sas[i].SPI), o.lifetime, left)
		}
	}
	return nil
}

// places are those in the policy whose SA is meant; one that was deleted is nil.
func places(sas []*trafficSA, meant func(*trafficSA) bool) (places []int) {
	for i, sa := range sas {
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
			return nil, fmt.Errorf("group: no SA of the group has the SPI %s", FormatSPI(uint32(spi)))
		}
		spis = append(spis, uint32(spi))
	}
	return spis, nil
}

// end takes the SAs of these SPIs out. Their places stay empty until all SAs are replaced.
func (e *epoch) end(spis []uint32) {
	for i, sa := range e.sas {
		if sa != nil && ends(spis, sa) {
			e.sas[i] = nil
		}
	}
}

// ends reports whether an SA is among those that are deleted.
func ends(spis []uint32, sa *trafficSA) bool {
	return slices.Equal(spis, []uint32{0}) || slices.Contains(spis, sa.SPI)
}

// again is the SA of a place as it is told once more. A PUSH cannot carry policy without keys: whatever SATs it has, its KD
// has the keys of all of them (RFC 6407 §4.3 and §5.6). So an SA whose lifetime changes is told like a new one, with the
// SPI and the keys by which members know that it is not. A SAK cannot be told again that way: one in a PUSH has new cookies
// and is another Rekey SA (RFC 6407 §4).
func (e *epoch) again(now time.Time, place int, lifetime time.Duration) policy.TrafficSA {
	if lifetime == 0 {
		return e.sas[place].lasting(now)
	}
	shorter := &trafficSA{TrafficSA: e.sas[place].TrafficSA} // begins to live when it is adopted
	shorter.Lifetime = lifetime
	e.sas[place] = shorter
	return shorter.TrafficSA
}

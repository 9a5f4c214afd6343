package gateway

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// room is the length of the longest packet that fits the path once it is protected; below 0 if there is none.
func (x *parcel) room() int {
	mtu := x.mtu - udpLenOf(x.entry)
	if !transports(x.entry) {
		return x.entry.SA.MaxPayload(mtu-x.outerLen()) - x.metadata
	}
	if n := x.entry.SA.MaxPayload(mtu-x.routedLen) - x.metadata; n >= 0 {
		return n + x.routedLen
	}
	return -1
}

// tooBig handles a packet from inside that would be longer than the path allows once it is protected (RFC 4301 §8.2.1): its
// source is told, or it is fragmented.
func (g *Gateway) tooBig(now time.Time, x *parcel, emit Emit) error {
	switch {
	case x.mustNotFragment():
		g.counts.dropped++
		g.tellTooBig(now, x, emit)
		return nil
	case !guardFragments.Kept(g.rules):
		return g.protect(x, emit)
	case g.fragmentsAfter(x):
		return g.fragmentAfter(x, emit)
	}
	return g.fragmentBefore(x, emit)
}

// mustNotFragment reports whether the source wants to be told instead. IPv6 packets are not fragmented on their way, neither
// before encryption nor, in transport mode, after it (RFC 8200 §4.5). There are two exceptions. A packet of no more than 1280
// octets has to get through, since its source cannot be told to send less (RFC 8200 §5); then the packet around it is
// fragmented, which in tunnel mode the gateway originates, whosever address it carries (RFC 2473 §7.1). And what came in
// fragments may leave in fragments.
func (x *parcel) mustNotFragment() bool {
	switch {
	case x.gathered:
		return false
	case x.is6():
		return len(x.bytes) > minMTU6
	}
	return x.dontFragment()
}

// fragmentsAfter reports whether the protected packet is what has to be fragmented. That is so for SAs of certain ports, whose
// selectors would not take the later fragments of the inner packet (RFC 4301 §7.3), for transport mode, which does not protect
// fragments, and for IPv6.
func (g *Gateway) fragmentsAfter(x *parcel) bool {
	return g.cfg.Fragment == policy.FragmentAfter || x.entry.NamesPorts() || transports(x.entry) || x.is6()
}

// fragmentBefore protects the fragments of a packet, so that the receiving gateway has nothing to put together.
func (g *Gateway) fragmentBefore(x *parcel, emit Emit) error {
	inner, err := g.hop(x.packet, guardEncapsulateTTL.Kept(g.rules))
	if err != nil {
		return err
	}
	return fragment4(inner, x.room(), func(piece []byte) error {
		outer, err := g.encapsulate(x, piece)
		if err == nil {
			emit(core.Outside, outer)
		}
		return err
	})
}

// fragmentAfter fragments the protected packet.
func (g *Gateway) fragmentAfter(x *parcel, emit Emit) error {
	inner, err := g.hop(x.packet, guardEncapsulateTTL.Kept(g.rules))
	if err != nil {
		return err
	}
	outer, err := g.encapsulate(x, inner)
	if err != nil {
		return err
	}
	send := func(piece []byte) error {
		emit(core.Outside, piece)
		return nil
	}
	if outer[0]>>4 == 6 {
		g.id++
		return fragment6(outer, x.mtu, g.id, send)
	}
	return fragment4(outer, x.mtu, send)
}

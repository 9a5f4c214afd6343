package gateway

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/sadb"
)

// What routers outside say of the size of ESP packets is not authenticated, so it is believed only of packets that the
// gateway may have sent, within bounds, and for a while (RFC 4301 §8.2).
const (
	defaultPMTUAge = 10 * time.Minute // RFC 1191 §6.3
	pmtuRecent     = time.Minute      // within which the SA must have been used
	minMTU4        = 576              // every host takes so much (RFC 791 §3.2)
	maxPaths       = 1024
)

// pathKey names a path: SAs of a group go to many destinations, and each has a path of its own.
type pathKey struct {
	spi         uint32
	destination netip.Addr // outer
}

// path is what is known of one.
type path struct {
	mtu   int
	until time.Time
}

// pathMTU is the size of the longest packet for an outer destination.
func (g *Gateway) pathMTU(now time.Time, spi uint32, destination netip.Addr) int {
	if len(g.paths) == 0 {
		return g.cfg.MTU
	}
	if p, ok := g.paths[pathKey{spi, destination}]; ok && now.Before(p.until) {
		return min(p.mtu, g.cfg.MTU)
	}
	return g.cfg.MTU
}

// learn takes a packet from outside and reports whether it was the news that an ESP packet of the gateway is too big for some
// link. With address preservation such news is addressed to the host whose source address the packet had: the gateway learns
// of it only if it stands in the way, and keeps it from the host, which knows nothing of ESP.
func (g *Gateway) learn(now time.Time, p *packet) bool {
	mtu, ok := p.tooBig()
	if !ok {
		return false
	}
	q, ok := p.quote()
	spi, _, quoted := q.protection()
	if !ok || !quoted {
		return false
	}
	e := g.sender(now, spi, q.flow)
	if e == nil {
		return false
	}
	g.lowerPath(now, pathKey{e.Policy.SPI, q.flow.Destination}, mtu)
	return true
}

// tooBig returns the MTU of an ICMP message that says so: "fragmentation needed" (RFC 1191 §4) or "packet too big"
// (RFC 4443 §3.2). One that is below what every link has is raised to that; 0 comes from routers that know no better.
func (p *packet) tooBig() (mtu int, ok bool) {
	typ, ok := p.icmpType()
	body := p.body()
	switch {
	case !ok || len(body) < icmpLen || p.fragment:
		return 0, false
	case p.is6():
		return max(minMTU6, int(min(binary.BigEndian.Uint32(body[4:]), maxPacket))), typ == icmp6TooBig
	}
	return max(minMTU4, int(binary.BigEndian.Uint16(body[6:]))), typ == icmpUnreachable && body[1] == icmpTooBig
}

// sender finds the entry under which the gateway may have sent an ESP packet of late, nil if there is none.
func (g *Gateway) sender(now time.Time, spi uint32, outer sadb.Flow) *sadb.Entry {
	for _, e := range g.db.Entries() {
		recent := !e.Used.IsZero() && now.Sub(e.Used) <= pmtuRecent && now.Before(e.Expiry)
		if recent && g.mayHaveSent(e, outer) && guardPathSPI.Holds(g.rules, e.Policy.SPI == spi) {
			return e
		}
	}
	return nil
}

// mayHaveSent reports whether the outer addresses are such as the gateway puts on packets of an entry.
func (g *Gateway) mayHaveSent(e *sadb.Entry, outer sadb.Flow) bool {
	preserve, sel := e.Policy.Transform.Preservation, e.Policy.Selector
	source := outer.Source == g.own(outer.Source.Is6())
	if preserve.Source() || transports(e) {
		source = g.inFront(outer.Source) && (!sel.Source.IsValid() || sel.Source.Contains(outer.Source))
	}
	destination := g.isPeer(outer.Destination)
	if preserve.Destination() || transports(e) {
		destination = !sel.Destination.IsValid() || sel.Destination.Contains(outer.Destination)
	}
	return source && destination
}

func (g *Gateway) isPeer(a netip.Addr) bool {
	for _, p := range g.cfg.Peers {
		if p.Gateway == a {
			return true
		}
	}
	return false
}

// lowerPath notes a smaller MTU. It is never raised by news, only by age.
func (g *Gateway) lowerPath(now time.Time, key pathKey, mtu int) {
	known, ok := g.paths[key]
	if mtu >= g.pathMTU(now, key.spi, key.destination) || !ok && len(g.paths) >= maxPaths || !guardPathLearn.Kept(g.rules) {
		return
	}
	if g.paths == nil {
		g.paths = make(map[pathKey]path)
	}
	known.mtu, known.until = mtu, now.Add(guardPathAge.Delay(g.rules, g.cfg.PMTUAge))
	g.paths[key] = known
}

// expirePaths forgets what is too old to be believed (RFC 4301 §8.2.2).
func (g *Gateway) expirePaths(now time.Time) {
	for key, p := range g.paths {
		if !now.Before(p.until) {
			delete(g.paths, key)
		}
	}
}

// pathDeadline is when expirePaths has something to do.
func (g *Gateway) pathDeadline() (at time.Time, ok bool) {
	for _, p := range g.paths {
		if !ok || p.until.Before(at) {
			at, ok = p.until, true
		}
	}
	return at, ok
}

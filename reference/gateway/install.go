package gateway

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/sadb"
)

// Install adds the SAs of a registration or a rekey of the group. They receive from now on, and send when the activation delay has
// passed. The delay is one of rollovers (RFC 6407 §5.4.1 takes it from RFC 5374 §4.2.1): until it has passed the older SA
// for the flow goes on. Where there is none, as for a member that has just registered, nobody gains by its silence, and the
// new SA sends at once. With replace, older SAs of the group for the same selectors (or all of them, if no selector is
// the same) send until then and receive until the deactivation delay has passed; without that delay until their lifetime ends.
//
// SIDs, if there are any, become those of all its SAs; nil keeps the ones that were given before. The flows of all SAs are
// protected from now on, even of those that could not be installed, which the error tells. What sas points to is the gateway's from now on, and
// nobody may change it.
func (m *Group) Install(now time.Time, sas []policy.TrafficSA, a policy.Activation, sids *policy.SIDs, replace bool) error {
	g := m.gateway
	errs := []error{m.takeSIDs(sids)}
	g.generation++
	start := now
	if a.ATD != nil {
		start = now.Add(guardATD.Delay(g.rules, *a.ATD))
	}
	installed := false
	last := start
	m.unusable = m.unusable[:0]
	for i := range sas {
		t, from := &sas[i], start
		switch {
		case a.ATD == nil && !m.converts:
			from = m.takeover(now, t)
		case !g.db.Relieves(now, m.place, t.Selector, g.generation):
			from = now
		}
		err := m.install(now, t, from, a.ATD == nil)
		if from.After(last) {
			last = from
		}
		if err != nil {
			m.unusable = append(m.unusable, t.Selector)
		}
		installed = installed || err == nil
		errs = append(errs, err)
	}
	if replace && installed {
		var end time.Time
		if a.DTD != nil {
			end = now.Add(guardDTD.Delay(g.rules, *a.DTD))
		}
		g.db.Replace(m.place, g.generation, last, end)
	}
	m.converts = false
	return errors.Join(errs...)
}

// takeover is when an SA begins to send that takes over from older ones some time before they end. One that ends before them does
// so at once.
func (m *Group) takeover(now time.Time, t *policy.TrafficSA) time.Time {
	g := m.gateway
	if g.cfg.Rollover == 0 {
		return now
	}
	before := guardRollover.Delay(g.rules, g.cfg.Rollover)
	from := g.db.Relieved(now, m.place, t.SPI, t.Selector, g.generation).Add(-before)
	if from.Before(now) || !from.Before(now.Add(t.Lifetime-before)) {
		return now
	}
	return from
}

func (m *Group) install(now time.Time, t *policy.TrafficSA, start time.Time, awaits bool) error {
	g := m.gateway
	if !m.informed {
		m.informed, m.protected = true, nil
	}
	if !g.db.Has(m.place, t.Selector) && !slices.Contains(m.protected, t.Selector) { // the flows of what is there are protected already
		m.protected = append(m.protected, t.Selector)
	}
	if err := g.Accepts(*t); err != nil {
		return err
	}
	o := esp.Options{Rand: g.cfg.Rand, Window: g.window(*t), First: g.cfg.First, Resync: g.cfg.Resync, Rules: g.rules}
	o.SID, o.SIDBits, o.HasSID = m.sid, m.sidBits, m.hasSID
	_, err := g.db.Install(now, t, sadb.Options{ESP: o, SendFrom: start, Awaits: awaits, Group: m.place, Generation: g.generation})
	return err
}

// Flow is where the gateway has a selector for the SAs that use it, nil if there is none. It is to be read only.
func (m *Group) Flow(s *policy.Selector) *policy.Selector { return m.gateway.db.Flow(s) }

// Accepts reports why an SA cannot be used here; the error is a *rule.Violation. A security gateway uses tunnel mode
// (RFC 5374 §3). Addresses are preserved in an outer header of the same IP version only (RFC 5374 §4.1.2), and what version
// that may have is told by the addresses that the gateway has outside. ESP in UDP shares its port with key management (RFC 3948 §2.1).
func (g *Gateway) Accepts(t policy.TrafficSA) error {
	if err := g.stampable(t); err != nil {
		return err
	}
	mode, preserve := t.Transform.Mode, t.Transform.Preservation
	if !guardUDP.Holds(g.rules, !mode.UDP() || g.cfg.UDP) {
		return guardUDP.Violated("SPI %08x is of ESP in UDP", t.SPI)
	}
	if mode.Transports() {
		if !guardMode.Holds(g.rules, g.cfg.Transport) {
			return guardMode.Violated("SPI %08x is in transport mode", t.SPI)
		}
		return nil
	}
	preserves := preserve.Source() || preserve.Destination()
	if v6, known := innerVersion(t.Selector); !guardVersion.Holds(g.rules, !preserves || !known || g.own(v6).IsValid()) {
		return guardVersion.Violated("SPI %08x preserves addresses of %s, whose IP version is not spoken outside", t.SPI, t.Selector)
	}
	return nil
}

// innerVersion tells the IP version of a selector's flows, if it names one.
func innerVersion(s policy.Selector) (v6, known bool) {
	for _, p := range []netip.Prefix{s.Source, s.Destination} {
		if p.IsValid() {
			return p.Addr().Is6(), true
		}
	}
	return false, false
}

// takeSIDs makes the first SID the one of all SAs of the group; the others stay unused (RFC 6407 §3.5). What is given again, and so has
// not changed, is done already.
func (m *Group) takeSIDs(sids *policy.SIDs) error {
	if sids == nil || sids == m.given || len(sids.Values) == 0 {
		return nil
	}
	m.sid, m.sidBits, m.hasSID = sids.Values[0], sids.Bits, true
	err := m.gateway.db.SetSID(m.place, m.sid, m.sidBits)
	if err == nil {
		m.given = sids
	}
	return err
}

// Delete removes the group's SAs of a protocol and SPI at once; 0 removes all of the protocol. SAs that were to take over from them do so
// now. Their flows stay protected: see Forget.
func (m *Group) Delete(now time.Time, p policy.Protocol, spi uint32) {
	if spi == 0 {
		m.gateway.db.RemoveAll(m.place, p)
		return
	}
	m.gateway.db.Remove(m.place, p, spi)
	if guardRelief.Kept(m.gateway.rules) {
		m.gateway.db.Relieve(now, m.place)
	}
}

// Forget ends the protection of the group's flows that no SA of it is installed for, except those whose SAs could not be installed last time.
func (m *Group) Forget() {
	m.protected = append(m.protected[:0], m.unusable...)
	for _, e := range m.gateway.db.Entries() {
		if e.Group == m.place && !slices.Contains(m.protected, e.Policy.Selector) {
			m.protected = append(m.protected, e.Policy.Selector)
		}
	}
}

// Expire removes what has come to its end: SAs, what is known of paths, and fragments that waited too long, which count as
// dropped.
func (g *Gateway) Expire(now time.Time) {
	g.db.Expire(now)
	g.counts.dropped += g.fragments.expire(now) + g.inside.expire(now)
	g.expirePaths(now)
}

// Deadline is when Expire has something to do.
func (g *Gateway) Deadline() (time.Time, bool) {
	at, ok := g.db.Deadline()
	for _, other := range []func() (time.Time, bool){g.fragments.deadline, g.inside.deadline, g.pathDeadline} {
		if t, any := other(); any && (!ok || t.Before(at)) {
			at, ok = t, true
		}
	}
	return at, ok
}

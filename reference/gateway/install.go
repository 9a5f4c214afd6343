package gateway

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/sadb"
)

// ErrMode means that an SA is not in tunnel mode, the only one for gateways (RFC 5374 §3).
var ErrMode = errors.New("gateway: not in tunnel mode")

// Install adds the SAs of a registration or a rekey. They receive from now on, and send when the activation delay has
// passed. The delay is one of rollovers (RFC 6407 §5.4.1 takes it from RFC 5374 §4.2.1): until it has passed the older SA
// for the flow goes on. Where there is none, as for a member that has just registered, nobody gains by its silence, and the
// new SA sends at once. With replace, older SAs for the same selectors (or all older SAs, if no selector is the same) send until then
// and receive until the deactivation delay has passed; without that delay until their lifetime ends.
//
// SIDs, if there are any, become those of all SAs; nil keeps the ones that were given before. The flows of all SAs are
// protected from now on, even of those that could not be installed, which the error tells.
func (g *Gateway) Install(now time.Time, sas []policy.TrafficSA, a policy.Activation, sids *policy.SIDs, replace bool) error {
	errs := []error{g.takeSIDs(sids)}
	g.generation++
	start := now
	if a.ATD != nil {
		start = now.Add(guardATD.Delay(g.rules, *a.ATD))
	}
	installed := false
	for _, t := range sas {
		err := g.install(now, t, start)
		installed = installed || err == nil
		errs = append(errs, err)
	}
	if replace && installed {
		var end time.Time
		if a.DTD != nil {
			end = now.Add(guardDTD.Delay(g.rules, *a.DTD))
		}
		g.db.Replace(g.generation, start, end)
	}
	return errors.Join(errs...)
}

func (g *Gateway) install(now time.Time, t policy.TrafficSA, start time.Time) error {
	if !g.informed {
		g.informed, g.protected = true, nil
	}
	if !slices.Contains(g.protected, t.Selector) {
		g.protected = append(g.protected, t.Selector)
	}
	if t.Transform.Mode != policy.ModeTunnel && t.Transform.Mode != 0 {
		return fmt.Errorf("%w: SPI %08x, mode %d", ErrMode, t.SPI, t.Transform.Mode)
	}
	o := esp.Options{Rand: g.cfg.Rand, Window: g.cfg.ReplayWindow, First: g.cfg.First, Rules: g.rules}
	if len(g.sids.Values) > 0 {
		o.SID, o.SIDBits, o.HasSID = g.sids.Values[0], g.sids.Bits, true
	}
	if !g.db.Relieves(now, t.Selector, g.generation) {
		start = now
	}
	_, err := g.db.Install(now, t, sadb.Options{ESP: o, SendFrom: start, Generation: g.generation})
	return err
}

// takeSIDs makes the first SID the one of all SAs; the others stay unused (RFC 6407 §3.5).
func (g *Gateway) takeSIDs(sids *policy.SIDs) error {
	if sids == nil || len(sids.Values) == 0 {
		return nil
	}
	g.sids = policy.SIDs{Bits: sids.Bits, Values: slices.Clone(sids.Values)}
	return g.db.SetSID(g.sids.Values[0], g.sids.Bits)
}

// Delete removes the SAs of an SPI at once; 0 removes all. Their flows stay protected: see Forget.
func (g *Gateway) Delete(now time.Time, spi uint32) {
	if spi == 0 {
		g.db.RemoveAll()
		return
	}
	g.db.Remove(spi)
}

// Forget ends the protection of flows that no SA is installed for.
func (g *Gateway) Forget() {
	g.protected = g.protected[:0]
	for _, e := range g.db.Entries() {
		if !slices.Contains(g.protected, e.Policy.Selector) {
			g.protected = append(g.protected, e.Policy.Selector)
		}
	}
}

// Protects reports whether the group's policy wants the flow protected, with or without an SA for it. A later fragment
// counts as any of the flows that it may belong to.
func (g *Gateway) Protects(f sadb.Flow) bool {
	for _, sel := range g.protected {
		if sadb.MayMatch(sel, f, g.rules) {
			return true
		}
	}
	return false
}

// Expire removes what has come to its end: SAs, and fragments that waited too long, which count as dropped.
func (g *Gateway) Expire(now time.Time) {
	g.db.Expire(now)
	g.counts.dropped += g.fragments.expire(now)
}

// Deadline is when Expire has something to do.
func (g *Gateway) Deadline() (time.Time, bool) {
	at, ok := g.db.Deadline()
	if waiting, any := g.fragments.deadline(); any && (!ok || waiting.Before(at)) {
		return waiting, true
	}
	return at, ok
}

// SAs describes the installed SAs, newest first.
func (g *Gateway) SAs(now time.Time) []control.SA {
	list := []control.SA{}
	for _, e := range g.db.Entries() {
		if !now.Before(e.Expiry) {
			continue
		}
		list = append(list, control.SA{
			SPI:      fmt.Sprintf("%08x", e.Policy.SPI),
			Selector: e.Policy.Selector.String(),
			Cipher:   e.Policy.Transform.String(),
			Expiry:   e.Expiry,
			Sending:  g.db.Sending(now, e),
		})
	}
	return list
}

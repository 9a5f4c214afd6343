package member

import (
	"cmp"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// leastWait is the time between a registration and the next one, however short its SAs live.
const leastWait = time.Second

// lease is how long the newest SA of a flow lasts, and when the member gives up waiting for a rekey to replace it.
type lease struct {
	flow       *policy.Selector // shared with the gateway if it has it, so that one place is read and not two
	protocol   policy.Protocol
	spi        uint32
	end, renew time.Time
}

// leases are the newest SAs by flow. The zero value is ready for use.
type leases struct {
	renewAt time.Time // when to register again; zero if nothing asks for it, or it has been asked
	of      []lease   // one of each flow
	room    [1]lease  // of it, as much as most need
}

// add takes over new SAs; flow is where the gateway keeps a selector. Flows that no new SA names end with them if no flow is the same, as in the gateway.
func (l *leases) add(now time.Time, sas []policy.TrafficSA, margin func(time.Duration) time.Duration, flow func(*policy.Selector) *policy.Selector) {
	if len(sas) == 0 {
		return
	}
	if !l.shares(sas) {
		l.of = l.of[:0]
	}
	for i := range sas {
		sa := &sas[i]
		end := now.Add(sa.Lifetime)
		have := l.find(&sa.Selector)
		if have != nil && have.spi != sa.SPI && have.end.After(end) && l.offered(sas, have.spi) {
			continue // a registration during a rollover brings old and new
		}
		if have == nil {
			if l.of == nil {
				l.of = l.room[:0]
			}
			l.of = append(l.of, lease{})
			have = &l.of[len(l.of)-1]
		}
		have.flow = cmp.Or(flow(&sa.Selector), &sa.Selector)
		wait := max(sa.Lifetime-margin(sa.Lifetime), leastWait)
		have.protocol, have.spi, have.end, have.renew = sa.Transform.Protocol, sa.SPI, end, now.Add(wait)
	}
	l.schedule()
}

func (l *leases) shares(sas []policy.TrafficSA) bool {
	for i := range sas {
		if l.find(&sas[i].Selector) != nil {
			return true
		}
	}
	return false
}

// find returns the lease of a flow, nil if there is none.
func (l *leases) find(flow *policy.Selector) *lease {
	for i := range l.of {
		if *l.of[i].flow == *flow {
			return &l.of[i]
		}
	}
	return nil
}

func (l *leases) offered(sas []policy.TrafficSA, spi uint32) bool {
	for i := range sas {
		if sas[i].SPI == spi {
			return true
		}
	}
	return false
}

// remove forgets the SA of a protocol that has that SPI, or all of the protocol if it is 0.
func (l *leases) remove(p policy.Protocol, spi uint32) {
	l.of = slices.DeleteFunc(l.of, func(have lease) bool { return (spi == 0 || have.spi == spi) && have.protocol == p })
	l.schedule()
}

// clear forgets everything.
func (l *leases) clear() { *l = leases{} }

func (l *leases) schedule() {
	l.renewAt = time.Time{}
	for _, have := range l.of {
		if l.renewAt.IsZero() || have.renew.Before(l.renewAt) {
			l.renewAt = have.renew
		}
	}
}

// margin is how long before the end of an SA of that lifetime the member registers again. Key servers rekey at about nine
// tenths of a lifetime; without a configured margin the member waits for that.
func (m *membership) margin(lifetime time.Duration) time.Duration {
	if m.cfg.ReRegister > 0 && m.cfg.ReRegister < lifetime {
		return m.cfg.ReRegister
	}
	if m.getvpn() {
		return min(guardReRegisterAt.Delay(m.rules, reRegister), lifetime/2)
	}
	return min(defaultReRegister, lifetime/20)
}

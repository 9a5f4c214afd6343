package ike

import (
	"bytes"
	"io"
	"time"

	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// A Phase 1 SA ends after a time and, if that is agreed, after a number of kilobytes (RFC 2409 appendix A). Either side may have
// less in mind than the transform says: a responder returns the transform as it came and says so in a RESPONDER-LIFETIME
// (RFC 2407 §4.6.3.1), whoever ends an SA in a Delete. The RESPONDER-LIFETIME is a payload of Main Mode 6. Aggressive Mode has no
// place for it, so that it follows in an Informational of its own (RFC 2407 §4.6.3):
//
//	R --> I  HDR*, HASH(1), N

var (
	timerLifetime = rule.Timer("ike.lifetime.seconds", "RFC2409-A-04", rule.Both, 20*time.Second,
		"an SA ends with the lifetime that was agreed")
	checkKilobytes = rule.Check("ike.lifetime.kilobytes", "RFC2409-A-05", rule.Both,
		"an SA ends when it has protected the kilobytes that were agreed")
	dutyShorter = rule.Duty("ike.lifetime.told", "RFC2407-4.6.3.1-01", rule.KS,
		"a responder whose lifetime is shorter than the initiator's says so")
	dutyToldForm = rule.Duty("ike.lifetime.form", "RFC2407-4.6.3.1-03", rule.KS,
		"RESPONDER-LIFETIME is of the DOI of IPsec and names the cookie pair")
	checkLifetimeSPI = rule.Check("ike.lifetime.spi", "RFC2407-4.6.3.1-02", rule.GM,
		"a RESPONDER-LIFETIME is for the SA whose cookie pair it names")
	dutyHeard = rule.Duty("ike.lifetime.heard", "RFC2407-4.6.3.1-02", rule.GM,
		"an initiator keeps to the lifetime that the responder notifies")
)

// kilobyte is what a Life Duration of Life Type kilobytes counts.
const kilobyte = 1024

// Exhausted reports whether the SA has protected as much as it may. It says so once what was going on under it is over.
func (sa *SA) Exhausted() bool {
	limit := sa.agreed.kilobytes
	return limit > 0 && !checkKilobytes.Holds(sa.cfg.Rules, sa.protected < limit*kilobyte)
}

// least is the smaller of two limits, where 0 is none.
func least(a, b uint64) uint64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// kilobyteAttributes offer a lifetime in kilobytes beside that in seconds.
func kilobyteAttributes(kilobytes uint64) []wire.Attribute {
	if kilobytes == 0 {
		return nil
	}
	return []wire.Attribute{
		wire.TV(isakmp.AttrLifeType, isakmp.LifeKilobytes), wire.TLV32(isakmp.AttrLifeDuration, uint32(kilobytes)),
	}
}

// responderLifetime is what a responder says if the SA will live shorter than the transform says.
func (x *Exchange) responderLifetime() []isakmp.Payload {
	if x.initiator || !x.chosen.shortened || !dutyShorter.Kept(x.cfg.Rules) {
		return nil
	}
	as := append([]wire.Attribute{
		wire.TV(isakmp.AttrLifeType, isakmp.LifeSeconds), wire.TLV32(isakmp.AttrLifeDuration, uint32(x.chosen.lifetime/time.Second)),
	}, kilobyteAttributes(x.chosen.kilobytes)...)
	data, err := wire.AppendAttributes(nil, as)
	if err != nil {
		return nil // attributes of four octets always fit
	}
	n := isakmp.Notify{
		DOI: isakmp.DOIIPsec, Protocol: isakmp.ProtoISAKMP, NotifyType: isakmp.NotifyResponderLifetime, SPI: cookiePair(x.ci, x.cr), Data: data,
	}
	if !dutyToldForm.Kept(x.cfg.Rules) {
		n.DOI = x.cfg.DOI
	}
	return []isakmp.Payload{n}
}

// announce is what a responder says under an SA as soon as Aggressive Mode has established it.
func (x *Exchange) announce() []Datagram {
	ps := x.responderLifetime()
	if x.aggressive.claimed == nil || len(ps) == 0 {
		return nil
	}
	d, err := x.sa.SealInformational(x.cfg.Rand, ps...)
	if err != nil || d.Data == nil {
		return nil
	}
	return []Datagram{d}
}

// heed shortens what was chosen to what the responder notifies in message 6.
func (x *Exchange) heed(m *message) {
	x.chosen.limit(x.cfg.notifiedLifetime(m.payloads, cookiePair(x.ci, x.cr)))
}

// heed shortens the SA to what its responder notifies under it.
func (sa *SA) heed(ps []isakmp.Decoded) {
	if sa.initiator {
		sa.agreed.limit(sa.cfg.notifiedLifetime(ps, sa.spi()))
		sa.expiry = sa.begun.Add(timerLifetime.Delay(sa.cfg.Rules, sa.agreed.lifetime))
	}
}

// notifiedLifetime reads a RESPONDER-LIFETIME for the SA of that cookie pair. It is 0, which limits nothing, without one and for one
// that cannot be read.
func (c *Config) notifiedLifetime(ps []isakmp.Decoded, spi []byte) (seconds time.Duration, kilobytes uint64) {
	for _, d := range ps {
		n, ok := d.Payload.(isakmp.Notify)
		if !ok || n.NotifyType != isakmp.NotifyResponderLifetime || !dutyHeard.Kept(c.Rules) ||
			!checkLifetimeSPI.Holds(c.Rules, n.Protocol == isakmp.ProtoISAKMP && bytes.Equal(n.SPI, spi)) {
			continue
		}
		r := wire.NewReader(n.Data)
		told := &terms{values: make(map[uint16]uint64)}
		for _, a := range wire.ParseAttributes(r) {
			if told.read(c.Rules, a) != nil {
				return 0, 0
			}
		}
		if r.Done() == nil {
			return told.seconds, told.kilobytes
		}
	}
	return 0, 0
}

// limit shortens the lifetime of what was chosen.
func (c *choice) limit(seconds time.Duration, kilobytes uint64) {
	if seconds > 0 {
		c.lifetime = min(c.lifetime, seconds)
	}
	c.kilobytes = least(c.kilobytes, kilobytes)
}

// Ending is why an SA is over.
type Ending uint8

// The endings; Alive is none.
const (
	Alive Ending = iota
	Expired
	Dead // the peer gives no sign of life
)

// Wake is when Timer is due.
func (sa *SA) Wake() time.Time {
	if due := sa.liveness.due; !due.IsZero() && due.Before(sa.expiry) {
		return due
	}
	return sa.expiry
}

// Timer is called when the SA wants to be woken. It returns what to send, and whether the SA is over: the peer of one that has
// expired is told by a Delete.
func (sa *SA) Timer(now time.Time, rand io.Reader) ([]Datagram, Ending) {
	if !now.Before(sa.expiry) {
		return sa.goodbye(rand), Expired
	}
	if due := sa.liveness.due; !due.IsZero() && !now.Before(due) {
		return sa.ask(now, rand)
	}
	return nil, Alive
}

// goodbye is a Delete of the SA.
func (sa *SA) goodbye(rand io.Reader) []Datagram {
	d, err := sa.SealDelete(rand)
	if err != nil || d.Data == nil {
		return nil
	}
	return []Datagram{d}
}

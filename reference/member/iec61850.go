package member

import (
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// SAs of IEC 61850 are for devices that protect their own messages (RFC 8052 §1). The member has no data path for them: it hands
// the keys out, tells when each begins and ends, and keeps an account of them.

var (
	guardServes = rule.Check("member.policy.iec61850", "RFC8052-2.2-01", rule.GM,
		"a member takes SAs of IEC 61850 only if it hands out keys for that")
	guardOwnDelay = rule.Check("member.iec61850.atd", "RFC8052-2.2.4.1-01", rule.GM,
		"the activation delay of the group is for SAs without SA_ATD")
)

// serves refuses SAs of IEC 61850 to a member that has nobody to hand them to.
func (m *membership) serves(sas []policy.TrafficSA) error {
	for _, sa := range sas {
		if !guardServes.Holds(m.rules, !ofIEC(sa) || m.cfg.IEC61850) {
			return guardServes.Violated("SPI %08x is of IEC 61850, for %s", sa.SPI, sa.Selector)
		}
	}
	return nil
}

// accepts reports why the member can do nothing with an SA. To hand out keys it needs nothing.
func (m *membership) accepts(sa policy.TrafficSA) error {
	if ofIEC(sa) {
		return nil
	}
	return m.gateway.Accepts(sa)
}

func ofIEC(sa policy.TrafficSA) bool { return sa.Transform.Protocol == policy.ProtocolIEC61850 }

// carried separates the SAs that the data path carries packets under from those whose keys are handed out.
func carried(sas []policy.TrafficSA) (packets, keys []policy.TrafficSA) {
	packets = those(sas, func(sa *policy.TrafficSA) bool {
		iec := ofIEC(*sa)
		if iec {
			keys = append(keys, *sa)
		}
		return !iec
	})
	return packets, keys
}

// handed is an SA whose keys have been handed out.
type handed struct {
	policy.TrafficSA
	from, till time.Time // it is to be sent with from then on, and no longer from then on; zero: as long as it lives
	expiry     time.Time
}

// outlet is the account of SAs of IEC 61850, newest first. The zero value is ready for use.
type outlet struct{ sas []handed }

// take adds SAs. Of the same traffic the older ones are sent with until the new one begins, and end when the deactivation delay
// has passed (RFC 6407 §5.4.1).
func (o *outlet) take(now time.Time, sas []policy.TrafficSA, a policy.Activation, rules *rule.Switches) {
	for _, sa := range sas {
		from := now.Add(o.delay(sa, a, rules))
		o.replace(now, sa, from, a.DTD)
		o.sas = slices.Insert(o.sas, 0, handed{TrafficSA: sa, from: from, expiry: now.Add(sa.Lifetime)})
	}
}

// delay is how long after its arrival an SA begins: its own SA_ATD, or that of the group if there is an older SA to go on with.
func (o *outlet) delay(sa policy.TrafficSA, a policy.Activation, rules *rule.Switches) time.Duration {
	older := slices.ContainsFunc(o.sas, func(h handed) bool { return h.Selector == sa.Selector && h.SPI != sa.SPI })
	switch {
	case older && a.ATD != nil && guardOwnDelay.Holds(rules, sa.Handling.ATD == nil):
		return *a.ATD
	case sa.Handling.ATD != nil:
		return *sa.Handling.ATD
	}
	return 0
}

// replace ends what an SA takes the place of. The same SA told again is one SA.
func (o *outlet) replace(now time.Time, sa policy.TrafficSA, from time.Time, dtd *time.Duration) {
	o.sas = slices.DeleteFunc(o.sas, func(h handed) bool { return h.SPI == sa.SPI && h.Selector == sa.Selector })
	for i := range o.sas {
		old := &o.sas[i]
		if old.Selector != sa.Selector {
			continue
		}
		if old.till.IsZero() || from.Before(old.till) {
			old.till = from
		}
		if dtd != nil && now.Add(*dtd).Before(old.expiry) {
			old.expiry = now.Add(*dtd)
		}
	}
}

// remove takes out the SA of that SPI, or all of them if it is 0.
func (o *outlet) remove(spi uint32) {
	o.sas = slices.DeleteFunc(o.sas, func(h handed) bool { return spi == 0 || h.SPI == spi })
}

// expire takes out what has come to its end.
func (o *outlet) expire(now time.Time) {
	o.sas = slices.DeleteFunc(o.sas, func(h handed) bool { return !now.Before(h.expiry) })
}

func (o *outlet) deadline(next *earliest) {
	for _, h := range o.sas {
		next.or(h.expiry)
	}
}

// status describes the SAs without their keys.
func (o *outlet) status(now time.Time) (list []control.SA) {
	for _, h := range o.sas {
		if now.Before(h.expiry) {
			sending := !now.Before(h.from) && (h.till.IsZero() || now.Before(h.till))
			list = append(list, control.SA{SPI: policy.FormatSPI(h.SPI), Selector: h.Selector.String(), Cipher: h.Transform.String(),
				Expiry: h.expiry, Sending: sending, Detail: control.DetailOf(h.TrafficSA)})
		}
	}
	return list
}

// deleteIEC does what a Delete of IEC 61850 says.
func (m *membership) deleteIEC(spi uint32) {
	if spi == 0 && !guardDeleteAll.Kept(m.rules) {
		return
	}
	m.outlet.remove(spi)
	m.leases.remove(policy.ProtocolIEC61850, spi)
	m.log(core.Info, "SA_REMOVED", "the key server deleted SAs of IEC 61850", "spi", policy.FormatSPI(spi))
}

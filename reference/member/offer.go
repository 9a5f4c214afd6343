package member

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

var guardAuthorised = rule.Check("member.policy.authorised", "RFC5374-4.1.3.5-03", rule.GM,
	"the group sends policy only for flows that the member lets it protect")

var guardRange = rule.Duty("member.policy.range", "RFC5374-4.1.3.4-01", rule.GM,
	"an authorised range of addresses ends where its ends are, be they those of a prefix or not")

var errNothingAuthorised = errors.New("all of it is for flows that are not authorised")

// readOffer reads the policy of message 2. It is not acceptable if it cannot be carried out, or if nothing of it is
// authorised.
func (m *membership) readOffer(now time.Time, sa gdoi.SA, d *core.Datagram) (*gdoimap.Policy, error) {
	m.tellTEKProtocol(sa)
	offer, err := m.readSA(sa)
	if err != nil {
		return nil, err
	}
	err = m.fits(offer.SAs)
	if err == nil {
		err = m.windowed(offer.SAs)
	}
	if err == nil {
		err = m.serves(offer.SAs)
	}
	if err == nil {
		err = m.checkHash(offer.Rekey)
	}
	if err == nil {
		err = m.limited(offer.Rekey, offer.SAs)
	}
	if err != nil {
		return nil, err
	}
	unauthorised := m.unauthorised(offer.SAs)
	for _, v := range unauthorised {
		m.refuse(now, v, d.From)
	}
	if len(unauthorised) > 0 && len(unauthorised) == len(offer.SAs) {
		return nil, errNothingAuthorised
	}
	if err := m.carriesOut(offer.SAs); err != nil {
		m.tellNoEngine(err)
		m.tell(getvpn.GMNoCryptoEngine)
		return nil, err
	}
	return &offer, nil
}

// carriesOut fails if the gateway can use none of the SAs that a policy has. If it is only some, they are left out when the
// policy is installed.
func (m *membership) carriesOut(sas []policy.TrafficSA) (err error) {
	for _, sa := range sas {
		if err = m.accepts(sa); err == nil {
			return nil
		}
	}
	return err
}

// unauthorised lists what the policy asks for beyond the member's authorised flows (RFC 5374 §4.1.3.5).
func (m *membership) unauthorised(sas []policy.TrafficSA) []*rule.Violation {
	var vs []*rule.Violation
	for _, sa := range sas {
		if !m.authorises(sa) {
			vs = append(vs, guardAuthorised.Violated("SPI %08x is for %s, which is not authorised", sa.SPI, sa.Selector))
		}
	}
	return vs
}

// authorised returns the SAs that may be installed. The others are discarded, but their keys had to be there.
func (m *membership) authorised(sas []policy.TrafficSA) []policy.TrafficSA {
	return those(sas, func(sa *policy.TrafficSA) bool { return m.authorises(*sa) })
}

func (m *membership) authorises(sa policy.TrafficSA) bool {
	within := len(m.cfg.Authorised) == 0 || sa.Transform.Protocol == policy.ProtocolIEC61850 || slices.ContainsFunc(m.cfg.Authorised, func(a policy.Flow) bool {
		return m.covers(a, sa.Selector)
	})
	return guardAuthorised.Holds(m.rules, within)
}

// covers reports whether all packets of the selector belong to the flow.
func (m *membership) covers(a policy.Flow, b policy.Selector) bool {
	return b.Traffic == (policy.OIDName{}) && m.ranges(a.Source, b.Source) && m.ranges(a.Destination, b.Destination) &&
		(a.Protocol == 0 || a.Protocol == b.Protocol) &&
		(a.SourcePort == 0 || a.SourcePort == b.SourcePort) &&
		(a.DestinationPort == 0 || a.DestinationPort == b.DestinationPort)
}

// ranges reports whether a prefix lies between the ends of a range (RFC 5374 §4.1.3.4).
func (m *membership) ranges(r policy.AddressRange, p netip.Prefix) bool {
	if guardRange.Kept(m.rules) || r.Any() {
		return r.Covers(p)
	}
	bits := r.First.BitLen()
	for !netip.PrefixFrom(r.First, bits).Contains(r.Last) {
		bits--
	}
	return policy.RangeOf(netip.PrefixFrom(r.First, bits)).Covers(p)
}

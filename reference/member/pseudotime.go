package member

import (
	"errors"
	"time"

	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/pseudotime"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

var guardSynchronised = rule.Duty("member.pull4.pseudotime", "GETVPN-TBAR-11", rule.GM,
	"a member takes over the pseudotime that it is told at registration")

// noStamps is the requirement by which the data path refuses an SA whose packets it cannot make.
const noStamps rule.ID = "GETVPN-TBAR-29"

// tellNoEngine tells of an SA that was refused for want of the function.
func (m *membership) tellNoEngine(err error) {
	var v *rule.Violation
	if errors.As(err, &v) && v.Guard.ID == noStamps {
		m.tell(getvpn.GMNoCryptoEngine)
	}
}

// readSA reads policy as the member's profile has it.
func (m *membership) readSA(sa gdoi.SA) (gdoimap.Policy, error) {
	if m.cfg.Profile == policy.ProfileGETVPN {
		return gdoimap.ReadVendorSA(sa, gdoimap.Vendor{Replay: m.cfg.Replay, Zeros: m.cfg.ZeroAttributes, Deny: policy.DenyNumber(m.cfg.DenyProtocol)}, m.rules)
	}
	if m.cfg.ZeroAttributes {
		return gdoimap.ReadZerosSA(sa, m.rules)
	}
	return gdoimap.ReadSA(sa, m.rules)
}

// timed returns what the first SA with time-based anti-replay tells of it; all SAs of a message tell the same pseudotime.
func timed(sas []policy.TrafficSA) *policy.ReplaySA {
	for _, sa := range sas {
		if sa.Replay != nil && sa.Replay.Method == policy.ReplayTime {
			return sa.Replay
		}
	}
	return nil
}

// synchronise takes over the pseudotime of a registration, whose policy came at that time.
func (m *membership) synchronise(at time.Time, sas []policy.TrafficSA) {
	r := timed(sas)
	if r == nil {
		return
	}
	m.tellApart(at, r)
	if guardSynchronised.Kept(m.rules) {
		m.gateway.Synchronise(at, r.Pseudotime)
	}
}

// tellApart tells of a pseudotime that is quite another than the member's own, if it has one from before (GETVPN-SYSLOG-08).
func (m *membership) tellApart(at time.Time, r *policy.ReplaySA) {
	own, running := m.gateway.Pseudotime(at, r.Ticks())
	apart := max(own, r.Pseudotime) - min(own, r.Pseudotime)
	if running && apart > pseudotime.Skew(m.rules, pseudotime.Span(r.Time())) {
		m.gateway.Apart(apart)
		m.tellLarge(r.Pseudotime, own)
	}
}

func (m *membership) tellLarge(peer, own pseudotime.Stamp) {
	m.tell(getvpn.PseudoTimeLarge, getvpn.Field("ks_pst", peer.Seconds()), getvpn.Field("gm_pst", own.Seconds()))
}

// judgeTime judges the pseudotime of a PUSH by the member's own, if it has one. The error is a *rule.Violation.
func (m *membership) judgeTime(p *push, sas []policy.TrafficSA) error {
	r := timed(sas)
	if r == nil {
		return nil
	}
	j := pseudotime.Judgement{Peer: r.Pseudotime, Follow: true}
	if own, running := m.gateway.Pseudotime(m.now, r.Ticks()); running {
		j = pseudotime.Rekey(m.rules, own, r.Pseudotime, pseudotime.Span(r.Time()))
	}
	p.time = &j
	if j.Refused == nil {
		return nil
	}
	m.gateway.Apart(j.Own - j.Peer)
	return j.Refused
}

// followTime takes over the pseudotime of a PUSH that is carried out.
func (m *membership) followTime(now time.Time, p *push) {
	if p.time == nil {
		return
	}
	if p.time.Large {
		m.gateway.Apart(p.time.Peer - p.time.Own)
		m.tellLarge(p.time.Peer, p.time.Own)
	}
	if p.time.Follow {
		m.gateway.Synchronise(now, p.time.Peer)
	}
}

// tellTooOld tells of a PUSH whose pseudotime is too far behind, and reports whether it was that.
func (m *membership) tellTooOld(p *push) bool {
	if p == nil || p.time == nil || p.time.Refused == nil {
		return false
	}
	m.tell(getvpn.PseudoTimeTooOld, getvpn.Field("my_pst", p.time.Own.Seconds()), getvpn.Field("peer_pst", p.time.Peer.Seconds()),
		getvpn.Field("skew", p.time.Skew.Seconds()))
	return true
}

// tellRepeated tells of a packet that was refused as repeated, if there was one.
func (m *membership) tellRepeated() {
	f, ok := m.gateway.Repeated()
	if !ok {
		return
	}
	if f.Window > 0 {
		m.tell(getvpn.TimebasedReplayFailed, getvpn.Field("src", f.Source), getvpn.Field("my_pst", f.Own), getvpn.Field("peer_pst", f.Peer),
			getvpn.Field("window", f.Window.Seconds()))
	}
	m.tell(getvpn.PktReplayErr, getvpn.Field("id", f.SPI), getvpn.Field("seq", f.Sequence))
}

package group

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// Status is what an operator may see of the group: no keys.
func (g *Group) Status(now time.Time) control.KSGroup {
	s := control.KSGroup{Name: g.cfg.Name, ID: g.cfg.ID, NextSID: uint32(g.nextSID), SAs: []control.SA{}, Members: []control.KSMember{}}
	if r := g.epoch.rekey; r != nil {
		s.Rekey, s.Sequence, s.RekeyExpiry = g.RekeySPI(), r.sequence, r.expires
		s.KEK, s.RekeyCounts = control.KEKOf(r.RekeySA), g.counts.RekeyCounts
		s.KEK.Due = r.replace
	}
	if stamp, running := g.Pseudotime(now); running {
		s.Pseudotime = stamp.String()
	}
	for i, sa := range g.epoch.sas {
		for _, flow := range g.flows(i, sa.TrafficSA) {
			detail := control.DetailOf(flow)
			detail.Due = sa.replace
			s.SAs = append(s.SAs, control.SA{
				SPI: policy.FormatSPI(sa.SPI), Selector: flow.Selector.String(), Cipher: sa.Transform.String(),
				Expiry: sa.expires, Sending: true, Replay: replayStatus(sa.Replay), Detail: detail,
			})
		}
	}
	for _, m := range g.members {
		s.Members = append(s.Members, control.KSMember{
			Identity: m.identity.Brief(), Address: m.address.String(), Registered: m.registered,
			SIDs: m.sids, Acked: m.acked, EverAcked: m.everAcked, MemberCounts: m.counts.status(),
		})
	}
	return s
}

// RekeySPI is the SPI of the Rekey SA in force as an operator reads it; empty without rekey.
func (g *Group) RekeySPI() string {
	if g.epoch.rekey == nil {
		return ""
	}
	return g.epoch.rekey.SPI.String()
}

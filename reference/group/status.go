package group

import (
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
)

// Status is what an operator may see of the group: no keys.
func (g *Group) Status(time.Time) control.KSGroup {
	s := control.KSGroup{Name: g.cfg.Name, ID: g.cfg.ID, NextSID: uint32(g.nextSID), SAs: []control.SA{}, Members: []control.KSMember{}}
	if r := g.epoch.rekey; r != nil {
		s.Rekey, s.Sequence, s.RekeyExpiry = r.SPI.String(), r.sequence, r.expires
	}
	for _, sa := range g.epoch.sas {
		s.SAs = append(s.SAs, control.SA{
			SPI: FormatSPI(sa.SPI), Selector: sa.Selector.String(), Cipher: sa.Transform.String(),
			Expiry: sa.expires, Sending: true,
		})
	}
	for _, m := range g.members {
		s.Members = append(s.Members, control.KSMember{
			Identity: m.identity.String(), Address: m.address.String(), Registered: m.registered,
			SIDs: m.sids, Acked: m.acked, EverAcked: m.everAcked,
		})
	}
	return s
}

// FormatSPI writes the SPI of a Data-Security SA as an operator reads it: eight hexadecimal digits.
func FormatSPI(spi uint32) string { return fmt.Sprintf("%08x", spi) }

package member

import (
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
)

// counts are what an operator sees of what has happened to a member in its group.
type counts struct {
	registrations, attempts, rekeys, acks uint64
	rekeysBefore, acksBefore              uint64 // the latest registration
	lastFrom                              netip.Addr
	lastRekey                             time.Time
}

func (c *counts) registered() {
	c.registrations++
	c.rekeysBefore, c.acksBefore = c.rekeys, c.acks
}

func (c *counts) rekeyed(now time.Time, from netip.Addr) {
	c.rekeys++
	c.lastFrom, c.lastRekey = from, now
}

func (c *counts) status(reRegisters time.Time) control.GMCounts {
	s := control.GMCounts{
		Registrations: c.registrations, Attempts: c.attempts, Rekeys: c.rekeys, RekeysSince: c.rekeys - c.rekeysBefore,
		Acks: c.acks, AcksSince: c.acks - c.acksBefore, LastRekey: c.lastRekey, ReRegisters: reRegisters,
	}
	if c.lastFrom.IsValid() {
		s.LastFrom = c.lastFrom.String()
	}
	return s
}

// reRegisters is when the member registers again unless a rekey comes: for the Data-Security SAs or the Rekey SA, whichever is sooner.
func (m *membership) reRegisters() time.Time {
	var next earliest
	next.or(m.registration.at)
	next.or(m.leases.renewAt)
	if m.rekey != nil {
		next.or(m.rekey.expiry)
	}
	return next.at
}

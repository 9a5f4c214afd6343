package member

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
)

// onCommand does what an operator asks for, and answers.
func (m *Member) onCommand(now time.Time, c *core.Command) {
	switch c.Name {
	case control.Status:
		m.reply(c.ID, m.status(now))
	case control.Register:
		m.renew(now, "the operator asks for it")
		m.reply(c.ID, struct{}{})
	case control.Clear:
		m.clear(now)
		m.reply(c.ID, struct{}{})
	default:
		m.emit(&core.Reply{ID: c.ID, Err: fmt.Sprintf("a group member knows no command %q (%s, %s, %s)",
			c.Name, control.Status, control.Register, control.Clear)})
	}
}

func (m *Member) reply(id uint64, answer any) {
	body, err := json.Marshal(answer)
	if err != nil {
		m.emit(&core.Reply{ID: id, Err: err.Error()})
		return
	}
	m.emit(&core.Reply{ID: id, Body: body})
}

// clear forgets everything but the configuration and registers afresh. Flows that the group protects stay protected:
// until there are keys again they are dropped, not sent in clear.
func (m *Member) clear(now time.Time) {
	m.log(core.Notice, "SA_REMOVED", "the operator cleared all SAs", "group", m.groupText())
	m.exchange, m.pull, m.phase1 = nil, nil, nil
	m.setRekey(nil)
	m.sids = nil
	m.leases.clear()
	m.gateway.Delete(now, 0)
	m.registration = registration{}
	m.register(now)
}

func (m *Member) status(now time.Time) control.GMStatus {
	s := control.GMStatus{
		Role: "GM", Name: m.cfg.Name, Time: now, Group: m.cfg.Group,
		State: m.state(), KeyServer: m.server().String(),
		SAs: m.gateway.SAs(now), Counters: m.gateway.Counters(), Rejects: m.rejects.Counts(),
	}
	if m.rekey != nil {
		s.Rekey, s.Sequence, s.RekeyExpiry = m.rekey.SPI.String(), m.rekey.last, m.rekey.expiry
	}
	if m.sids != nil {
		s.SIDs = m.sids.Values
	}
	return s
}

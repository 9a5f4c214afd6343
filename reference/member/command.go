package member

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// onCommand does what an operator asks for, and answers.
func (m *Member) onCommand(now time.Time, c *core.Command) {
	switch c.Name {
	case control.Status:
		m.reply(c.ID, m.status(now))
	case control.Register:
		m.toGroups(c, func(g *membership) { g.renew(now, "the operator asks for it") })
	case control.Clear:
		m.toGroups(c, func(g *membership) { g.clear(now) })
	case control.Attach, control.Detach:
		m.onAttachment(now, c)
	case control.ClearReplay:
		m.toGroups(c, func(g *membership) { g.gateway.ClearReplay() })
	case control.Direction:
		m.done(c, m.direction(c))
	case control.Clock:
		m.done(c, m.setClock(now, c.Args))
	default:
		m.emit(&core.Reply{ID: c.ID, Err: fmt.Sprintf("a group member knows no command %q (%s, %s, %s, %s, %s, %s, %s, %s)", c.Name, control.Status,
			control.Register, control.Clear, control.ClearReplay, control.Direction, control.Attach, control.Detach, control.Clock)})
	}
}

// done answers a command that has been carried out, or whose arguments are wrong.
func (m *Member) done(c *core.Command, err error) {
	if err != nil {
		m.emit(&core.Reply{ID: c.ID, Err: fmt.Sprintf("arguments of %s: %v", c.Name, err)})
		return
	}
	m.reply(c.ID, struct{}{})
}

// toGroups does to the group that a command names, or to all, what it asks for.
func (m *Member) toGroups(c *core.Command, do func(*membership)) {
	groups, err := m.commanded(c.Args)
	if err != nil {
		m.emit(&core.Reply{ID: c.ID, Err: fmt.Sprintf("arguments of %s: %v", c.Name, err)})
		return
	}
	for _, g := range groups {
		do(g)
	}
	m.reply(c.ID, struct{}{})
}

// commanded are the memberships that the arguments of a command mean.
func (m *Member) commanded(args json.RawMessage) ([]*membership, error) {
	var which control.GroupArgs
	if len(args) > 0 {
		if err := json.Unmarshal(args, &which); err != nil {
			return nil, err
		}
	}
	if which.Group == 0 {
		return m.groups, nil
	}
	for _, g := range m.groups {
		if g.cfg.Group == which.Group {
			return []*membership{g}, nil
		}
	}
	return nil, fmt.Errorf("this member is not of group %d", which.Group)
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
func (m *membership) clear(now time.Time) {
	m.log(core.Notice, "SA_REMOVED", "the operator cleared all SAs", "group", m.groupText())
	m.tell(getvpn.GMClearRegister)
	m.forget(now)
	m.register(now)
}

// forget ends everything that the member has of its group, and what it was about to do for it.
func (m *membership) forget(now time.Time) {
	m.exchange, m.pull, m.phase1, m.keeper = nil, nil, nil, keeper{}
	m.setRekey(nil)
	m.sids = nil
	m.leases.clear()
	m.gateway.Delete(now, policy.ProtocolESP, 0)
	m.gateway.Delete(now, policy.ProtocolAH, 0)
	m.outlet, m.received = outlet{}, nil
	m.clearPolicy()
	m.registration = registration{}
}

// status shows the first group as if it were the only one, and all of them if there are several.
func (m *Member) status(now time.Time) control.GMStatus {
	s := control.GMStatus{
		Role: "GM", Name: m.cfg.Name, Time: now, Address: m.groups[0].cfg.Address.String(), GMGroup: m.groups[0].status(now),
		Counters: m.gateway.Counters(), Rejects: m.rejects.Counts(),
	}
	if len(m.groups) > 1 {
		for _, g := range m.groups {
			s.Groups = append(s.Groups, g.status(now))
		}
	}
	return s
}

func (m *membership) status(now time.Time) control.GMGroup {
	s := control.GMGroup{Group: m.cfg.Group, State: m.state(), KeyServer: m.server().String(), SAs: append(m.gateway.SAs(now), m.outlet.status(now)...),
		GMCounts: m.counts.status(m.reRegisters())}
	s.Pseudotime = m.gateway.Replay(now)
	if m.rekey != nil {
		s.Rekey, s.Sequence, s.RekeyExpiry = m.rekey.SPI.String(), m.rekey.last, m.rekey.expiry
		s.KEK = control.KEKOf(m.rekey.RekeySA)
	}
	if m.cfg.Track != nil {
		s.Track = m.tracked.String()
	}
	if m.sids != nil {
		s.SIDs = m.sids.Values
	}
	s.Modes, s.Expired = m.modes(now), m.received.ended(now)
	return s
}

package keyserver

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/group"
)

// onCommand answers an operator; see package control.
func (k *KeyServer) onCommand(now time.Time, c *core.Command) {
	var answer any
	var err error
	switch c.Name {
	case control.Status:
		answer = k.status(now)
	case control.Rekey:
		answer, err = k.rekey(now, c.Args)
	case control.Exclude:
		answer, err = k.exclude(now, c.Args)
	case control.Readmit:
		answer, err = struct{}{}, k.readmit(c.Args)
	case control.Clear:
		answer, err = struct{}{}, k.clear(now, c.Args)
	case control.ReceiveOnly:
		answer, err = k.receiveOnly(now, c.Args)
	case control.Configure:
		answer, err = k.configure(now, c.Args)
	case control.Clock:
		answer, err = struct{}{}, k.setClock(now, c.Args)
	default:
		err = fmt.Errorf("a key server knows no command %q (%s, %s, %s, %s, %s, %s, %s, %s)", c.Name, control.Status, control.Rekey, control.Exclude, control.Readmit,
			control.Clear, control.ReceiveOnly, control.Configure, control.Clock)
	}
	k.reply(c.ID, answer, err)
}

func (k *KeyServer) reply(id uint64, answer any, err error) {
	var body json.RawMessage
	if err == nil {
		body, err = json.Marshal(answer)
	}
	r := &core.Reply{ID: id, Body: body}
	if err != nil {
		r.Body, r.Err = nil, err.Error()
	}
	k.out = append(k.out, r)
}

func (k *KeyServer) status(now time.Time) control.KSStatus {
	s := control.KSStatus{
		Role: "KS", Name: k.cfg.Name, Time: now, Address: k.cfg.Address.String(), Phase1: k.sessions.established(), HalfOpen: k.sessions.waiting.all.Len(),
		Groups: []control.KSGroup{}, Rejects: k.refused.Counts(),
	}
	for _, c := range k.groups {
		one := c.Status(now)
		if k.getvpn() {
			one.Direction = c.Usage().String()
		}
		s.Groups = append(s.Groups, one)
	}
	return s
}

// rekey replaces what the operator asks for, now.
func (k *KeyServer) rekey(now time.Time, args json.RawMessage) (control.RekeyResult, error) {
	var what control.RekeyArgs
	if len(args) > 0 {
		if err := json.Unmarshal(args, &what); err != nil {
			return control.RekeyResult{}, fmt.Errorf("arguments of rekey: %w", err)
		}
	}
	c, err := k.commanded(what.Group)
	if err != nil {
		return control.RekeyResult{}, err
	}
	plans, err := c.Rekey(now, what)
	if err != nil {
		return control.RekeyResult{}, err
	}
	k.carry(c, plans...)
	return resultOf(c, plans), nil
}

// resultOf is what an operator is told of the messages that a command has led to: the last one.
func resultOf(c *carried, plans []group.Plan) control.RekeyResult {
	last := plans[len(plans)-1]
	return control.RekeyResult{Sequence: last.Rekey.Sequence, SPIs: spis(last.Rekey), Rekey: c.RekeySPI()}
}

// commanded is the group a command is about; 0 names the only one.
func (k *KeyServer) commanded(id uint32) (*carried, error) {
	if c := k.byID[id]; c != nil {
		return c, nil
	}
	switch {
	case id != 0:
		return nil, fmt.Errorf("there is no group %d", id)
	case len(k.groups) != 1:
		return nil, fmt.Errorf("say which of the %d groups", len(k.groups))
	}
	return k.groups[0], nil
}

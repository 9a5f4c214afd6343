package vrf

import (
	"encoding/json"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
)

// command has every member obey an operator. The answer is that of the first who did, or if nobody did, what the first says
// against it: a command about one group is for the member who is in it. What the members show is shown as one.
func (d *Device) command(now time.Time, c *core.Command) {
	var replies []*core.Reply
	for i := range d.tables {
		t := &d.tables[i]
		for _, e := range t.Core.Handle(now, c) {
			if r, ok := e.(*core.Reply); ok {
				replies = append(replies, r)
			} else {
				d.out = append(d.out, d.placed(t, e))
			}
		}
	}
	if c.Name == control.Status {
		d.out = append(d.out, d.together(c.ID, replies))
		return
	}
	if answer := best(replies); answer != nil {
		d.out = append(d.out, answer)
	}
}

func best(replies []*core.Reply) *core.Reply {
	for _, r := range replies {
		if r.Err == "" {
			return r
		}
	}
	if len(replies) == 0 {
		return nil
	}
	return replies[0]
}

// together is the status of the device: that of its first member, with the groups of all and with what all have counted.
func (d *Device) together(id uint64, replies []*core.Reply) *core.Reply {
	var all control.GMStatus
	for i, r := range replies {
		var one control.GMStatus
		if err := json.Unmarshal(r.Body, &one); err != nil {
			return &core.Reply{ID: id, Err: err.Error()}
		}
		groups := one.Memberships()
		for j := range groups {
			groups[j].VRF = d.tables[i].VRF
		}
		if i == 0 {
			all = one
			all.GMGroup, all.Groups = groups[0], groups
			continue
		}
		all.Groups = append(all.Groups, groups...)
		add(all.Counters, one.Counters)
		add(all.Rejects, one.Rejects)
	}
	body, err := json.Marshal(all)
	if err != nil {
		return &core.Reply{ID: id, Err: err.Error()}
	}
	return &core.Reply{ID: id, Body: body}
}

func add(to, more map[string]uint64) {
	for name, n := range more {
		to[name] += n
	}
}

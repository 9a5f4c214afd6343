package vrf

import (
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var (
	guardIn = rule.Duty("vrf.in", "GETVPN-VRF-02", rule.GM,
		"what comes in by a VRF is for the member of that VRF and nobody else")
	guardOut = rule.Duty("vrf.out", "GETVPN-VRF-02", rule.GM,
		"what the member of a VRF sends leaves by that VRF")
)

// Table is a member and the VRF that it stands in.
type Table struct {
	VRF  string
	Core core.Core
}

// Device is a core of several members. Events and effects of the first are as if it were alone, those of the others are in a
// core.EventIn and core.EffectIn. Logs, secrets and replies are the device's.
type Device struct {
	tables []Table
	rules  *rule.Switches
	out    []core.Effect
}

var _ core.Core = (*Device)(nil)

// New makes a device of its members, of which there is one at least.
func New(tables []Table, rules *rule.Switches) *Device { return &Device{tables: tables, rules: rules} }

// Deadline is the earliest of the members'.
func (d *Device) Deadline() (at time.Time, ok bool) {
	for _, t := range d.tables {
		if when, has := t.Core.Deadline(); has && (!ok || when.Before(at)) {
			at, ok = when, true
		}
	}
	return at, ok
}

// Handle gives an event to whom it is for: Start and Timer to every member, a Command to all of them if it names no VRF.
func (d *Device) Handle(now time.Time, ev core.Event) []core.Effect {
	d.out = d.out[:0]
	switch ev := ev.(type) {
	case *core.EventIn:
		if t := d.table(ev.VRF); t != nil {
			d.give(now, t, ev.Event)
		} else if c, ok := ev.Event.(*core.Command); ok {
			d.out = append(d.out, &core.Reply{ID: c.ID, Err: fmt.Sprintf("there is no VRF %q", ev.VRF)})
		}
	case *core.Command:
		d.command(now, ev)
	case *core.Start, *core.Timer:
		for i := range d.tables {
			d.give(now, &d.tables[i], ev)
		}
	default:
		d.give(now, &d.tables[0], ev)
	}
	return d.out
}

// table is the one of that VRF, or nil.
func (d *Device) table(vrf string) *Table {
	if !guardIn.Kept(d.rules) {
		return &d.tables[0]
	}
	for i := range d.tables {
		if d.tables[i].VRF == vrf {
			return &d.tables[i]
		}
	}
	return nil
}

// give lets a member handle an event.
func (d *Device) give(now time.Time, t *Table, ev core.Event) {
	for _, e := range t.Core.Handle(now, ev) {
		d.out = append(d.out, d.placed(t, e))
	}
}

// placed is an effect where it is to be: of the first member where the device is, of others in their VRF.
func (d *Device) placed(t *Table, e core.Effect) core.Effect {
	if t == &d.tables[0] || !guardOut.Kept(d.rules) {
		return e
	}
	switch e := e.(type) {
	case *core.Log:
		told := *e
		told.Fields = append(e.Fields[:len(e.Fields):len(e.Fields)], core.Field{Name: "vrf", Value: t.VRF})
		return &told
	case *core.Send, *core.Forward, *core.Join, *core.Leave:
		return &core.EffectIn{VRF: t.VRF, Effect: e}
	}
	return e
}

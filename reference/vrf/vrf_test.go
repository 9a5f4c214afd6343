package vrf_test

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/vrf"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// echo is a member that sends what it is given to its key server, and remembers events.
type echo struct {
	group  uint32
	at     time.Time // its deadline
	events []core.Event
}

func (e *echo) Deadline() (time.Time, bool) { return e.at, !e.at.IsZero() }

func (e *echo) Handle(_ time.Time, ev core.Event) []core.Effect {
	e.events = append(e.events, ev)
	switch ev := ev.(type) {
	case *core.Datagram:
		return []core.Effect{&core.Send{From: ev.To, To: ev.From, Data: ev.Data}, &core.Log{Tag: "ECHO"}}
	case *core.Packet:
		return []core.Effect{&core.Forward{To: core.Outside, Data: ev.Data}}
	case *core.Command:
		return []core.Effect{e.answer(ev), &core.Join{Stream: core.Stream{Group: netip.MustParseAddr("239.1.1.1")}}}
	}
	return nil
}

func (e *echo) answer(c *core.Command) *core.Reply {
	switch c.Name {
	case control.Status:
		body, _ := json.Marshal(control.GMStatus{Name: "gm", GMGroup: control.GMGroup{Group: e.group},
			Counters: map[string]uint64{"encrypted": uint64(e.group)}, Rejects: map[string]uint64{"X": 1}})
		return &core.Reply{ID: c.ID, Body: body}
	case control.Clear:
		if e.group == 2 {
			return &core.Reply{ID: c.ID, Body: []byte("{}")}
		}
	}
	return &core.Reply{ID: c.ID, Err: "no"}
}

func device(altered ...string) (*vrf.Device, *echo, *echo) {
	red, blue := &echo{group: 1}, &echo{group: 2}
	var rules rule.Switches
	for i := 0; i+1 < len(altered); i += 2 {
		if err := rules.Set(altered[i], altered[i+1]); err != nil {
			panic(err)
		}
	}
	return vrf.New([]vrf.Table{{VRF: "red", Core: red}, {VRF: "blue", Core: blue}}, &rules), red, blue
}

// What happens in a VRF is for the member there, and what that sends leaves there.
func TestApart(t *testing.T) {
	d, red, blue := device()
	datagram := &core.Datagram{Data: []byte("x")}
	effects := d.Handle(epoch, &core.EventIn{VRF: "blue", Event: datagram})
	if len(red.events) != 0 || len(blue.events) != 1 || blue.events[0] != core.Event(datagram) {
		t.Errorf("%v, %v", red.events, blue.events)
	}
	in, ok := effects[0].(*core.EffectIn)
	if !ok || in.VRF != "blue" || string(in.Effect.(*core.Send).Data) != "x" {
		t.Errorf("%+v", effects[0])
	}
	if l := effects[1].(*core.Log); !reflect.DeepEqual(l.Fields, []core.Field{{Name: "vrf", Value: "blue"}}) {
		t.Errorf("%+v", l)
	}
	for _, ev := range []core.Event{&core.Packet{Data: []byte("y")}, &core.EventIn{VRF: "red", Event: &core.Packet{Data: []byte("y")}}} {
		if effects := d.Handle(epoch, ev); len(effects) != 1 || string(effects[0].(*core.Forward).Data) != "y" {
			t.Errorf("%+v", effects)
		}
	}
	if effects := d.Handle(epoch, &core.EventIn{VRF: "green", Event: datagram}); len(effects) != 0 {
		t.Errorf("%+v", effects)
	}
}

// Time is everybody's, and the earliest deadline the device's.
func TestTime(t *testing.T) {
	d, red, blue := device()
	if at, ok := d.Deadline(); ok {
		t.Error(at)
	}
	red.at, blue.at = epoch.Add(2*time.Second), epoch.Add(time.Second)
	if at, ok := d.Deadline(); !ok || at != blue.at {
		t.Error(at, ok)
	}
	d.Handle(epoch, &core.Start{})
	d.Handle(epoch, &core.Timer{})
	if len(red.events) != 2 || len(blue.events) != 2 {
		t.Errorf("%v, %v", red.events, blue.events)
	}
}

// An operator speaks to all members, or to that of one VRF.
func TestCommands(t *testing.T) {
	d, _, _ := device()
	reply := func(ev core.Event) *core.Reply {
		t.Helper()
		var found []*core.Reply
		for _, e := range d.Handle(epoch, ev) {
			if r, ok := e.(*core.Reply); ok {
				found = append(found, r)
			}
		}
		if len(found) != 1 {
			t.Fatalf("%d answers", len(found))
		}
		return found[0]
	}
	var s control.GMStatus
	if err := json.Unmarshal(reply(&core.Command{ID: 7, Name: control.Status}).Body, &s); err != nil {
		t.Fatal(err)
	}
	groups := s.Memberships()
	if len(groups) != 2 || groups[0].VRF != "red" || groups[1].VRF != "blue" || groups[1].Group != 2 || s.Counters["encrypted"] != 3 || s.Rejects["X"] != 2 {
		t.Errorf("%+v", s)
	}
	for _, c := range []struct {
		ev  core.Event
		err string
	}{
		{&core.Command{ID: 7, Name: control.Clear}, ""},
		{&core.Command{ID: 7, Name: control.Register}, "no"},
		{&core.EventIn{VRF: "red", Event: &core.Command{ID: 7, Name: control.Clear}}, "no"},
		{&core.EventIn{VRF: "blue", Event: &core.Command{ID: 7, Name: control.Clear}}, ""},
		{&core.EventIn{VRF: "green", Event: &core.Command{ID: 7, Name: control.Clear}}, `there is no VRF "green"`},
	} {
		if r := reply(c.ev); r.ID != 7 || r.Err != c.err {
			t.Errorf("%+v: %+v", c.ev, r)
		}
	}
}

// Somebody outside can tell the device from each of its mutants.
func TestMutants(t *testing.T) {
	in := &core.EventIn{VRF: "blue", Event: &core.Packet{Data: []byte("y")}}
	d, red, _ := device("vrf.in", "broken")
	if d.Handle(epoch, in); len(red.events) != 1 {
		t.Error("vrf.in")
	}
	d, _, _ = device("vrf.out", "broken")
	if _, ok := d.Handle(epoch, in)[0].(*core.Forward); !ok {
		t.Error("vrf.out")
	}
}

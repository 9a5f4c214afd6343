package peer

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

const drivenText = `name: x
features: ['*']
roles:
  GM:
    driver:
      command: [my-driver, "{{ .Program }}"]
      environment: ["NODE={{ .Name }}"]
      settings: ["address=192.0.2.99", "login={{ text (index .Phase1.PSKs 0).Key }}=x"]
      within: 2m
    syslog: {events: driver}
    control: {commands: [status]}
    keylog: {}
    snmp: {address: "127.0.0.1:161", community: "{{ .Name }}"}
`

// A driver is rendered for a device like a process, and what its settings mean is its own affair.
func TestDriver(t *testing.T) {
	m := manifest(t, drivenText)
	r, err := m.GM.Ride(Subject{Place: place(""), GM: member()})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Command, []string{"my-driver", "/bin/gdoilab"}) || !slices.Equal(r.Environment, []string{"NODE=gm1"}) || r.Directory != "/tmp/x" {
		t.Errorf("%+v", r)
	}
	if !maps.Equal(r.Settings, map[string]string{"address": "192.0.2.99", "login": "a key=x"}) || r.Within != 2*time.Minute {
		t.Errorf("%+v", r)
	}
	if r.SNMP != "127.0.0.1:161" || r.Community != "gm1" {
		t.Errorf("%+v", r)
	}
	if err := r.Find(); err == nil || !strings.HasPrefix(err.Error(), "x.yaml:6:16: the driver of the device cannot be started: ") {
		t.Errorf("%v", err)
	}
	if r.Command[0] = "/bin/true"; r.Find() != nil {
		t.Error("there is no /bin/true")
	}
	if why := m.GM.Ignores(Subject{GM: member()}, Subject{GM: member()}); why != "" {
		t.Errorf("a driver is told everything, but: %s", why)
	}
	if m.GM.Lacks(ControlStatus) != "" || m.GM.Lacks(ControlClear) == "" || m.GM.Lacks(ReadLog) != "" || m.GM.Lacks(ReadKeys) != "" || m.GM.Lacks(Mutants) == "" {
		t.Error("what it declares is not what it can")
	}
	if _, err := load(t, DefaultName).GM.Ride(Subject{GM: member()}); !errors.Is(err, ErrNoDriver) {
		t.Errorf("%v", err)
	}
	if _, err := m.GM.Launch(Subject{GM: member()}); !errors.Is(err, ErrNoProcess) {
		t.Errorf("%v", err)
	}
	text := strings.Replace(drivenText, "{{ .Program }}", "{{ .Nothing }}", 1)
	if _, err := manifest(t, text).GM.Ride(Subject{GM: member()}); err == nil || !strings.HasPrefix(err.Error(), "x.yaml:6:28: ") {
		t.Errorf("%v", err)
	}
}

// What a role with a driver must not say beside it is found before anything runs.
func TestBrokenDrivers(t *testing.T) {
	for _, c := range []struct {
		old, by, want string
		schema        bool
	}{
		{"command:", "comand:", "unknown field; did you mean command?", true},
		{`[my-driver, "{{ .Program }}"]`, "[]", "the list is empty", true},
		{"within: 2m", "within: 2h", "2h is out of range", false},
		{`["address=192.0.2.99"`, `["192.0.2.99"`, `"192.0.2.99" is no setting; write NAME=value`, true},
		{"    driver:", "    process: {command: [x], ready: {line: x}}\n    driver:", "a device is a process or has a driver, not both", true},
		{"{events: driver}", "{from: stderr, events: gdoilab}", "comes from the driver, or from udp or tcp; leave out from", true},
		{"{events: driver}", "{from: udp, events: driver}", "events that come from the driver need no from", true},
		{"    driver:\n", "    core: reference-gm\n    other:\n", "events come from the driver, and there is none", true},
		{`{address: "127.0.0.1:161", `, `{`, `the field "address" is missing`, true},
	} {
		text := strings.Replace(drivenText, c.old, c.by, 1)
		if _, err := Parse("x.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\n%v\nwant %s", c.by, err, c.want)
		}
		if c.schema && valid(t, []byte(text)) == nil {
			t.Errorf("the schema lets pass: %s", c.by)
		}
	}
	if err := valid(t, []byte(drivenText)); err != nil {
		t.Errorf("the schema refuses what is right: %v", err)
	}
}

// Lines of a driver that names its events are read by what it says of them.
func TestNamedEvents(t *testing.T) {
	e := manifest(t, drivenText).GM.Syslog.Events
	line, ok := e.Read(`{"name":"REFUSED","text":"a line","fields":{"requirement":"RFC6407-4.4-02","from":"x"}}`)
	if !ok || line.Tag != "REFUSED" || line.Text != "a line" || line.Requirement != "RFC6407-4.4-02" || line.Fields["from"] != "x" {
		t.Errorf("%+v, %v", line, ok)
	}
	for _, text := range []string{`{"text":"of nothing"}`, "no JSON", `[]`, ""} {
		if line, ok := e.Read(text); ok {
			t.Errorf("%s: %+v", text, line)
		}
	}
}

package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/harness/driver"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Drive is a device in the hands of whoever wants to drive it step by step, by the contract of package driver.
type Drive struct {
	driver.Driver
	Place  driver.Preparation
	Policy driver.Policy
	// Left are the processes that are in the device's namespace now, on a fabric with namespaces.
	Left func() []string
}

// driving is a Net that has drivers.
type driving interface {
	drive(s Station) (Node, Drive, error)
}

// Drive gives a device to whoever drives it, instead of Start. Behind a driver that is the driver, with which nobody has spoken yet. Any other
// device is driven through its manifest. It is stopped with the network.
func (p *Peer) Drive() (Drive, error) {
	if p.station.Device.Driver() == nil {
		d := &manifestDriver{peer: p}
		return Drive{Driver: d, Place: d.place(), Policy: driver.Policy{Role: p.station.Device.Is.String()}, Left: func() []string { return p.lab.left(p.Name()) }}, nil
	}
	net, ok := p.lab.Net.(driving)
	if !ok {
		return Drive{}, errNoWorkshop
	}
	node, drive, err := net.drive(p.station)
	if err != nil {
		return Drive{}, fmt.Errorf("lab: %s: %w", p.Name(), err)
	}
	p.node = node
	return drive, nil
}

// NamesEvents reports whether a device's driver says what the lines of its log tell of.
func (p *Peer) NamesEvents() bool {
	log := p.station.Device.Syslog
	return log != nil && log.Events.Named
}

// left are the processes in a node's namespace.
func (l *Lab) left(node string) []string {
	if n, ok := l.Net.(interface{ Left(node string) []string }); ok {
		return n.Left(node)
	}
	return nil
}

// manifestDriver drives a device that its manifest says how to start, as a core or a process.
type manifestDriver struct {
	peer    *Peer
	applied bool
	runs    bool
}

var _ driver.Driver = (*manifestDriver)(nil)

func (d *manifestDriver) place() driver.Preparation {
	return driver.Preparation{Role: d.peer.station.Device.Is.String(), Node: d.peer.Name()}
}

// Hello names the manifest.
func (d *manifestDriver) Hello(context.Context, driver.Greeting) (driver.Identity, error) {
	m := d.peer.lab.env.Device
	return driver.Identity{Version: driver.Version, Name: m.Name, Release: m.Version, Roles: []string{d.peer.station.Device.Is.String()}}, nil
}

// Capabilities are what the manifest declares.
func (d *manifestDriver) Capabilities(_ context.Context, names []string) (map[string]driver.Answer, error) {
	answers := make(map[string]driver.Answer)
	for _, name := range names {
		answers[name] = d.capable(name)
	}
	return answers, nil
}

// abilities are those by which the optional methods are answered.
var abilities = map[string]peer.Ability{
	driver.MethodState: peer.ControlStatus, driver.MethodClock: peer.ControlStatus, driver.MethodTraffic: peer.ControlStatus,
	driver.MethodEvents: peer.ReadLog, driver.MethodSecrets: peer.ReadKeys,
}

func (d *manifestDriver) capable(name string) driver.Answer {
	device := d.peer.station.Device
	trigger, isTrigger := strings.CutPrefix(name, driver.TriggerCapability(""))
	ability, optional := abilities[name]
	lacks := ""
	switch {
	case isTrigger && slices.Contains(driver.Triggers, trigger):
		lacks = device.Lacks(controlAbility + peer.Ability(trigger))
		if trigger == driver.TriggerReplace {
			lacks = device.Lacks(peer.ControlRekey)
		}
	case name == driver.MethodTraffic && device.Is == rule.KS, name == driver.MethodCollect:
		return driver.NotSupported
	case optional:
		lacks = device.Lacks(ability)
	case slices.Contains(peer.FeatureNames(), name):
		lacks = d.peer.lab.env.Device.LacksFeature(name)
	default:
		return driver.Unknown
	}
	if lacks != "" {
		return driver.NotSupported
	}
	return driver.Supported
}

// Prepare has nothing to do: the network is there, and the manifest knows it.
func (d *manifestDriver) Prepare(context.Context, driver.Preparation) error { return nil }

// Apply renders what the manifest makes of the policy of its station.
func (d *manifestDriver) Apply(context.Context, driver.Policy) (driver.Applied, error) {
	files, err := d.files()
	if err != nil {
		return driver.Applied{}, err
	}
	d.applied = true
	var applied driver.Applied
	for _, f := range files {
		applied.Files = append(applied.Files, driver.File{Name: filepath.Base(f.Path), Content: string(f.Content)})
	}
	return applied, nil
}

func (d *manifestDriver) files() ([]peer.File, error) {
	if d.peer.station.Device.Process() == nil {
		return d.peer.station.policyFiles()
	}
	launch, err := Rehearse(d.peer.station.Device)
	if err != nil {
		return nil, err
	}
	return launch.Files, nil
}

// Start starts the device.
func (d *manifestDriver) Start(ctx context.Context) error {
	if !d.applied || d.runs {
		return fmt.Errorf("%w: a device starts once it has a configuration, and while it does not run", driver.ErrNotNow)
	}
	err := d.peer.Start(ctx)
	d.runs = err == nil
	return err
}

// Stop ends the device.
func (d *manifestDriver) Stop(context.Context) error {
	if !d.runs {
		return fmt.Errorf("%w: the device does not run", driver.ErrNotNow)
	}
	d.runs = false
	return d.peer.Stop()
}

// Reset forgets the device. Its files go with the network.
func (d *manifestDriver) Reset(context.Context) error {
	var err error
	if d.runs {
		err = d.peer.Stop()
	}
	d.runs, d.applied, d.peer.node = false, false, nil
	return err
}

// Trigger sends the command of that name.
func (d *manifestDriver) Trigger(ctx context.Context, t driver.Trigger) (json.RawMessage, error) {
	if d.capable(driver.TriggerCapability(t.Name)) != driver.Supported {
		return nil, fmt.Errorf("%w: there is nothing to trigger by %q", driver.ErrUnsupported, t.Name)
	}
	command, args := t.Name, any(nil)
	if len(t.Args) > 0 {
		args = t.Args
	}
	if t.Name == driver.TriggerReplace {
		command, args = control.Rekey, control.RekeyArgs{Replace: true}
	}
	var answer json.RawMessage
	err := d.ask(ctx, command, args, &answer)
	return answer, err
}

// ask asks the device. What it does not declare is unsupported.
func (d *manifestDriver) ask(ctx context.Context, command string, args, out any) error {
	if !d.runs {
		return fmt.Errorf("%w: the device does not run", driver.ErrNotNow)
	}
	err := d.peer.ask(ctx, command, args, out)
	var declared *peer.Unsupported
	if errors.As(err, &declared) {
		return fmt.Errorf("%w: %s", driver.ErrUnsupported, declared.Declaration)
	}
	return err
}

// controlSource is where answers to the control protocol are from.
const controlSource = "the control command status"

// State is the answer to status.
func (d *manifestDriver) State(ctx context.Context) (driver.State, error) {
	s := driver.State{Source: controlSource}
	if err := d.ask(ctx, control.Status, nil, &s.Status); err != nil {
		return s, err
	}
	common, err := common(s.Status)
	s.Time = common.Time
	return s, err
}

// common is what both roles' statuses have, and a member's counters.
func common(status json.RawMessage) (s commonStatus, err error) {
	return s, json.Unmarshal(status, &s)
}

type commonStatus struct {
	Time     time.Time         `json:"time"`
	Counters map[string]uint64 `json:"counters"`
}

// Events are the lines of the log, by the manifest's events.
func (d *manifestDriver) Events(_ context.Context, after int) (driver.Events, error) {
	device := d.peer.station.Device
	if why := device.Lacks(peer.ReadLog); why != "" {
		return driver.Events{}, fmt.Errorf("%w: %s", driver.ErrUnsupported, why)
	}
	lines := d.peer.log()
	e := driver.Events{Next: len(lines)}
	for _, text := range lines[min(max(after, 0), len(lines)):] {
		event := driver.Event{Text: text}
		line, ok := device.Syslog.Events.Read(text)
		if known := func(e struct{ Name, Doc string }) bool { return e.Name == line.Tag }; ok && slices.ContainsFunc(peer.EventNames, known) {
			event.Name, event.Time, event.Fields = line.Tag, line.Time, line.Fields
		}
		e.Events = append(e.Events, event)
	}
	return e, nil
}

// Clock is the time of a status.
func (d *manifestDriver) Clock(ctx context.Context) (driver.Clock, error) {
	s, err := d.State(ctx)
	return driver.Clock{Time: s.Time, Source: s.Source}, err
}

// Secrets is the key log.
func (d *manifestDriver) Secrets(context.Context) (driver.Secrets, error) {
	if why := d.peer.station.Device.Lacks(peer.ReadKeys); why != "" {
		return driver.Secrets{}, fmt.Errorf("%w: %s", driver.ErrUnsupported, why)
	}
	return driver.Secrets{Keys: d.peer.keys()}, nil
}

// Traffic is what a member's status counts.
func (d *manifestDriver) Traffic(ctx context.Context) (driver.Traffic, error) {
	if d.peer.station.Device.Is == rule.KS {
		return driver.Traffic{}, fmt.Errorf("%w: a key server has no data path", driver.ErrUnsupported)
	}
	s, err := d.State(ctx)
	if err != nil {
		return driver.Traffic{}, err
	}
	common, err := common(s.Status)
	return driver.Traffic{Time: s.Time, Source: s.Source, Counters: common.Counters}, err
}

// Collect has nothing beyond what the other methods give.
func (d *manifestDriver) Collect(context.Context) (driver.Collected, error) {
	return driver.Collected{}, driver.ErrUnsupported
}

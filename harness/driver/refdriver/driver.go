package refdriver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/gdoilab/gdoilab/harness/driver"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/operator"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/syslog"
)

// Driver drives one key server or member. Its zero value is not ready: see New.
type Driver struct {
	program string // that becomes a daemon if its environment says so
	release string

	place  *driver.Preparation // nil: not prepared
	config bool                // there is a configuration
	daemon *daemon             // that was started last, running or not
}

var _ driver.Driver = (*Driver)(nil)

// New makes a driver of daemons that the program of that path becomes.
func New(program, release string) *Driver { return &Driver{program: program, release: release} }

// Hello gives name and release.
func (d *Driver) Hello(context.Context, driver.Greeting) (driver.Identity, error) {
	return driver.Identity{Version: driver.Version, Name: "reference", Release: d.release, Roles: []string{rule.KS.String(), rule.GM.String()}}, nil
}

// Capabilities says yes to what the reference has: every feature of the vocabulary, and what can be asked of the role.
func (d *Driver) Capabilities(_ context.Context, names []string) (map[string]driver.Answer, error) {
	answers := make(map[string]driver.Answer, len(names))
	for _, name := range names {
		answers[name] = d.capable(name)
	}
	return answers, nil
}

func (d *Driver) capable(name string) driver.Answer {
	trigger, isTrigger := strings.CutPrefix(name, driver.TriggerCapability(""))
	switch {
	case isTrigger && !slices.Contains(driver.Triggers, trigger):
		return driver.Unknown
	case isTrigger && !slices.Contains(d.triggers(), trigger):
		return driver.NotSupported
	case name == driver.MethodTraffic && d.place != nil && d.place.Role == rule.KS.String():
		return driver.NotSupported
	case isTrigger || slices.Contains(driver.Optional, name) || slices.Contains(peer.FeatureNames(), name):
		return driver.Supported
	}
	return driver.Unknown
}

// triggers are those that the role knows, or both of them together as long as it is not known.
func (d *Driver) triggers() []string {
	ks := []string{control.Rekey, control.Exclude, control.Readmit, control.Configure, control.Clear, control.ReceiveOnly, control.Console,
		driver.TriggerReplace}
	gm := []string{control.Register, control.Clear, control.ClearReplay, control.Attach, control.Detach, control.Direction, control.Console}
	switch {
	case d.place == nil:
		return append(ks, gm...)
	case d.place.Role == rule.KS.String():
		return ks
	}
	return gm
}

// Prepare keeps the place.
func (d *Driver) Prepare(_ context.Context, p driver.Preparation) error {
	if d.running() {
		return fmt.Errorf("%w: the device runs", driver.ErrNotNow)
	}
	if p.Role != rule.KS.String() && p.Role != rule.GM.String() {
		return fmt.Errorf("%w: there is no role %q", driver.ErrUnsupported, p.Role)
	}
	d.place, d.config, d.daemon = &p, false, nil
	return nil
}

// Apply writes the policy as the reference's configuration, which has the same fields in YAML.
func (d *Driver) Apply(_ context.Context, p driver.Policy) (driver.Applied, error) {
	if d.place == nil || d.running() {
		return driver.Applied{}, fmt.Errorf("%w: a policy is applied between prepare and start", driver.ErrNotNow)
	}
	text, err := yaml.JSONToYAML(p.Document)
	if err != nil {
		return driver.Applied{}, fmt.Errorf("%w: the policy is no document: %w", driver.ErrFailed, err)
	}
	if err := os.WriteFile(d.path(configFile), text, 0o600); err != nil {
		return driver.Applied{}, err
	}
	d.config = true
	return driver.Applied{Files: []driver.File{{Name: configFile, Content: string(text)}}}, nil
}

// The files of a device.
const (
	configFile  = "config.yaml"
	controlFile = "control"
	keysFile    = "keys.jsonl"
)

func (d *Driver) path(name string) string { return filepath.Join(d.place.Dir, name) }

func (d *Driver) running() bool { return d.daemon != nil && !d.daemon.hasEnded() }

// Start starts the daemon in its namespace and waits until it answers.
func (d *Driver) Start(ctx context.Context) error {
	if !d.config || d.running() {
		return fmt.Errorf("%w: a device starts once it has a configuration, and while it does not run", driver.ErrNotNow)
	}
	started, err := d.launch()
	if err != nil {
		return err
	}
	d.daemon = started
	if err := started.awaitUp(ctx, d.path(controlFile)); err != nil {
		return errors.Join(err, started.stop(ctx))
	}
	return nil
}

// Stop ends the daemon.
func (d *Driver) Stop(ctx context.Context) error {
	if !d.running() {
		return fmt.Errorf("%w: the device does not run", driver.ErrNotNow)
	}
	return d.daemon.stop(ctx)
}

// Reset ends the daemon if it runs and removes its files.
func (d *Driver) Reset(ctx context.Context) error {
	var errs []error
	if d.running() {
		errs = append(errs, d.daemon.stop(ctx))
	}
	if d.place != nil {
		for _, name := range []string{configFile, controlFile, keysFile} {
			if err := os.Remove(d.path(name)); !errors.Is(err, os.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	d.place, d.config, d.daemon = nil, false, nil
	return errors.Join(errs...)
}

// Trigger sends the command of that name.
func (d *Driver) Trigger(ctx context.Context, t driver.Trigger) (json.RawMessage, error) {
	if !slices.Contains(d.triggers(), t.Name) {
		return nil, fmt.Errorf("%w: there is nothing to trigger by %q", driver.ErrUnsupported, t.Name)
	}
	command, args := t.Name, t.Args
	if t.Name == driver.TriggerReplace {
		var rekey control.RekeyArgs
		if len(args) > 0 {
			if err := json.Unmarshal(args, &rekey); err != nil {
				return nil, fmt.Errorf("%w: %w", driver.ErrFailed, err)
			}
		}
		rekey.Replace = true
		raw, err := json.Marshal(rekey)
		if err != nil {
			return nil, err
		}
		command, args = control.Rekey, raw
	}
	return d.ask(ctx, command, args)
}

// ask sends the daemon a command.
func (d *Driver) ask(ctx context.Context, command string, args json.RawMessage) (json.RawMessage, error) {
	if !d.running() {
		return nil, fmt.Errorf("%w: the device does not run", driver.ErrNotNow)
	}
	client, err := operator.Dial(ctx, d.path(controlFile))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", driver.ErrFailed, err)
	}
	defer client.Close()
	var given any
	if len(args) > 0 {
		given = args
	}
	var answer json.RawMessage
	err = client.Call(ctx, command, given, &answer)
	if errors.Is(err, operator.ErrRefused) {
		return nil, fmt.Errorf("%w: %s", driver.ErrFailed, strings.TrimPrefix(err.Error(), operator.ErrRefused.Error()+": "))
	}
	return answer, err
}

// source is where the reference's answers are from.
const source = "the command status on its control socket"

// State is the answer to status.
func (d *Driver) State(ctx context.Context) (driver.State, error) {
	status, common, err := d.status(ctx)
	return driver.State{Time: common.Time, Source: source, Status: status}, err
}

// common is what both roles' statuses have, and the counters of a member's.
type common struct {
	Time     time.Time         `json:"time"`
	Counters map[string]uint64 `json:"counters"`
}

// status asks for everything and reads what is needed here.
func (d *Driver) status(ctx context.Context) (json.RawMessage, common, error) {
	var common common
	raw, err := d.ask(ctx, control.Status, nil)
	if err == nil {
		err = json.Unmarshal(raw, &common)
	}
	return raw, common, err
}

// Events are the lines of the daemon's log, in the form of package syslog.
func (d *Driver) Events(_ context.Context, after int) (driver.Events, error) {
	if d.daemon == nil {
		return driver.Events{}, fmt.Errorf("%w: nothing has been started", driver.ErrNotNow)
	}
	lines := d.daemon.since(after)
	events := driver.Events{Events: []driver.Event{}, Next: after + len(lines)}
	for _, text := range lines {
		e := driver.Event{Text: text}
		if line, err := syslog.Parse(text); err == nil {
			e.Time, e.Fields = line.Time, line.Fields
			if slices.ContainsFunc(peer.EventNames, func(known struct{ Name, Doc string }) bool { return known.Name == line.Tag }) {
				e.Name = line.Tag
			}
		}
		events.Events = append(events.Events, e)
	}
	return events, nil
}

// Clock is the time of a status.
func (d *Driver) Clock(ctx context.Context) (driver.Clock, error) {
	_, common, err := d.status(ctx)
	return driver.Clock{Time: common.Time, Source: source}, err
}

// Secrets reads the key log.
func (d *Driver) Secrets(context.Context) (driver.Secrets, error) {
	if d.place == nil {
		return driver.Secrets{}, fmt.Errorf("%w: nothing has been prepared", driver.ErrNotNow)
	}
	data, err := os.ReadFile(d.path(keysFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return driver.Secrets{}, err
	}
	keys, _ := keylog.Read(data) // the last line may be under way
	return driver.Secrets{Keys: keys}, nil
}

// Traffic is what a member's status counts.
func (d *Driver) Traffic(ctx context.Context) (driver.Traffic, error) {
	if d.capable(driver.MethodTraffic) != driver.Supported {
		return driver.Traffic{}, fmt.Errorf("%w: a key server has no data path", driver.ErrUnsupported)
	}
	_, common, err := d.status(ctx)
	t := driver.Traffic{Time: common.Time, Source: source, Counters: make(map[string]uint64)}
	for _, name := range driver.Counters {
		t.Counters[name] = common.Counters[name]
	}
	return t, err
}

// Collect has nothing beyond what the other methods give.
func (d *Driver) Collect(context.Context) (driver.Collected, error) {
	return driver.Collected{Files: []driver.File{}}, nil
}

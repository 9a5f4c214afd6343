package peer

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/harness/driver"
	"github.com/gdoilab/gdoilab/reference/control"
)

// Driver is a program that drives a device by the contract of package driver. What the device is, only that program knows.
type Driver struct {
	At          string
	Command     []Text // the program, then its arguments
	Environment []Text // NAME=value
	Directory   Text   // nothing: the device's own folder
	Settings    []Text // NAME=value, for the driver alone
	Within      time.Duration
}

func (*Driver) start() {}

// Driver returns the driver of the device, nil if it has none.
func (r *Role) Driver() *Driver {
	for _, s := range r.Starts {
		if d, ok := s.(*Driver); ok {
			return d
		}
	}
	return nil
}

// Ride is a Driver with everything rendered.
type Ride struct {
	At          string // place of the command
	Command     []string
	Environment []string
	Directory   string
	Settings    map[string]string
	Within      time.Duration // for each answer
	SNMP        string        // address of the device's agent with its port; "" if there is none
	Community   string        // that may ask it
}

// ErrNoDriver is returned when a device that has no driver is to be driven.
var ErrNoDriver = errors.New("peer: the manifest names no driver")

// Ride renders everything for one device; see Launch.
func (r *Role) Ride(s Subject) (*Ride, error) {
	d := r.Driver()
	if d == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoDriver, r.At)
	}
	w := writer{data: r.data(s)}
	ride := &Ride{At: d.At, Command: w.all(d.Command), Environment: w.all(d.Environment), Directory: w.one(d.Directory),
		Settings: make(map[string]string), Within: d.Within}
	if ride.Directory == "" {
		ride.Directory = s.Dir
	}
	for _, setting := range w.all(d.Settings) {
		name, value, _ := strings.Cut(setting, "=")
		ride.Settings[name] = value
	}
	if r.SNMP != nil {
		ride.SNMP, ride.Community = w.one(r.SNMP.Address), w.one(r.SNMP.Community)
	}
	return ride, errors.Join(w.errs...)
}

// Find returns an error if there is no program of the command's name.
func (r *Ride) Find() error {
	program := r.Command[0]
	if strings.Contains(program, "/") && !filepath.IsAbs(program) {
		program = filepath.Join(r.Directory, program)
	}
	if _, err := exec.LookPath(program); err != nil {
		return fmt.Errorf("%s: the driver of the device cannot be started: %w", r.At, err)
	}
	return nil
}

// Capability is something that a manifest declares, and that the device's driver therefore has to support.
type Capability struct {
	Name     string // as drivers are asked for it
	Declared string // as the manifest says it
	At       string
}

// Capabilities are what the driver of the device has to support, because the manifest declares it.
func (r *Role) Capabilities() []Capability {
	var all []Capability
	if r.Control != nil {
		for _, command := range r.Control.Commands {
			name := driver.TriggerCapability(command)
			if command == control.Status {
				name = driver.MethodState
			}
			all = append(all, Capability{name, "the control command " + command, r.Control.At})
		}
	}
	if r.Syslog != nil && r.Syslog.From == "" {
		all = append(all, Capability{driver.MethodEvents, "a log of its driver", r.Syslog.At})
	}
	if r.KeyLog != nil {
		all = append(all, Capability{driver.MethodSecrets, "a key log", r.KeyLog.At})
	}
	return all
}

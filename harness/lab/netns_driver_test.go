package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/harness/driver"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// playing is the variable by which this program is started as a driver of the tests.
const playing = "GDOILAB_TEST_DRIVER"

// oddDriver is a driver of no device, with one oddity.
type oddDriver struct {
	driver.Unsupported
	odd   string
	place driver.Preparation
}

// playDriver is a driver, if this program was started as one.
func playDriver() {
	if odd := os.Getenv(playing); odd != "" {
		_ = driver.Serve(context.Background(), &oddDriver{odd: odd}, os.Stdin, os.Stdout)
		os.Exit(0)
	}
}

func (o *oddDriver) Hello(context.Context, driver.Greeting) (driver.Identity, error) {
	if o.odd == "version" {
		return driver.Identity{Version: 2, Name: "odd"}, nil
	}
	return driver.Identity{Version: driver.Version, Name: "odd"}, nil
}

func (o *oddDriver) Capabilities(_ context.Context, names []string) (map[string]driver.Answer, error) {
	answers := make(map[string]driver.Answer)
	for _, name := range names {
		answers[name] = driver.Supported
		if o.odd == "lacks" || name == driver.Invented {
			answers[name] = driver.Unknown
		}
	}
	return answers, nil
}

func (o *oddDriver) Prepare(_ context.Context, p driver.Preparation) error {
	o.place = p
	return nil
}

func (o *oddDriver) Apply(_ context.Context, p driver.Policy) (driver.Applied, error) {
	switch o.odd {
	case "policy":
		return driver.Applied{}, fmt.Errorf("%w: no word for groups", driver.ErrUnsupported)
	case "empty":
		return driver.Applied{}, nil
	}
	place, err := json.Marshal(o.place)
	return driver.Applied{Files: []driver.File{{Name: "odd.cfg", Content: string(place)}, {Name: "policy.json", Content: string(p.Document)}}}, err
}

// Start leaves a program in the device's namespace that nobody ends.
func (o *oddDriver) Start(context.Context) error {
	if o.odd == "dies" {
		fmt.Fprintln(os.Stderr, "no licence")
		os.Exit(3)
	}
	if o.odd != "leaves" {
		return nil
	}
	cmd := exec.Command("sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return Enter(o.place.Network.Namespace, cmd.Start)
}

func (o *oddDriver) Stop(context.Context) error  { return nil }
func (o *oddDriver) Reset(context.Context) error { return nil }

func (o *oddDriver) State(context.Context) (driver.State, error) {
	return driver.State{Time: time.Unix(1, 0), Status: json.RawMessage("{}")}, nil
}

func (o *oddDriver) Trigger(_ context.Context, t driver.Trigger) (json.RawMessage, error) {
	return nil, fmt.Errorf("%w: not on a Sunday", driver.ErrFailed)
}

func (o *oddDriver) Events(_ context.Context, after int) (driver.Events, error) {
	lines := []driver.Event{{Text: "hello"}, {Text: "in", Name: "REGISTERED", Fields: map[string]string{"group": "7"}}}
	return driver.Events{Events: lines[min(after, 2):], Next: 2}, nil
}

func (o *oddDriver) Collect(context.Context) (driver.Collected, error) {
	return driver.Collected{Files: []driver.File{{Name: "tech.txt", Content: "all"}, {Name: "../outside", Content: "x"}}}, nil
}

// odd makes a manifest of a member behind such a driver.
func odd(t *testing.T, oddity string) *peer.Manifest {
	t.Helper()
	m, err := peer.Parse("odd.yaml", []byte(strings.ReplaceAll(`name: odd
features: ["*"]
roles:
  GM:
    driver: {command: ["{{ .Program }}"], environment: [`+playing+`=ODDITY], settings: [colour=blue]}
    syslog: {events: driver}
    control: {commands: [status, clear]}
`, "ODDITY", oddity)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A driver that is not what its manifest or the contract says does not start, and it is said why.
func TestOddDrivers(t *testing.T) {
	for _, c := range []struct{ odd, want string }{
		{"version", "hello: not understood: it speaks version 2 of the contract, and this program version 1"},
		{"lacks", "odd declares the control command status (odd.yaml:7:14), but its driver answers state: unknown"},
		{"policy", "odd as GM: no word for groups (its driver, odd.yaml:5:23)"},
		{"empty", "apply: not understood: no configuration was made of the policy"},
		{"dies", "driver: odd of gm1: start: the driver ended; it printed last: no licence; exit status 3"},
	} {
		t.Run(c.odd, func(t *testing.T) {
			closing := ""
			if c.odd == "dies" {
				closing = "the driver ended"
			}
			l := open(t, odd(t, c.odd), closing)
			err := l.GM[0].Start(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
			if declared := errors.As(err, new(*peer.Unsupported)); declared != (c.odd == "policy") {
				t.Errorf("%v is a declaration: %v", err, declared)
			}
		})
	}
}

// What a driver says is read, and what it keeps is kept; what it says without saying where it is from is not taken.
func TestDrivenDevice(t *testing.T) {
	l := open(t, odd(t, "none"), "")
	gm := l.GM[0]
	if err := gm.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines := gm.Logged("REGISTERED")
	if len(lines) != 1 || lines[0].Text != "in" || lines[0].Fields["group"] != "7" || len(gm.Log()) != 2 {
		t.Errorf("%+v of %q", lines, gm.Log())
	}
	if err := gm.Alive(t.Context()); err == nil || !strings.Contains(err.Error(), "state: not understood: a state that does not say where it is from") {
		t.Errorf("%v", err)
	}
	if err := gm.Clear(t.Context()); err == nil || err.Error() != "lab: gm1 answers clear with: not on a Sunday" {
		t.Errorf("%v", err)
	}
	if err := gm.Stop(); err != nil {
		t.Error(err)
	}
	if len(gm.Log()) != 2 {
		t.Errorf("%q is left of the log", gm.Log())
	}
	shown, err := gm.Show()
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for _, f := range shown.Config {
		files[f.Path] = string(f.Content)
	}
	var place driver.Preparation
	if err := json.Unmarshal([]byte(files["odd.cfg"]), &place); err != nil {
		t.Fatal(err)
	}
	if place.Role != rule.GM.String() || place.Node != "gm1" || place.Settings["colour"] != "blue" || place.Network.WAN.Addresses[0] != "192.0.2.21/24" ||
		string(place.Credentials.PSKs[0].Key) != string(psk) {
		t.Errorf("%+v", place)
	}
	if files["collected/tech.txt"] != "all" || len(files) != 4 || !strings.Contains(files["driver.json"], `"name": "odd"`) || !strings.Contains(files["policy.json"], `"group":1234`) {
		t.Errorf("%v", files)
	}
}

// What a driver leaves running is found and ended.
func TestDriverThatLeavesProcesses(t *testing.T) {
	l := open(t, odd(t, "leaves"), "lab: gm1 was stopped, and still there was process ")
	if err := l.GM[0].Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A driver in another language: the example in Python drives the reference in both roles.
func TestDriverInPython(t *testing.T) {
	needKernel(t)
	for _, program := range []string{"/usr/bin/python3", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	m, err := peer.Load("../../fixtures/drivers/reference-python.yaml")
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(t.Context(), Env{Fabric: Namespaces{}, Seed: "1", Device: m}, Setup{Device: rule.Both})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := l.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r, err := l.KS.Rekey(t.Context(), control.RekeyArgs{}); err != nil || r.Sequence != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if !l.GM[0].AwaitLog(t.Context(), "REKEY_ACCEPTED", 0, Patience) {
		t.Errorf("%q", l.GM[0].Log())
	}
	if len(l.Keys()) == 0 {
		t.Error("nobody has any keys")
	}
}

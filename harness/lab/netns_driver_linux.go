package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/gdoilab/gdoilab/harness/driver"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// driven is a device behind a driver: a program that is told where the device is to be, and brings it there.
type driven struct {
	net     *kernelNet
	station Station
	dir     string
	ride    *peer.Ride
	program *driver.Program
	source  logSource // of a device that sends its log to us; nil if the driver has it
	once    sync.Once

	mu      sync.Mutex
	text    []string // of the log, as far as it was read
	next    int
	applied []driver.File
	after   []peer.File    // what there was to keep once it had ended
	keys    []keylog.Entry // once it has ended
	ended   bool
}

var (
	_ Node    = (*driven)(nil)
	_ managed = (*driven)(nil)
)

// startDriven starts a driver and has it bring the device up.
func (n *kernelNet) startDriven(ctx context.Context, s Station) (Node, error) {
	d, err := n.ride(s)
	if err != nil {
		return nil, err
	}
	if err := d.bringUp(ctx); err != nil {
		return nil, d.declared(err)
	}
	return d, nil
}

// drive starts a driver and leaves it to whoever asked for it.
func (n *kernelNet) drive(s Station) (Node, Drive, error) {
	d, err := n.ride(s)
	if err != nil {
		return nil, Drive{}, err
	}
	preparation, told, err := n.preparation(s)
	preparation.Settings = d.ride.Settings
	return d, Drive{Driver: d.program, Place: preparation, Policy: told, Left: func() []string { return n.Left(s.Name) }}, err
}

// ride starts the driver's program.
func (n *kernelNet) ride(s Station) (*driven, error) {
	n.life.Lock()
	defer n.life.Unlock()
	if n.closed {
		return nil, errClosed
	}
	d := &driven{net: n, station: s, dir: filepath.Join(n.dir, s.Name)}
	if err := d.render(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	if err := d.listen(); err != nil {
		return nil, err
	}
	var err error
	if d.program, err = RunDriver(d.ride, s.Device.Device+" of "+s.Name); err != nil {
		return nil, errors.Join(err, d.unlisten())
	}
	n.nodes = append(n.nodes, d)
	return d, nil
}

// RunDriver starts the program of a driver, with the owner's mark. Name stands in errors.
func RunDriver(r *peer.Ride, name string) (*driver.Program, error) {
	cmd := exec.Command(r.Command[0], r.Command[1:]...)
	cmd.Env = slices.Concat(os.Environ(), r.Environment, []string{OwnerEnv + "=" + owner()})
	cmd.Dir = r.Directory
	p, err := driver.Run(name, cmd, r.Within)
	if err != nil {
		return nil, fmt.Errorf("lab: starting a driver (%s): %w", r.At, err)
	}
	return p, nil
}

// render makes what the manifest says of the driver.
func (d *driven) render() error {
	s := d.station
	subject := peer.Subject{KS: s.KS, GM: s.GM, Place: peer.Place{Dir: d.dir, WAN: wanInterface, LogTo: logTo(s.Device)}}
	if d.net.plan.Hosts && s.GM != nil {
		subject.LAN = lanInterface
	}
	var err error
	if subject.Program, err = os.Executable(); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	d.ride, err = s.Device.Ride(subject)
	return err
}

// listen opens the receiver of a device that sends its log.
func (d *driven) listen() (err error) {
	if log := d.station.Device.Syslog; log == nil || log.From == "" {
		return nil
	}
	node := d.station.Name
	enter := func(f func() error) error { return d.net.inside(node, f) }
	if d.station.Device.Syslog.From == peer.SourceTCP {
		d.source, err = d.net.receiveStream(node, logReceiver, enter)
	} else {
		d.source, err = d.net.receiveLog(node, logReceiver, enter)
	}
	return err
}

func (d *driven) unlisten() error {
	if d.source == nil {
		return nil
	}
	return d.source.close()
}

// bringUp says hello, compares what the driver can do with what its manifest declares, and has it place, configure and start the device.
func (d *driven) bringUp(ctx context.Context) error {
	if _, err := driver.Meet(ctx, d.program, harnessName); err != nil {
		return err
	}
	if err := d.agree(ctx); err != nil {
		return err
	}
	preparation, told, err := d.net.preparation(d.station)
	if err != nil {
		return err
	}
	preparation.Settings = d.ride.Settings
	if err := d.program.Prepare(ctx, preparation); err != nil {
		return err
	}
	applied, err := d.program.Apply(ctx, told)
	if err != nil {
		return err
	}
	if why := applied.Fault(); why != "" {
		return &driver.Error{Driver: d.program.Name(), Method: driver.MethodApply, Err: driver.ErrProtocol, Message: why}
	}
	d.applied = applied.Files
	return d.program.Start(ctx)
}

// harnessName is what a driver is greeted with.
const harnessName = "gdoilab"

// agree holds the manifest against the driver: what the one declares the other has to support.
func (d *driven) agree(ctx context.Context) error {
	for _, c := range d.station.Device.Capabilities() {
		lacking, err := driver.Lacking(ctx, d.program, c.Name)
		if err != nil {
			return err
		}
		if lacking != "" {
			return fmt.Errorf("lab: %s declares %s (%s), but its driver answers %s", d.station.Device.Device, c.Declared, c.At, lacking)
		}
	}
	return nil
}

// declared turns a policy for which a device has no word into its declaration.
func (d *driven) declared(err error) error {
	var typed *driver.Error
	if errors.As(err, &typed) && typed.Method == driver.MethodApply && errors.Is(err, driver.ErrUnsupported) {
		device := d.station.Device
		return &peer.Unsupported{Declaration: fmt.Sprintf("%s as %s: %s (its driver, %s)", device.Device, device.Is, typed.Message, d.ride.At)}
	}
	return fmt.Errorf("lab: %s: %w", d.station.Name, err)
}

// preparation is what a driver is told of a station.
func (n *kernelNet) preparation(s Station) (driver.Preparation, driver.Policy, error) {
	p := driver.Preparation{Role: s.Device.Is.String(), Node: s.Name, Dir: filepath.Join(n.dir, s.Name), SyslogTo: logTo(s.Device),
		Network: driver.Network{Namespace: filepath.Join(netnsDir, n.spaceName(s.Name)), WAN: driver.Interface{Name: wanInterface}}}
	wan := []netip.Prefix{netip.PrefixFrom(KeyServerAddr, WAN.Bits()), netip.PrefixFrom(KeyServerAddr6, WAN6.Bits())}
	if s.GM != nil {
		i := indexOf(s.Name)
		wan = []netip.Prefix{netip.PrefixFrom(MemberAddr(i), WAN.Bits()), netip.PrefixFrom(MemberAddr6(i), WAN6.Bits())}
		if n.plan.Hosts {
			lan := []netip.Prefix{netip.PrefixFrom(LANGateway(i), MemberLAN(i).Bits()), netip.PrefixFrom(LANGateway6(i), MemberLAN6(i).Bits())}
			p.Network.LAN = &driver.Interface{Name: lanInterface, Addresses: n.written(lan)}
		}
	}
	p.Network.WAN.Addresses = n.written(wan)
	var told driver.Policy
	var err error
	if s.KS != nil {
		told, p.Credentials, err = driver.OfKeyServer(*s.KS)
	} else {
		told, p.Credentials, err = driver.OfMember(*s.GM)
	}
	return p, told, err
}

// written are the addresses of an interface, that of IPv6 only if the network has it.
func (n *kernelNet) written(addresses []netip.Prefix) []string {
	if !n.plan.IPv6 {
		addresses = addresses[:1]
	}
	texts := make([]string, len(addresses))
	for i, a := range addresses {
		texts[i] = a.String()
	}
	return texts
}

// indexOf is the number of a member of that name.
func indexOf(name string) int {
	i := 1
	for MemberName(i) != name {
		i++
	}
	return i
}

func (d *driven) Do(ctx context.Context, command string, args any) (control.Response, error) {
	if command == control.Status {
		s, err := d.program.State(ctx)
		if why := s.Fault(d.station.Device.Is.String()); err == nil && why != "" {
			err = &driver.Error{Driver: d.program.Name(), Method: driver.MethodState, Err: driver.ErrProtocol, Message: why}
		}
		return d.response(s.Status, err)
	}
	t := driver.Trigger{Name: command}
	if rekey, ok := args.(control.RekeyArgs); ok && rekey.Replace {
		t.Name = driver.TriggerReplace
	}
	if args != nil {
		raw, err := json.Marshal(args)
		if err != nil {
			return control.Response{}, fmt.Errorf("lab: arguments of %s: %w", command, err)
		}
		t.Args = raw
	}
	return d.response(d.program.Trigger(ctx, t))
}

// response makes an answer of what a driver says. What the device refuses is its answer.
func (d *driven) response(body json.RawMessage, err error) (control.Response, error) {
	var refused *driver.Error
	switch {
	case errors.Is(err, driver.ErrFailed) && errors.As(err, &refused):
		return control.Response{Error: refused.Message}, nil
	case err != nil:
		return control.Response{}, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	return control.Response{Body: body}, nil
}

// Log asks for the lines that there were not yet when it was asked last.
func (d *driven) Log() []string {
	if d.source != nil {
		return d.source.all()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.ended {
		d.readLog(context.Background())
	}
	return slices.Clone(d.text)
}

func (d *driven) readLog(ctx context.Context) {
	log := d.station.Device.Syslog
	if log == nil || d.source != nil {
		return
	}
	events, err := d.program.Events(ctx, d.next)
	if err != nil || events.Next < d.next {
		return
	}
	for _, e := range events.Events {
		line := e.Text
		if log.Events.Named {
			raw, _ := json.Marshal(peer.NamedEvent{Name: e.Name, Text: e.Text, Fields: e.Fields})
			line = string(raw)
		}
		d.text = append(d.text, line)
	}
	d.next = events.Next
}

func (d *driven) Keys() []keylog.Entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return slices.Clone(d.keys)
	}
	secrets, err := d.program.Secrets(context.Background())
	if err != nil {
		return nil
	}
	return secrets.Keys
}

// Config returns the device's own configuration as the driver made it, and behind it what the driver printed and what it thought
// worth keeping.
func (d *driven) Config() ([]peer.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	files := kept("", d.applied)
	if said := d.program.Stderr(); len(said) > 0 {
		files = append(files, peer.File{Path: "driver.stderr", Content: []byte(strings.Join(said, "\n") + "\n")})
	}
	if strays := d.program.Strays(); len(strays) > 0 {
		files = append(files, peer.File{Path: "driver.strays", Content: []byte(strings.Join(strays, "\n") + "\n")})
	}
	return append(files, d.after...), nil
}

// kept makes files of evidence, in a folder of their own.
func kept(folder string, files []driver.File) []peer.File {
	var all []peer.File
	for _, f := range files {
		if filepath.IsLocal(f.Name) {
			all = append(all, peer.File{Path: filepath.ToSlash(filepath.Join(folder, f.Name)), Content: []byte(f.Content)})
		}
	}
	return all
}

// Stop has the driver end the device, keeps what there is to keep, and has everything forgotten. Then the driver ends too. What it leaves
// running is killed, and that is an error.
func (d *driven) Stop() (err error) {
	d.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*d.ride.Within)
		defer cancel()
		err = errors.Join(unlessDone(d.program.Stop(ctx)), d.keep(ctx), unlessDone(d.program.Reset(ctx)), d.program.Close(Patience), d.unlisten(),
			d.net.evict(d.station.Name))
	})
	return err
}

// unlessDone overlooks that a driver had nothing to do.
func unlessDone(err error) error {
	if errors.Is(err, driver.ErrNotNow) || errors.Is(err, driver.ErrUnsupported) {
		return nil
	}
	return err
}

// keep asks a last time for what is gone after a reset.
func (d *driven) keep(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.readLog(ctx)
	secrets, _ := d.program.Secrets(ctx)
	d.keys, d.ended = secrets.Keys, true
	collected, err := d.program.Collect(ctx)
	d.after = kept("collected", collected.Files)
	return unlessDone(err)
}

func (d *driven) community() string { return d.ride.Community }

func (d *driven) manageBy(ctx context.Context, message []byte) ([]byte, error) {
	enter := func(f func() error) error { return d.net.inside(d.station.Name, f) }
	return manage(ctx, enter, d.ride.SNMP, message)
}

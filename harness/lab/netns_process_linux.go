package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/router"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// process is a device: a program of which we know what its manifest says.
type process struct {
	net            *kernelNet
	name, dir      string
	vrf            string                   // of a device that stands in several, the one of this node; "": there are no others
	enter          func(func() error) error // runs a function where the program belongs
	launch         *peer.Launch
	cmd            *exec.Cmd            // nil: it is a container's
	signal         func(syscall.Signal) // to the device and what it started
	stdout, stderr *lines
	log            logSource
	trapped        *trapSocket // nil: it notifies nobody
	exited         chan struct{}
	once           sync.Once
	asked          uint64
	stdin          io.Reader       // nil: nothing
	console        *router.Session // nil: nobody has typed yet, or not over SSH
	last           []keylog.Entry  // the key log, once the process has been stopped
}

// startProcess starts a device and waits until it is up.
func (n *kernelNet) startProcess(ctx context.Context, s Station) (Node, error) {
	p, err := n.launch(s)
	if err != nil {
		return nil, err
	}
	if err := p.await(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// await waits until the device is up.
func (p *process) await(ctx context.Context) error {
	ready := p.net.Wait(ctx, p.launch.Ready.Within, func() bool { return p.hasExited() || p.isUp() })
	if !ready || p.hasExited() {
		return fmt.Errorf("lab: %s did not come up: %s", p.name, strings.Join(append(p.stderr.all(), p.stdout.all()...), "; "))
	}
	return nil
}

// launch writes a device's files and starts it.
func (n *kernelNet) launch(s Station) (*process, error) {
	n.life.Lock()
	defer n.life.Unlock()
	if n.closed {
		return nil, errClosed
	}
	p := n.newProcess(s.Name)
	if len(s.Tables) > 0 {
		p.vrf = s.GM.VRF
	}
	if err := p.prepare(s); err != nil {
		return nil, err
	}
	if err := p.start(); err != nil {
		return nil, errors.Join(err, p.deafen())
	}
	n.nodes = append(n.nodes, p)
	go func() { _ = p.cmd.Wait(); close(p.exited) }()
	return p, nil
}

// newProcess is a device of a node, before anything is done for it.
func (n *kernelNet) newProcess(node string) *process {
	p := &process{net: n, name: node, dir: filepath.Join(n.dir, node), log: noLog{}, exited: make(chan struct{}),
		stdout: &lines{net: n}, stderr: &lines{net: n}}
	p.enter = func(f func() error) error { return n.inside(node, f) }
	return p
}

// prepare renders what the manifest says, writes the files and opens the log.
func (p *process) prepare(s Station) (err error) {
	if err := p.render(s, p.dir); err != nil {
		return err
	}
	if err := p.write(); err != nil {
		return err
	}
	return p.listen(s)
}

// listen opens what the device's log and its notifications come in by.
func (p *process) listen(s Station) (err error) {
	if p.trapped, err = p.net.openTraps(s, p.enter); err != nil {
		return err
	}
	if p.log, err = p.openLog(s.Device.Syslog); err != nil {
		return errors.Join(err, p.trapped.close())
	}
	return nil
}

// deafen closes that.
func (p *process) deafen() error { return errors.Join(p.log.close(), p.trapped.close()) }

// render makes what the manifest says of a device whose own folder is dir.
func (p *process) render(s Station, dir string) (err error) {
	place := peer.Place{Dir: dir, WAN: wanInterface, LogTo: logTo(s.Device)}
	subject := peer.Subject{KS: s.KS, GM: s.GM, Mutants: s.Mutants, Place: place}
	if p.net.plan.Hosts && s.GM != nil {
		subject.LAN = lanInterface
	}
	if subject.Program, err = os.Executable(); err != nil {
		return err
	}
	usual, err := usually(s)
	if err != nil {
		return err
	}
	if why := s.Device.Ignores(subject, usual); why != "" {
		return &peer.Unsupported{Declaration: why}
	}
	p.launch, err = s.Device.Launch(subject)
	return err
}

// write makes the device's folder and its files.
func (p *process) write() error {
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return err
	}
	for _, f := range p.launch.Files {
		if err := writeDeviceFile(f); err != nil {
			return err
		}
	}
	return nil
}

func writeDeviceFile(f peer.File) error {
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
		return err
	}
	mode := os.FileMode(f.Mode)
	if err := os.WriteFile(f.Path, f.Content, mode); err != nil {
		return err
	}
	return os.Chmod(f.Path, mode) // whatever the umask took away
}

// start starts the program in the device's namespace, in a process group of its own: a person's Ctrl-C is for us, who then
// stop it in order.
func (p *process) start() error {
	p.cmd = exec.Command(p.launch.Command[0], p.launch.Command[1:]...)
	p.cmd.Env = slices.Concat(os.Environ(), p.launch.Environment, []string{OwnerEnv + "=" + owner()})
	p.cmd.Dir = p.launch.Directory
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	p.cmd.WaitDelay = Patience
	p.cmd.Stdin = p.stdin
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.enter(p.cmd.Start); err != nil {
		return fmt.Errorf("lab: starting %s (%s): %w", p.name, p.launch.At, err)
	}
	p.signal = func(s syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, s) }
	return nil
}

// isUp looks at what the manifest says tells that the device is up.
func (p *process) isUp() bool {
	switch ready := p.launch.Ready; {
	case p.launch.ReadyFile != "":
		return fileIsReady(p.launch.ReadyFile)
	case ready.Line != nil:
		return slices.ContainsFunc(slices.Concat(p.stderr.all(), p.stdout.all(), p.log.all()), ready.Line.MatchString)
	default:
		return p.net.listens(p.name, ready.Port)
	}
}

// fileIsReady reports whether a file is there, and if it is a socket, whether somebody listens: it is there a moment before.
func fileIsReady(path string) bool {
	info, err := os.Stat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return err == nil
	}
	conn, err := net.Dial("unix", path)
	return err == nil && conn.Close() == nil
}

func (p *process) hasExited() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

func (p *process) Do(ctx context.Context, command string, args any) (control.Response, error) {
	return p.ask(ctx, p.vrf, command, args)
}

// ask asks the member in that VRF, "" being all there are; on its console an operator sees all in any case.
func (p *process) ask(ctx context.Context, vrf, command string, args any) (control.Response, error) {
	if command == control.Console {
		if vrf = ""; p.launch.Console != nil {
			return p.types(ctx, args)
		}
	}
	p.asked++
	request := control.Request{ID: p.asked, Command: command, VRF: vrf}
	if args != nil {
		raw, err := json.Marshal(args)
		if err != nil {
			return control.Response{}, fmt.Errorf("lab: arguments of %s: %w", command, err)
		}
		request.Args = raw
	}
	dialer := net.Dialer{Timeout: Patience}
	conn, err := dialer.DialContext(ctx, "unix", p.launch.Control)
	if err != nil {
		return control.Response{}, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(Patience))
	if err := json.NewEncoder(conn).Encode(request); err != nil {
		return control.Response{}, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	var response control.Response
	if err := json.NewDecoder(bufio.NewReader(conn)).Decode(&response); err != nil {
		return control.Response{}, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	return response, nil
}

func (p *process) Log() []string { return p.log.all() }

func (p *process) Keys() []keylog.Entry {
	if p.last != nil {
		return slices.Clone(p.last)
	}
	data, err := os.ReadFile(p.launch.KeyLog)
	if err != nil {
		return nil
	}
	entries, _ := keylog.Read(data) // the last line may be under way
	return entries
}

// Config returns the files that were written before the start, and what operators typed over SSH.
func (p *process) Config() ([]peer.File, error) {
	files := slices.Clone(p.launch.Files)
	for i := range files {
		below, err := filepath.Rel(p.dir, files[i].Path)
		if err != nil {
			return nil, err
		}
		files[i].Path = filepath.ToSlash(below)
	}
	if p.console != nil {
		files = append(files, peer.File{Path: "console", Content: []byte(p.console.Transcript())})
	}
	return files, nil
}

// Stop ends the device.
func (p *process) Stop() (err error) {
	p.once.Do(func() {
		err = p.end()
		// The files go with the network, but the evidence is written after it.
		if p.console != nil {
			_ = p.console.Close()
		}
		p.last, err = p.Keys(), errors.Join(err, p.deafen())
	})
	return err
}

// end sends the signal that the manifest names to the device and what it started, and SIGKILL if it is not heeded, which is an
// error.
func (p *process) end() error {
	if p.hasExited() {
		return nil
	}
	p.signal(p.launch.Stop.Signal)
	select {
	case <-p.exited:
		return nil
	case <-time.After(p.launch.Stop.Within):
		p.signal(syscall.SIGKILL)
		<-p.exited
		return fmt.Errorf("lab: %s did not stop within %s of signal %d", p.name, p.launch.Stop.Within, p.launch.Stop.Signal)
	}
}

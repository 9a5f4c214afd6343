package lab

import (
	"bufio"
	"bytes"
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

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/daemon"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// daemonEnv has this program be one of the reference's daemons instead of itself, so that one static binary is enough.
const daemonEnv = "GDOILAB_DAEMON"

// BeDaemonIfAsked runs a key server or group member and ends the process, if that is what this process was started for.
// A program that uses the netns fabric calls it before anything else.
func BeDaemonIfAsked() {
	run := map[string]func(context.Context, []string, io.Writer) int{"ks": daemon.KS, "gm": daemon.GM}[os.Getenv(daemonEnv)]
	if run != nil {
		os.Exit(run(context.Background(), os.Args[1:], os.Stderr))
	}
}

// lines gathers what arrives, line by line.
type lines struct {
	net  *kernelNet
	mu   sync.Mutex
	text []string
	rest []byte
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	l.rest = append(l.rest, b...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			break
		}
		l.text = append(l.text, string(line))
		l.rest = rest
	}
	l.mu.Unlock()
	l.net.event()
	return len(b), nil
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.text...)
}

// Start runs a device as a process in its namespace, and a tester in this process with its sockets there.
func (n *kernelNet) Start(ctx context.Context, s Station) (Node, error) {
	if s.Device {
		return n.startProcess(ctx, s)
	}
	n.life.Lock()
	defer n.life.Unlock()
	if n.closed {
		return nil, errClosed
	}
	return n.startTester(s)
}

// process is a device: a daemon of which we know its configuration, control socket, log and key log.
type process struct {
	net     *kernelNet
	name    string
	cmd     *exec.Cmd
	control string
	keys    string
	log     *lines
	exited  chan struct{}
	once    sync.Once
	asked   uint64
	last    []keylog.Entry // the key log, once the process has been stopped
}

// startProcess starts a daemon and waits until it answers.
func (n *kernelNet) startProcess(ctx context.Context, s Station) (Node, error) {
	p, err := n.launch(s)
	if err != nil {
		return nil, err
	}
	ready := n.Wait(ctx, Patience, func() bool { return p.hasExited() || fileExists(p.control) })
	if !ready || p.hasExited() {
		return nil, fmt.Errorf("lab: %s did not come up: %s", s.Name, strings.Join(p.log.all(), "; "))
	}
	return p, nil
}

// launch writes a daemon's configuration and starts it.
func (n *kernelNet) launch(s Station) (*process, error) {
	n.life.Lock()
	defer n.life.Unlock()
	if n.closed {
		return nil, errClosed
	}
	dir := filepath.Join(n.dir, s.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	p := &process{net: n, name: s.Name, log: &lines{net: n}, exited: make(chan struct{}),
		control: filepath.Join(dir, "control"), keys: filepath.Join(dir, "keys.jsonl")}
	role, err := writeConfig(dir, s)
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{"--config", filepath.Join(dir, "config.yaml"), "--control", p.control, "--keylog", p.keys, "--log", "stderr"}
	for _, m := range s.Mutants {
		args = append(args, "--mutant", m.Guard+"="+m.Mutation)
	}
	p.cmd = exec.Command(program, args...)
	p.cmd.Env = append(os.Environ(), daemonEnv+"="+role, ownerEnv+"="+owner())
	p.cmd.Stderr = p.log
	p.cmd.WaitDelay = Patience
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a person's Ctrl-C is for us, who then stop it in order
	if err := n.inside(s.Name, p.cmd.Start); err != nil {
		return nil, fmt.Errorf("lab: starting %s: %w", s.Name, err)
	}
	n.nodes = append(n.nodes, p)
	go func() { _ = p.cmd.Wait(); close(p.exited) }()
	return p, nil
}

func fileExists(path string) bool { _, err := os.Stat(path); return err == nil }

// writeConfig writes what the daemon reads, and returns which daemon it is for.
func writeConfig(dir string, s Station) (role string, err error) {
	var text []byte
	if s.KS != nil {
		role = "ks"
		if err := os.WriteFile(filepath.Join(dir, "signing.pem"), policy.SigningKeyPEM(*s.KS), 0o600); err != nil {
			return "", err
		}
		text, err = policy.MarshalKeyServer(*s.KS, "signing.pem")
	} else {
		role = "gm"
		text, err = policy.MarshalMember(*s.GM)
	}
	if err != nil {
		return "", err
	}
	return role, os.WriteFile(filepath.Join(dir, "config.yaml"), text, 0o600)
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
	p.asked++
	request := control.Request{ID: p.asked, Command: command}
	if args != nil {
		raw, err := json.Marshal(args)
		if err != nil {
			return control.Response{}, fmt.Errorf("lab: arguments of %s: %w", command, err)
		}
		request.Args = raw
	}
	dialer := net.Dialer{Timeout: Patience}
	conn, err := dialer.DialContext(ctx, "unix", p.control)
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
	data, err := os.ReadFile(p.keys)
	if err != nil {
		return nil
	}
	entries, _ := keylog.Read(data) // the last line may be under way
	return entries
}

// Stop sends SIGTERM, and SIGKILL to a daemon that does not heed it, which is an error.
func (p *process) Stop() (err error) {
	p.once.Do(func() {
		defer func() { p.last = p.Keys() }() // the file goes with the network, but the evidence is written after it
		if p.hasExited() {
			return
		}
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.exited:
		case <-time.After(Patience):
			_ = p.cmd.Process.Kill()
			<-p.exited
			err = errors.New("lab: " + p.name + " did not stop on SIGTERM")
		}
	})
	return err
}

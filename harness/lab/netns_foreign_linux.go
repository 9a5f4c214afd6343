package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/harness/peer"
)

var _ Workshop = (*kernelNet)(nil)

// foreigner is a process in a room of its own.
type foreigner struct {
	*process
	room     *room
	commands map[string][]string
}

// Socket opens a UDP socket in the node's namespace.
func (n *kernelNet) Socket(node string, port uint16) (conn *net.UDPConn, err error) {
	n.life.Lock()
	defer n.life.Unlock()
	if n.closed {
		return nil, errClosed
	}
	err = n.inside(node, func() (err error) {
		conn, err = net.ListenUDP("udp4", &net.UDPAddr{Port: int(port)})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lab: UDP port %d of %s: %w", port, node, err)
	}
	n.nodes = append(n.nodes, closer{conn})
	return conn, nil
}

// closer is a socket that is stopped like a node.
type closer struct{ conn net.Conn }

func (c closer) Stop() error {
	if err := c.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Settle starts a foreign peer in the node's namespace with mounts of its own, and loads its configuration.
func (n *kernelNet) Settle(ctx context.Context, node string, f *peer.Foreign, c peer.Conversation) (Foreigner, error) {
	p, err := n.settleIn(node, f, c)
	if err != nil {
		return nil, err
	}
	up := n.Wait(ctx, p.launch.Ready.Within, func() bool { return p.hasExited() || p.isUp() })
	if !up || p.hasExited() {
		return p, fmt.Errorf("lab: %s did not come up: %s", f.Name, strings.Join(p.Log(), "; "))
	}
	if _, ok := p.commands[peer.CommandLoad]; ok {
		return p, p.Tell(ctx, peer.CommandLoad)
	}
	return p, nil
}

func (n *kernelNet) settleIn(node string, f *peer.Foreign, c peer.Conversation) (*foreigner, error) {
	n.life.Lock()
	defer n.life.Unlock()
	if n.closed {
		return nil, errClosed
	}
	p := &foreigner{process: &process{net: n, name: node, dir: filepath.Join(n.dir, f.Name+"-"+node), log: noLog{},
		exited: make(chan struct{}), stdout: &lines{net: n}, stderr: &lines{net: n}}}
	var err error
	if p.launch, p.commands, err = f.Launch(p.dir, c); err != nil {
		return nil, err
	}
	if err := p.write(); err != nil {
		return nil, fmt.Errorf("lab: files of %s: %w", f.Name, err)
	}
	over, err := f.Over()
	if err != nil {
		return nil, err
	}
	if p.room, err = newRoom(n.spaces[n.spaceName(node)], over); err != nil {
		return nil, err
	}
	p.enter = p.room.inside
	if err := p.start(); err != nil {
		p.room.close()
		return nil, err
	}
	n.nodes = append(n.nodes, p)
	go func() { _ = p.cmd.Wait(); close(p.exited) }()
	return p, nil
}

// Tell runs the command in the room.
func (f *foreigner) Tell(ctx context.Context, purpose string) error {
	words := f.commands[purpose]
	if len(words) == 0 {
		return fmt.Errorf("lab: %s has no command to %s", f.name, purpose)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Env = slices.Concat(os.Environ(), f.launch.Environment, []string{OwnerEnv + "=" + owner()})
	cmd.Dir, cmd.Stdout, cmd.Stderr = f.launch.Directory, &out, &out
	err := f.room.inside(cmd.Start)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return fmt.Errorf("lab: %s on %s: %w: %s", words[0], f.name, err, strings.TrimSpace(out.String()))
	}
	return nil
}

// Processor reads what the kernel counts for the process, in hundredths of a second.
func (f *foreigner) Processor() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", f.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("lab: %w", err)
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the name before it may hold anything
	fields := strings.Fields(after)
	const user, system = 11, 12
	if len(fields) <= system {
		return 0, fmt.Errorf("lab: /proc/%d/stat has %d fields", f.cmd.Process.Pid, len(fields))
	}
	var all time.Duration
	for _, field := range fields[user : system+1] {
		ticks, err := strconv.ParseUint(field, 10, 63)
		if err != nil {
			return 0, fmt.Errorf("lab: /proc/%d/stat: %w", f.cmd.Process.Pid, err)
		}
		all += time.Duration(ticks) * 10 * time.Millisecond
	}
	return all, nil
}

// Log is what the peer printed.
func (f *foreigner) Log() []string { return slices.Concat(f.stdout.all(), f.stderr.all()) }

// Stop ends the peer, then the room.
func (f *foreigner) Stop() error {
	err := f.process.Stop()
	f.room.close()
	return err
}

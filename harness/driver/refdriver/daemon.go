package refdriver

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gdoilab/gdoilab/harness/driver"
	"github.com/gdoilab/gdoilab/harness/lab"
)

// becoming is the variable by which the program is told which daemon to be.
const becoming = "GDOILAB_DAEMON"

// daemon is a gdoi-ks or gdoi-gm.
type daemon struct {
	cmd    *exec.Cmd
	ended  chan struct{}
	status error // once it has ended

	mu    sync.Mutex
	lines []string
}

// launch starts the daemon in the namespace of its place. It stays in our process group, so that whoever ends that ends it too.
func (d *Driver) launch() (*daemon, error) {
	started := &daemon{ended: make(chan struct{})}
	started.cmd = exec.Command(d.program, "--config", d.path(configFile), "--control", d.path(controlFile), "--keylog", d.path(keysFile), "--log", "stderr")
	started.cmd.Env = append(os.Environ(), becoming+"="+strings.ToLower(d.place.Role))
	log, err := started.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := lab.Enter(d.place.Network.Namespace, started.cmd.Start); err != nil {
		return nil, fmt.Errorf("%w: %w", driver.ErrFailed, err)
	}
	go started.follow(bufio.NewScanner(log))
	return started, nil
}

// follow keeps what the daemon logs, until it ends.
func (d *daemon) follow(log *bufio.Scanner) {
	for log.Scan() {
		d.mu.Lock()
		d.lines = append(d.lines, log.Text())
		d.mu.Unlock()
	}
	d.status = d.cmd.Wait()
	close(d.ended)
}

// since returns what was logged beyond the first lines.
func (d *daemon) since(after int) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines[min(max(after, 0), len(d.lines)):])
}

func (d *daemon) hasEnded() bool {
	select {
	case <-d.ended:
		return true
	default:
		return false
	}
}

// startsWithin is how long a daemon has to come up: less than the tester waits for an answer, so that it hears why there is none.
const startsWithin = 20 * time.Second

// awaitUp waits until somebody listens on the control socket.
func (d *daemon) awaitUp(ctx context.Context, socket string) error {
	ctx, cancel := context.WithTimeout(ctx, startsWithin)
	defer cancel()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for {
		if conn, err := net.Dial("unix", socket); err == nil {
			return conn.Close()
		}
		select {
		case <-again.C:
		case <-d.ended:
			return fmt.Errorf("%w: it ended at once: %s", driver.ErrFailed, strings.Join(d.since(0), "; "))
		case <-ctx.Done():
			return fmt.Errorf("%w: nobody listens on %s: %s", driver.ErrFailed, socket, strings.Join(d.since(0), "; "))
		}
	}
}

// patience is how long a daemon has to end.
const patience = 10 * time.Second

// stop ends the daemon in order.
func (d *daemon) stop(ctx context.Context) error {
	if d.hasEnded() {
		return nil
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.ended:
	case <-ctx.Done():
	case <-time.After(patience):
	}
	if d.hasEnded() {
		return nil
	}
	_ = d.cmd.Process.Kill()
	<-d.ended
	return fmt.Errorf("%w: it did not heed SIGTERM and was killed", driver.ErrFailed)
}

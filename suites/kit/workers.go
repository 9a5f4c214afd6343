package kit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/gdoilab/gdoilab/harness/verdict"
)

// report is one line from a worker: a finished spec, or the last line.
type report struct {
	Spec        *verdict.Spec `json:"spec,omitempty"`
	Done        bool          `json:"done,omitempty"`
	Interrupted bool          `json:"interrupted,omitempty"`
	Err         string        `json:"error,omitempty"`
}

// Work runs what nobody else does in this process and tells about it on w, for Spread in another process. It ends when in ends, so
// that a worker does not outlive whoever started it.
func Work(s Session, o Options, w io.Writer, in io.Reader) error {
	encoder := json.NewEncoder(w)
	go func() {
		_, _ = io.Copy(io.Discard, in)
		_ = syscall.Kill(os.Getpid(), syscall.SIGINT)
	}()
	o.Progress = func(_, _ int, spec verdict.Spec) { _ = encoder.Encode(report{Spec: &spec}) }
	last := report{Done: true}
	switch run, err := Run(s, o); {
	case errors.Is(err, ErrNoSpec): // others have them all
	case err != nil:
		last.Err = err.Error()
	default:
		last.Interrupted = run.Interrupted
	}
	return encoder.Encode(last)
}

// Told reads everything that a worker told: its verdicts, and an error if it did not come to its end.
func Told(out io.Reader) ([]verdict.Spec, error) {
	var specs []verdict.Spec
	decoder := json.NewDecoder(out)
	for {
		var r report
		switch err := decoder.Decode(&r); {
		case err != nil:
			return specs, fmt.Errorf("a worker ended early: %w", err)
		case r.Err != "":
			return specs, errors.New(r.Err)
		case r.Done:
			return specs, nil
		case r.Spec != nil:
			specs = append(specs, *r.Spec)
		}
	}
}

// Spread runs the specs in so many worker processes and returns their verdicts as Run would. The command of each worker
// has to call Work with the Claims of the file that is its descriptor ClaimsFD. An interrupt ends the workers in order, and what they had done by then is returned.
func Spread(s Session, o Options, workers int, command func() *exec.Cmd) (*verdict.Run, error) {
	session = s
	claims, err := newClaims()
	if err != nil {
		return nil, err
	}
	defer claims.Close()
	g := &gathering{run: newRun(s), options: o}
	if o.Shard.Of > 0 {
		if err := g.shard(claims); err != nil {
			return nil, err
		}
	}
	var group sync.WaitGroup
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(interrupts)
	var started []*exec.Cmd
	for range workers {
		cmd := command()
		cmd.ExtraFiles = []*os.File{claims}
		if err := g.start(cmd, &group); err != nil {
			return nil, err
		}
		started = append(started, cmd)
	}
	selected, err := g.expect() // while the workers get ready
	if err != nil {
		for _, cmd := range started {
			_ = cmd.Process.Kill()
		}
		group.Wait()
		return nil, err
	}
	ended := make(chan struct{})
	go func() { group.Wait(); close(ended) }()
	for {
		select {
		case sig := <-interrupts:
			g.interrupt()
			for _, cmd := range started {
				_ = cmd.Process.Signal(sig)
			}
			continue
		case <-ended:
		}
		return g.finish(selected)
	}
}

// ClaimsFD is the file descriptor of the claims in a worker: the first behind standard error.
const ClaimsFD = 3

// gathering puts together what workers tell.
type gathering struct {
	mu      sync.Mutex
	run     *verdict.Run
	options Options
	total   int
	errs    []error
}

func newRun(s Session) *verdict.Run {
	return &verdict.Run{Start: time.Now(), Fabric: s.Fabric.Name(), Peer: s.peer(), Seed: s.Seed, Redacted: s.Redact, Summary: verdict.Tally(nil)}
}

// shard keeps the workers from the specs of other shards.
func (g *gathering) shard(f *os.File) error {
	claims, err := OpenClaims(f)
	if err != nil {
		return err
	}
	if g.run.Shard, err = g.options.shardOf(); err != nil {
		return err
	}
	return g.options.claimOthers(claims)
}

func (g *gathering) interrupt() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.run.Interrupted = true
}

// expect learns what the workers will tell about. What they tell meanwhile waits.
func (g *gathering) expect() ([]verdict.Spec, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	selected, err := choose(g.options)
	g.total = len(selected)
	return selected, err
}

// start starts a worker and follows what it tells.
func (g *gathering) start(cmd *exec.Cmd, group *sync.WaitGroup) error {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	in, err := cmd.StdinPipe() // held open: its end tells the worker that we are gone
	if err != nil {
		return err
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C comes to us, who pass it on once
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	group.Add(1)
	go func() {
		defer group.Done()
		done := g.follow(out)
		_ = in.Close()
		if err := cmd.Wait(); err != nil || !done {
			g.fault(fmt.Errorf("a worker ended early: %w: %s", errors.Join(err, errors.New("see above")), bytes.TrimSpace(stderr.Bytes())))
		}
	}()
	return nil
}

func (g *gathering) fault(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.errs = append(g.errs, err)
}

// follow reads a worker's lines and reports whether the last one came.
func (g *gathering) follow(out io.Reader) (done bool) {
	decoder := json.NewDecoder(out)
	for {
		var r report
		if err := decoder.Decode(&r); err != nil {
			return done
		}
		done = done || r.Done
		g.take(r)
	}
}

func (g *gathering) take(r report) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.run.Interrupted = g.run.Interrupted || r.Interrupted
	if r.Err != "" {
		g.errs = append(g.errs, errors.New(r.Err))
	}
	if r.Spec == nil {
		return
	}
	g.run.Specs = append(g.run.Specs, *r.Spec)
	if g.options.Progress != nil {
		g.options.Progress(len(g.run.Specs), g.total, *r.Spec)
	}
}

// finish accounts for every selected spec: one that no worker told about is an error, unless the run was interrupted.
func (g *gathering) finish(selected []verdict.Spec) (*verdict.Run, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	told := make(map[string]bool)
	for _, s := range g.run.Specs {
		told[s.ID] = true
	}
	for _, s := range selected {
		if !told[s.ID] && !g.run.Interrupted {
			s.Verdict, s.Reason = verdict.Error, fmt.Sprintf("the worker did not come to this spec: %v", errors.Join(g.errs...))
			g.run.Specs = append(g.run.Specs, s)
		}
	}
	g.run.Seconds = time.Since(g.run.Start).Seconds()
	g.run.Summary = verdict.Tally(g.run.Specs)
	sortByID(g.run.Specs)
	var err error
	g.run.Expectations, err = settle(g.run.Specs)
	return g.run, err
}

package node

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
)

// ErrNotRunning is the error of Do before Run has begun and after it has ended.
var ErrNotRunning = errors.New("node: not running")

// ErrNoVRF is in the chain of errors of a request about a VRF in which the node does not stand.
var ErrNoVRF = errors.New("node: there is no VRF")

// Node is a core with its sockets. Open makes one, Run makes it work.
type Node struct {
	cfg    Config
	places []*place // where it stands; the first is its own
	server *server  // nil without a control socket

	begun     chan struct{} // closed once Run has begun
	rearm     chan struct{} // the deadline may have changed
	delivered atomic.Uint64 // lines for the receiver of the log

	mu      sync.Mutex // guards the core and everything below
	running bool
	now     time.Time // of the turn of the data plane
	fail    context.CancelCauseFunc
	group   *sync.WaitGroup
	lastID  uint64
	pending map[uint64]chan *core.Reply
	ahead   time.Duration // the time of day of log lines is ahead of the machine's
}

// Open opens everything the node needs in the network namespace of the calling thread. Run may then be called anywhere.
func Open(cfg Config) (n *Node, err error) {
	n = &Node{cfg: cfg, begun: make(chan struct{}), rearm: make(chan struct{}, 1), pending: make(map[uint64]chan *core.Reply)}
	defer func() {
		if err != nil {
			err = fmt.Errorf("node %s: %w", cfg.Name, errors.Join(err, n.Close()))
			n = nil
		}
	}()
	if err = n.openPlaces(); err != nil {
		return n, err
	}
	if cfg.Control != "" {
		n.server, err = listen(cfg.Control)
	}
	return n, err
}

// Begun is closed once Run has begun: from then on Do is answered.
func (n *Node) Begun() <-chan struct{} { return n.begun }

// Addr is where the node listens: Config.Listen with the port that was found for 0.
func (n *Node) Addr() netip.AddrPort { return n.places[0].udp.local }

// Close gives back what Open opened. Run does it when it ends; it is for a node that is never Run.
func (n *Node) Close() error {
	var errs []error
	if n.server != nil {
		errs = append(errs, n.server.close())
	}
	for _, p := range n.places {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}

// Run starts the core and carries for it until ctx ends; then everything is closed and the result is nil. A node runs once.
func (n *Node) Run(ctx context.Context) error {
	inner, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var group sync.WaitGroup
	n.begin(fail, &group)
	for _, p := range n.places {
		p.run()
	}
	n.spawn(func() { n.keepTime(inner) })
	if n.server != nil {
		n.spawn(func() { n.server.serve(n.answer) })
	}
	<-inner.Done()
	n.end()
	err := n.Close()
	group.Wait()
	n.log(time.Now(), &core.Log{Severity: core.Notice, Tag: "STOPPED", Text: "stopped"})
	if ctx.Err() != nil {
		return err
	}
	return errors.Join(context.Cause(inner), err)
}

// begin starts the core before anything else can reach it.
func (n *Node) begin(fail context.CancelCauseFunc, group *sync.WaitGroup) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.running, n.fail, n.group = true, fail, group
	now := time.Now()
	for _, note := range n.cfg.Notes {
		n.log(now, note)
	}
	n.places[0].perform(now, n.cfg.Core.Handle(now, &core.Start{}))
	close(n.begun)
}

// end lets nothing reach the core any more and answers who still waits.
func (n *Node) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.running = false
	for id, waiting := range n.pending {
		waiting <- &core.Reply{ID: id, Err: ErrNotRunning.Error()}
		delete(n.pending, id)
	}
}

// spawn runs one of the node's goroutines.
func (n *Node) spawn(f func()) { n.group.Go(f) }

// handle gives one event to the core and does what it asks for. It reports whether the node is running.
func (n *Node) handle(ev core.Event) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.running {
		return false
	}
	n.give(time.Now(), ev)
	return true
}

// give does so for somebody who has the lock.
func (n *Node) give(now time.Time, ev core.Event) {
	n.places[0].perform(now, n.cfg.Core.Handle(now, ev))
	n.wake()
}

// wake makes the timekeeper ask for the deadline again.
func (n *Node) wake() {
	select {
	case n.rearm <- struct{}{}:
	default:
	}
}

// keepTime gives the core its Timer events.
func (n *Node) keepTime(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			n.handle(&core.Timer{})
		case <-n.rearm:
			timer.Stop()
			if wait, ok := n.untilDeadline(); ok {
				timer.Reset(wait)
			}
		}
	}
}

func (n *Node) untilDeadline() (time.Duration, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at, ok := n.cfg.Core.Deadline()
	return time.Until(at), ok
}

// Do asks the core as an operator does. It needs Run to be running.
func (n *Node) Do(ctx context.Context, req control.Request) control.Response {
	reply, err := n.command(ctx, req)
	if err != nil {
		return control.Response{ID: req.ID, Error: err.Error()}
	}
	if reply.Err != "" {
		return control.Response{ID: req.ID, Error: reply.Err}
	}
	return control.Response{ID: req.ID, Body: reply.Body}
}

// command gives the request to the core under a number of the node's own, since clients choose theirs freely.
func (n *Node) command(ctx context.Context, req control.Request) (*core.Reply, error) {
	id, reply := n.expect()
	defer n.forget(id)
	var ev core.Event = &core.Command{ID: id, Name: req.Command, Args: req.Args}
	if req.VRF != "" {
		if len(n.cfg.VRFs) == 0 {
			return nil, fmt.Errorf("%w %q", ErrNoVRF, req.VRF)
		}
		ev = &core.EventIn{VRF: req.VRF, Event: ev}
	}
	if !n.handle(ev) {
		return nil, ErrNotRunning
	}
	select {
	case r := <-reply:
		return r, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *Node) expect() (uint64, chan *core.Reply) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lastID++
	reply := make(chan *core.Reply, 1)
	n.pending[n.lastID] = reply
	return n.lastID, reply
}

func (n *Node) forget(id uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.pending, id)
}

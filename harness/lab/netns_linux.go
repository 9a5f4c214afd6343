package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/vishvananda/netns"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/peer"
)

// Namespaces is the fabric of network namespaces: a namespace for each node and host, veth links, real sockets. It needs
// root. A device runs as a process of its own; a tester runs in this process, with its sockets in the node's namespace.
type Namespaces struct{}

var _ Fabric = Namespaces{}

// Name returns "netns".
func (Namespaces) Name() string { return "netns" }

// Lacks says that time is real here, and what this machine or this user cannot do.
func (Namespaces) Lacks(n Need) string {
	switch n {
	case NeedVirtualTime:
		return "time is real on the netns fabric; the memory fabric has a virtual clock"
	case NeedMulticast:
		return "the kernels of the netns fabric have no multicast routes; the memory fabric forwards to groups"
	}
	return ""
}

// CannotStart says that a device has to be a program here, or to have a driver.
func (Namespaces) CannotStart(device *peer.Role) string {
	if one := device.Router(); one != nil {
		return notThere(one)
	}
	if device.Process() == nil && device.Driver() == nil {
		return "the netns fabric runs programs and routers only, and " + device.Device + " as " + device.Is.String() + " is none (" + device.At + ")"
	}
	if device.Container() != nil {
		if err := Containers(); err != nil {
			return device.Device + " as " + device.Is.String() + " is a container (" + device.At + "), and " + err.Error()
		}
	}
	return ""
}

// Check renders the device in each of its roles for the default group, and looks for its program, its image or that of its driver.
func (Namespaces) Check(device *peer.Manifest) error {
	for _, r := range device.Roles() {
		var err error
		switch {
		case r.Driver() != nil:
			err = findDriver(r)
		case r.Process() != nil:
			var launch *peer.Launch
			if launch, err = Rehearse(r); err == nil {
				err = Find(context.Background(), launch)
			}
		case r.Router() != nil && notThere(r.Router()) == "":
			_, err = RehearseVisit(r)
		}
		if errors.As(err, new(*peer.Unsupported)) {
			continue // the specs that need it will say so
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Usable returns nil if this process may make namespaces, TUN devices and raw sockets, and otherwise says what it lacks.
func (Namespaces) Usable() error {
	if os.Geteuid() != 0 {
		return errors.New("the netns fabric needs root")
	}
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("the netns fabric needs TUN devices: %w", err)
	}
	return f.Close()
}

// Open makes the namespaces and links of the plan. It first removes what earlier runs left behind that died.
func (f Namespaces) Open(_ context.Context, plan Plan) (Net, error) {
	if err := f.Usable(); err != nil {
		return nil, err
	}
	if _, err := Reap(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", owner()+"-")
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	home, err := netns.Get()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lab: own namespace: %w", err), os.RemoveAll(dir))
	}
	n := &kernelNet{plan: plan, dir: dir, home: home, spaces: make(map[string]netns.NsHandle), changed: make(chan struct{})}
	n.nat = &kernelNAT{hidden: plan.hidden(), net: n}
	if err := n.build(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// kernelNet is one network of namespaces.
type kernelNet struct {
	plan   Plan
	home   netns.NsHandle // of this process
	lent   []lent         // interfaces of this machine, to be given back
	dir    string         // sockets, configurations and key logs of the devices
	spaces map[string]netns.NsHandle
	order  []string          // of spaces, for removal
	held   map[string]Keeper // what keeps the namespace of a node, by the node's name
	nat    *kernelNAT
	wire   *wire
	early  []linkEnd // those that were up before the other end
	taps   []*sniffer
	hosts  map[string]*kernelHost

	prefers preferred
	nodes   []stopper
	starts  starts // guarded by life

	life   sync.Mutex // held while a node comes up: a spec that was given up may still be at it when its network is closed
	closed bool

	mu        sync.Mutex
	frames    []capture.Frame
	intercept func(*Crossing)
	changed   chan struct{} // closed and replaced at each event
}

type stopper interface{ Stop() error }

func (n *kernelNet) Now() time.Time { return time.Now() }

func (n *kernelNet) Frames() []capture.Frame {
	n.catchUp()
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.frames)
}

func (n *kernelNet) Intercept(f func(*Crossing)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.intercept = f
}

func (n *kernelNet) NAT() NAT { return n.nat }

func (n *kernelNet) Inject(from string, packet []byte) { n.wire.inject(from, slices.Clone(packet)) }

func (n *kernelNet) Host(name string) (Host, error) {
	if h, ok := n.hosts[name]; ok {
		return h, nil
	}
	return nil, fmt.Errorf("lab: there is no host %q", name)
}

// catchUp records what has crossed the LANs, though nobody has come to read it.
func (n *kernelNet) catchUp() {
	for _, s := range n.taps {
		s.catchUp()
	}
}

// record keeps a frame and wakes whoever waits.
func (n *kernelNet) record(f capture.Frame) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.frames = append(n.frames, f)
	n.wake()
}

// event wakes whoever waits.
func (n *kernelNet) event() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wake()
}

func (n *kernelNet) wake() {
	close(n.changed)
	n.changed = make(chan struct{})
}

// lookAgain is how often a condition is tried when nothing seems to happen: a device's state may change without a packet.
const lookAgain = 10 * time.Millisecond

func (n *kernelNet) Wait(ctx context.Context, limit time.Duration, condition func() bool) bool {
	end := time.NewTimer(limit)
	defer end.Stop()
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		n.mu.Lock()
		changed := n.changed
		n.mu.Unlock()
		if condition() {
			return true
		}
		select {
		case <-changed:
		case <-again.C:
		case <-end.C:
			return condition()
		case <-ctx.Done():
			return false
		}
	}
}

var errClosed = errors.New("lab: the network is closed")

// Close stops nodes, closes sockets and removes namespaces and files, whatever fails on the way. Nothing can be started
// after it.
func (n *kernelNet) Close() error {
	n.life.Lock()
	defer n.life.Unlock()
	n.closed = true
	var errs []error
	for _, node := range slices.Backward(n.nodes) {
		errs = append(errs, node.Stop())
	}
	for _, h := range n.hosts {
		h.close()
	}
	if second := n.prefers.links[2]; second != nil {
		_ = second.conn.Close()
	}
	if n.wire != nil {
		n.wire.close()
	}
	for _, s := range n.taps {
		s.close()
	}
	errs = append(errs, n.giveBack(), n.home.Close())
	for _, name := range slices.Backward(n.order) {
		handle := n.spaces[name]
		errs = append(errs, handle.Close(), netns.DeleteNamed(name))
	}
	errs = append(errs, n.letGo())
	errs = append(errs, os.RemoveAll(n.dir))
	return errors.Join(errs...)
}

// inside runs f on a thread that is in the namespace of that node.
func (n *kernelNet) inside(node string, f func() error) error {
	handle, ok := n.spaces[n.spaceName(node)]
	if !ok {
		return fmt.Errorf("lab: there is no namespace for %q", node)
	}
	return within(handle, f)
}

// within runs f on a locked thread inside the namespace. A thread that cannot be brought back is thrown away.
func within(handle netns.NsHandle, f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := netns.Get()
		if err != nil {
			runtime.UnlockOSThread()
			result <- fmt.Errorf("lab: own namespace: %w", err)
			return
		}
		defer home.Close()
		if err := netns.Set(handle); err != nil {
			runtime.UnlockOSThread()
			result <- fmt.Errorf("lab: entering a namespace: %w", err)
			return
		}
		err = f()
		if back := netns.Set(home); back == nil {
			runtime.UnlockOSThread()
		}
		result <- err
	}()
	return <-result
}

func (n *kernelNet) spaceName(node string) string { return filepath.Base(n.dir) + "-" + node }

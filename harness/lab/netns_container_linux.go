package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/gdoilab/gdoilab/harness/peer"
)

// A node whose device is a container gets its network namespace from a container too, one that does nothing else. So the
// namespace is there before the device starts and stays when it is started anew, has the same links, taps and routes as every
// other, and the device joins it as containers join each other's.

// ownFolder is the folder of a device inside its container.
const ownFolder = "/gdoilab"

// contained is a device in a container.
type contained struct {
	*process
	container Container
	collected []peer.File // once it has been stopped
}

// hold starts, all at once, the containers that keep the namespaces of nodes.
func (n *kernelNet) hold() error {
	if len(n.plan.Contained) == 0 {
		return nil
	}
	if err := Containers(); err != nil {
		return &Lacking{err.Error()}
	}
	n.held = make(map[string]Keeper)
	var (
		mu   sync.Mutex
		errs []error
		all  sync.WaitGroup
	)
	for _, node := range n.plan.Contained {
		all.Go(func() {
			c, err := engine.Hold(context.Background(), Berth{Owner: owner(), Name: n.spaceName(node) + "-net"})
			mu.Lock()
			defer mu.Unlock()
			if errs = append(errs, err); err == nil {
				n.held[node] = c
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// letGo removes, all at once, what hold started.
func (n *kernelNet) letGo() error {
	removed := make(chan error, len(n.held))
	for _, c := range n.held {
		go func() { removed <- c.Remove() }()
	}
	var errs []error
	for range n.held {
		errs = append(errs, <-removed)
	}
	n.held = nil
	return errors.Join(errs...)
}

// newSpace makes a named namespace, or gives that of a container a name, and moves the calling thread into it.
func (n *kernelNet) newSpace(node, name string) (netns.NsHandle, error) {
	c := n.held[node]
	if c == nil {
		return netns.NewNamed(name)
	}
	handle, err := netns.GetFromPid(c.PID())
	if err != nil {
		return handle, err
	}
	if err := errors.Join(nameSpace(c.PID(), name), netns.Set(handle)); err != nil {
		return handle, errors.Join(err, handle.Close())
	}
	return handle, nil
}

// nameSpace gives the namespace of a process a name as "ip netns" does.
func nameSpace(pid int, name string) error {
	at := filepath.Join(netnsDir, name)
	if err := os.MkdirAll(netnsDir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(at, nil, 0o444); err != nil {
		return err
	}
	if err := unix.Mount(fmt.Sprintf("/proc/%d/ns/net", pid), at, "bind", unix.MS_BIND, ""); err != nil {
		return errors.Join(err, os.Remove(at))
	}
	return nil
}

// startContainer starts a device as a container in its node's namespace and waits until it is up.
func (n *kernelNet) startContainer(ctx context.Context, s Station) (Node, error) {
	p, err := n.contain(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := p.await(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

func (n *kernelNet) contain(ctx context.Context, s Station) (*contained, error) {
	n.life.Lock()
	defer n.life.Unlock()
	if n.closed {
		return nil, errClosed
	}
	p := &contained{process: n.newProcess(s.Name)}
	if err := p.render(s, ownFolder); err != nil {
		return nil, err
	}
	log, err := p.openLog(s.Device.Syslog)
	if err != nil {
		return nil, err
	}
	p.log = log
	p.container, err = engine.Run(ctx, Berth{Owner: owner(), Name: n.spaceName(s.Name), Network: n.held[s.Name]}, p.launch, p.stdout, p.stderr)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lab: starting %s (%s): %w", s.Name, p.launch.At, err), p.log.close())
	}
	p.signal = p.container.Signal
	p.lookIn(fmt.Sprintf("/proc/%d/root", p.container.PID()))
	n.nodes = append(n.nodes, p)
	go func() { <-p.container.Ended(); close(p.exited); n.event() }()
	return p, nil
}

// places are the paths of a device at which the harness looks while it runs and afterwards.
func (p *contained) places() []*string {
	l := p.launch
	return []*string{&l.ReadyFile, &l.LogFile, &l.Control, &l.KeyLog}
}

// lookIn has the harness find the device's files and sockets below the root of its container.
func (p *contained) lookIn(root string) {
	for _, place := range p.places() {
		if *place != "" {
			*place = root + path.Clean("/"+*place)
		}
	}
}

// Stop ends the device, takes out of the container what is to be kept, and removes it.
func (p *contained) Stop() (err error) {
	p.once.Do(func() {
		err = errors.Join(p.end(), p.bringOut())
		p.last, err = p.Keys(), errors.Join(err, p.log.close(), p.container.Remove())
	})
	return err
}

// bringOut copies what the device has written into its folder on this machine: its log and its key log, which are read there
// from now on, and what its manifest names.
func (p *contained) bringOut() error {
	root := fmt.Sprintf("/proc/%d/root", p.container.PID())
	for _, place := range []*string{&p.launch.LogFile, &p.launch.KeyLog} {
		inside, ok := strings.CutPrefix(*place, root)
		if !ok {
			continue
		}
		*place = filepath.Join(p.dir, inside)
		content, err := p.container.File(inside)
		if errors.Is(err, os.ErrNotExist) {
			continue // it has not been written
		}
		if err == nil {
			err = writeDeviceFile(peer.File{Path: *place, Mode: 0o600, Content: content})
		}
		if err != nil {
			return fmt.Errorf("lab: %s of %s: %w", inside, p.name, err)
		}
	}
	return p.collect()
}

// collect keeps what the manifest names and the device has written, and what it printed.
func (p *contained) collect() error {
	for _, name := range p.launch.Vessel.Collect {
		content, err := p.container.File(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("lab: %s of %s: %w", name, p.name, err)
		}
		p.keep(path.Clean("/"+name), content)
	}
	for name, printed := range map[string]*lines{"stdout": p.stdout, "stderr": p.stderr} {
		if text := printed.all(); len(text) > 0 {
			p.keep("/"+name, []byte(strings.Join(text, "\n")+"\n"))
		}
	}
	return nil
}

// collectedFolder is where the evidence has what came out of a container.
const collectedFolder = "collected"

func (p *contained) keep(name string, content []byte) {
	p.collected = append(p.collected, peer.File{Path: collectedFolder + name, Mode: 0o600, Content: content})
}

// Config returns the files that were copied into the container before the start and, once it has been stopped, those that
// were taken out. A path outside of the device's own folder is that inside of the container.
func (p *contained) Config() ([]peer.File, error) {
	files := slices.Clone(p.launch.Files)
	for i := range files {
		files[i].Path = strings.TrimPrefix(strings.TrimPrefix(files[i].Path, ownFolder+"/"), "/")
	}
	return append(files, p.collected...), nil
}

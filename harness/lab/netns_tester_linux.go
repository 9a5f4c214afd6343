package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"sync"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/dataplane"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/node"
)

// kernelTester is a tester: the reference's cores in this process, so that taps can reach them, with their sockets and
// devices in the node's namespace.
type kernelTester struct {
	name  string
	node  *node.Node
	log   *lines
	keys  *lines
	stop  context.CancelFunc
	ended chan error
	once  sync.Once

	mu    sync.Mutex
	asked uint64
}

func (n *kernelNet) startTester(s Station) (Node, error) {
	c, err := newTester(n.starts.seed(n.plan.Seed, s.Name), s, false)
	if err != nil {
		return nil, err
	}
	t := &kernelTester{name: s.Name, log: &lines{net: n}, keys: &lines{net: n}, ended: make(chan error, 1)}
	cfg := node.Config{Name: s.Name, Core: c, Listen: netip.AddrPortFrom(s.addresses()[0], Port), Interface: wanInterface, NATT: s.natt(),
		Log: withNewline{t.log}, KeyLog: t.keys}
	if s.KS != nil {
		cfg.Also = s.KS.Router.Addresses()
	}
	if plane := gatewayOf(c); plane != nil && n.plan.Hosts {
		plane.Device = dataplane.Config{
			Name: s.Name, Inside: n.insides(s.Name), Outside: []string{wanInterface}, Networks: s.GM.Inside}
		cfg.DataPlane = plane
	}
	err = n.inside(s.Name, func() (err error) {
		t.node, err = node.Open(cfg)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lab: starting %s: %w", s.Name, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	t.stop = stop
	go func() { t.ended <- t.node.Run(ctx) }()
	n.nodes = append(n.nodes, t)
	return t, nil
}

func (t *kernelTester) Do(ctx context.Context, command string, args any) (control.Response, error) {
	t.mu.Lock()
	t.asked++
	request := control.Request{ID: t.asked, Command: command}
	t.mu.Unlock()
	if args != nil {
		raw, err := json.Marshal(args)
		if err != nil {
			return control.Response{}, fmt.Errorf("lab: arguments of %s: %w", command, err)
		}
		request.Args = raw
	}
	return t.node.Do(ctx, request), nil
}

func (t *kernelTester) Log() []string { return t.log.all() }

func (t *kernelTester) Keys() []keylog.Entry {
	var entries []keylog.Entry
	for _, line := range t.keys.all() {
		if more, err := keylog.Read([]byte(line)); err == nil {
			entries = append(entries, more...)
		}
	}
	return entries
}

// Config is nothing: a tester is given values.
func (t *kernelTester) Config() ([]peer.File, error) { return nil, nil }

func (t *kernelTester) Stop() (err error) {
	t.once.Do(func() {
		t.stop()
		err = <-t.ended
	})
	return err
}

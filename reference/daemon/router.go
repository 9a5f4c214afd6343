package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/reference/console"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/iosconfig"
	"github.com/gdoilab/gdoilab/reference/ssh"
)

// running is a configuration with the keys that operators have had made for it, by the names of their files. It never changes.
type running struct {
	config iosconfig.Running
	keys   map[string][]byte
}

// startup is the name of the configuration that a router was started with.
const startup = "startup-config"

// router is a daemon whose configuration operators change over SSH. A node works as long as there is a group in it; another
// configuration brings another node, which begins afresh.
type router struct {
	program program
	options options
	stderr  io.Writer
	alone   context.Context // of its nodes

	changing sync.Mutex // held while another configuration is put into effect

	mu      sync.Mutex
	running *running
	kept    map[string]*running // copies by their names
	work    *work               // nil: there is no group
	halt    func() error        // ends work
	idle    core.Core           // the console that there is without work
}

// serveRouter runs a daemon that operators configure until its context ends.
func (p program) serveRouter(cmd *cobra.Command, o *options) error {
	first, address, err := o.firstConfiguration()
	if err != nil {
		return usageError{fileError{err}}
	}
	_, c := first.config.Console()
	if c.SSH = address; o.hostKey != "" {
		key, err := os.ReadFile(o.hostKey)
		if err != nil {
			return usageError{fileError{fmt.Errorf("--host-key: %w", err)}}
		}
		c.HostKey = string(key)
	}
	server, err := ssh.Listen(c)
	if err != nil {
		return usageError{fileError{err}}
	}
	r := &router{program: p, options: *o, stderr: cmd.ErrOrStderr(), alone: cmd.Context(), kept: map[string]*running{startup: first}}
	if err := r.goBy(first); err != nil {
		return errors.Join(err, server.Close())
	}
	server.Serve(cmd.Context(), r.typed)
	r.changing.Lock()
	defer r.changing.Unlock()
	return r.stop()
}

// firstConfiguration is the one that the router is started with, and where its operators come in.
func (o *options) firstConfiguration() (*running, netip.AddrPort, error) {
	address, err := netip.ParseAddrPort(o.operators)
	if err != nil {
		return nil, address, fmt.Errorf("--operators: %q is no address with a port", o.operators)
	}
	if filepath.Ext(o.config) != iosSuffix {
		return nil, address, fmt.Errorf("--operators: %s is no %s file; only such a configuration is changed while it runs", o.config, iosSuffix)
	}
	data, err := os.ReadFile(o.config)
	if err != nil {
		return nil, address, err
	}
	config, err := iosconfig.Read(data)
	if err != nil {
		return nil, address, fmt.Errorf("%s: %w", o.config, err)
	}
	return &running{config: config}, address, nil
}

// configurable lets the console of a router's node show and change its configuration.
func (o *options) configurable(c core.Core) core.Core {
	if o.running == nil {
		return c
	}
	return console.Configurable(c, o.running.config.Text)
}

// goBy puts a configuration into effect. If that fails the router has no node, and the configuration is the one that it has.
func (r *router) goBy(next *running) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	one := r.options
	one.running = next
	if err := r.sensible(&one); err != nil {
		return err
	}
	if err := r.stop(); err != nil {
		return err
	}
	r.mu.Lock()
	r.running, r.idle = next, idleConsole(next, r.program)
	r.mu.Unlock()
	if !next.grouped() {
		return nil
	}
	w, err := r.program.open(&one, r.stderr)
	if err != nil {
		return err
	}
	r.start(w)
	return nil
}

// grouped reports whether the configuration has a group, without which there is nothing to do.
func (c *running) grouped() bool { return c.config.Has("crypto", "gdoi", "group") }

// sensible finds what is wrong with a configuration, as far as that can be known before it is in effect.
func (r *router) sensible(o *options) error {
	if !o.running.grouped() {
		return nil
	}
	if r.program.name == keyServer.name {
		_, _, err := o.loadKeyServer()
		return err
	}
	_, _, err := o.loadMember()
	return err
}

// start has a node work.
func (r *router) start(w *work) {
	ctx, cancel := context.WithCancel(r.alone)
	ended := make(chan error, 1)
	go func() { ended <- w.run(ctx) }()
	<-w.node.Begun()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.work = w
	r.halt = func() error {
		cancel()
		return <-ended
	}
}

// stop ends the work, if there is any.
func (r *router) stop() error {
	r.mu.Lock()
	halt := r.halt
	r.work, r.halt = nil, nil
	r.mu.Unlock()
	if halt == nil {
		return nil
	}
	return halt()
}

// with is the configuration with one more key.
func (c *running) with(file string, key []byte) *running {
	next := &running{config: c.config, keys: maps.Clone(c.keys)}
	if next.keys == nil {
		next.keys = make(map[string][]byte)
	}
	next.keys[file] = key
	return next
}

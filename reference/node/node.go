package node

import (
	"context"
	"errors"

	"github.com/gdoilab/gdoilab/reference/control"
)

// Node is a core with its sockets. Open makes one, Run makes it work.
type Node struct{ cfg Config }

// Open opens everything the node needs in the network namespace of the calling thread. Run may then be called anywhere.
func Open(cfg Config) (*Node, error) { return &Node{cfg: cfg}, nil }

// Run starts the core and carries for it until ctx ends; then everything is closed and the result is nil.
func (n *Node) Run(ctx context.Context) error { return errors.New("node: not running") }

// Do asks the core as an operator does. It needs Run to be running.
func (n *Node) Do(ctx context.Context, req control.Request) control.Response {
	return control.Response{ID: req.ID, Error: "not running"}
}

// Close gives back what Open opened; it is for a node that is never Run.
func (n *Node) Close() error { return nil }

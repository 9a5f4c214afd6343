package daemon

import (
	"errors"
	"io"

	"github.com/gdoilab/gdoilab/reference/node"
)

// companion is what runs beside a node: it asks the node as an operator does, or is told by it.
type companion interface {
	// start begins to work for a node that is open. What it returns ends the companion, once the node has ended.
	start(n *node.Node) (io.Closer, error)
}

// accompany starts all of them, or none.
func accompany(n *node.Node, all []companion) (closers, error) {
	var started closers
	for _, c := range all {
		one, err := c.start(n)
		if err != nil {
			return nil, errors.Join(err, started.Close())
		}
		started = append(started, one)
	}
	return started, nil
}

// closer is a function that ends something.
type closer func() error

// Close calls it.
func (c closer) Close() error { return c() }

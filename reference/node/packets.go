package node

import (
	"errors"
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// forward moves packets until the device is closed.
func (n *Node) forward() {
	if err := n.device.Run(n.packet); err != nil {
		n.fail(fmt.Errorf("data plane: %w", err))
	}
}

// packet gives one packet to the gateway.
func (n *Node) packet(from core.Side, packet []byte, emit func(core.Side, []byte)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.running {
		return
	}
	now := time.Now()
	if err := n.cfg.DataPlane.Gateway.Handle(now, from, packet, emit); err != nil {
		n.refused(now, err)
	}
}

// datagram gives a datagram to the data path if it is for it, and otherwise to the core.
func (n *Node) datagram(d *core.Datagram, emit func(core.Side, []byte)) {
	if !n.carry(d, emit) {
		n.handle(d)
	}
}

func (n *Node) carry(d *core.Datagram, emit func(core.Side, []byte)) bool {
	if n.cfg.DataPlane == nil || n.cfg.DataPlane.Datagram == nil {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.running {
		return true
	}
	now := time.Now()
	taken, err := n.cfg.DataPlane.Datagram(now, d, emit)
	if err != nil {
		n.refused(now, err)
	}
	return taken
}

func (n *Node) refused(now time.Time, err error) {
	var v *rule.Violation
	if n.cfg.DataPlane.Refused == nil || !errors.As(err, &v) {
		return
	}
	n.perform(now, n.cfg.DataPlane.Refused(now, v))
	n.wake()
}
